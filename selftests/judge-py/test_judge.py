#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Each property by small histories, good and bad."""

from __future__ import annotations

import sys
import unittest

sys.dont_write_bytecode = True

from story import Story, judged  # noqa: E402


class Base(unittest.TestCase):
    """Asserts which properties a story breaks."""

    def good(self, story: Story) -> None:
        """No violation."""
        self.assertEqual([], judged(story.lines).all)

    def bad(self, story: Story, *rules: int) -> None:
        """Violations of just these properties."""
        found = judged(story.lines)
        self.assertEqual(list(rules), found.rules(), found.all)


def three(listed: str = "a b c") -> Story:
    """The members listed are in view 1.1."""
    return Story().view(listed, "1.1")


class Views(Base):
    """V1."""

    def test_good(self) -> None:
        self.good(three().view("a b", "1.2").end("a b"))

    def test_first_view_without_self(self) -> None:
        self.bad(three("a b").view("c", "1.1", "a b"), 1)

    def test_last_view_of_a_leaver_is_without_it(self) -> None:
        story = three("a b").view("a b", "1.2", "b").tell("a", "left")
        self.good(story.end("b"))

    def test_view_without_self_is_not_the_last(self) -> None:
        story = three("a b").view("a b", "1.2", "b").view("a b", "1.3", "a b")
        self.bad(story, 1)

    def test_view_without_self_at_the_end(self) -> None:
        self.bad(three("a b").view("a b", "1.2", "b").end("a b"), 1)

    def test_ids_shrink(self) -> None:
        story = Story().view("a b", "2.1").view("a b", "1.9")
        self.bad(story, 1)

    def test_same_id_again(self) -> None:
        self.bad(three("a").view("a", "1.1"), 1)

    def test_sequence_of_higher_epoch_may_be_lower(self) -> None:
        self.good(Story().view("a b", "1.9").view("a b", "2.1"))

    def test_ids_compare_as_numbers(self) -> None:
        self.good(Story().view("a b", "9.9").view("a b", "10.10"))

    def test_different_members(self) -> None:
        self.bad(three("a b").view("c", "1.1", "a c"), 1)

    def test_different_ranks(self) -> None:
        self.bad(three("a b").view("c", "1.1", "b a c")
                 .view("d", "1.1", "a b c d"), 1)

    def test_other_group_other_list(self) -> None:
        story = three("a b")
        story.add("join", "x", g="h")
        story.add("view", "x", g="h", view="1.1", self="24:1:1",
                  members=["24:1:1"])
        self.good(story)

    def test_same_address_in_two_groups(self) -> None:
        story = three("a b")
        story.add("join", "x", g="h")
        story.add("view", "x", g="h", view="1.1", self="1:a:1",
                  members=["1:a:1"])
        self.good(story)

    def test_member_twice(self) -> None:
        self.bad(Story().view("a b", "1.1", "a b a"), 1)

    def test_address_of_two_members(self) -> None:
        story = three("a b")
        story.view("c", "1.1", "a b", self="1:a:1")
        self.bad(story, 1)

    def test_address_changes(self) -> None:
        story = three("a b")
        new = {"self": "1:ff:1", "members": ["1:ff:1", "2:b:1"]}
        self.bad(story.view("a", "2.1", **new), 1)

    def test_address_changes_in_suspension(self) -> None:
        story = three("a b").tell("a", "suspended", "resumed")
        new = {"self": "1:ff:1", "members": ["1:ff:1", "2:b:1"]}
        self.good(story.view("a", "2.1", **new))

    def test_view_after_left(self) -> None:
        self.bad(three("a b").tell("a", "left").view("a", "1.2"), 1)


class Agreement(Base):
    """V2."""

    def test_good(self) -> None:
        story = three().send("a", "m1 m2", "none")
        story.deliver("a b", "m1 m2").deliver("c", "m2 m1")
        self.good(story.view("a b c", "1.2", "a b c d").end("a b c"))

    def test_one_lacks(self) -> None:
        story = three().send("a", "m1", "none", answer="")
        story.deliver("a b", "m1").view("a b c", "2.1")
        self.bad(story, 2)

    def test_one_lacks_and_was_accepted(self) -> None:
        story = three().send("a", "m1", "none")
        story.deliver("a b", "m1").view("a b c", "2.1")
        self.bad(story, 2, 13)

    def test_crashed_may_lack(self) -> None:
        story = three().send("a", "m1", "none")
        story.deliver("a b", "m1").view("a b", "2.1")
        self.good(story.tell("c", "crash"))

    def test_crashed_may_have_more(self) -> None:
        story = three().send("c", "m1", "total").deliver("c", "m1")
        self.good(story.tell("c", "crash").view("a b", "2.1"))

    def test_suspended_may_lack(self) -> None:
        story = three().send("a", "m1", "none")
        story.deliver("a b", "m1").view("a b", "2.1")
        story.tell("c", "suspended", "resumed")
        self.good(story.view("a b c", "3.1").end("a b c"))

    def test_suspended_without_resumed_may_lack(self) -> None:
        story = three().send("a", "m1", "none")
        story.deliver("a b", "m1").tell("c", "suspended")
        self.good(story.view("a b c", "2.1").tell("c", "resumed"))

    def test_suspension_before_the_view_excuses_nothing(self) -> None:
        story = Story().tell("c", "suspended", "resumed").view("a b c", "1.1")
        story.send("a", "m1", "none").deliver("a b", "m1")
        self.bad(story.view("a b c", "2.1"), 2, 13)

    def test_other_next_view(self) -> None:
        story = three().send("a", "m1", "none", answer="")
        story.deliver("a b", "m1").view("a b", "2.1", "a b")
        self.bad(story.view("c", "3.1", "c").view("a b", "4.1"), 10)

    def test_leaver_that_was_shown_the_next_view(self) -> None:
        story = three().send("a", "m1", "none", answer="").deliver("b", "m1")
        story.view("b c", "1.2").view("a", "1.2", "b c").tell("a", "left")
        self.bad(story, 2)

    def test_left_may_lack(self) -> None:
        story = three().send("a", "m1", "none").deliver("a b", "m1")
        self.good(story.tell("c", "left").view("a b", "1.2"))

    def test_differ_at_the_end(self) -> None:
        story = three().send("a", "m1", "none", answer="")
        self.bad(story.deliver("b", "m1").end("b c"), 2)

    def test_no_line_at_the_end_is_a_crash(self) -> None:
        story = three().send("a", "m1", "none")
        self.good(story.deliver("a b", "m1").end("a b"))

    def test_suspended_at_the_end(self) -> None:
        story = three().send("a", "m1", "none").deliver("a b", "m1")
        story.tell("c", "suspended", "end")
        self.bad(story.view("a b", "2.1").end("a b"), 11)

    def test_joiner_does_not_have_the_past(self) -> None:
        story = three("a b").send("a", "m1").deliver("a b", "m1")
        self.good(story.view("a b c", "1.2").end("a b c"))


class Integrity(Base):
    """V3."""

    def test_never_sent(self) -> None:
        self.bad(three("a").deliver("a", "m1"), 3)

    def test_delivery_may_stand_before_its_send_in_the_file(self) -> None:
        story = three("a b").send("a", "m1").deliver("a b", "m1")
        sends = [line for line in story.lines if line["m"] == "a"]
        rest = [line for line in story.lines if line["m"] != "a"]
        self.assertEqual([], judged(rest + sends).all)

    def test_own_before_send(self) -> None:
        story = three("a b").send("a", "m1").deliver("a b", "m1")
        send = next(line for line in story.lines if line["e"] == "send")
        own = next(line for line in story.lines
                   if line["e"] == "deliver" and line["m"] == "a")
        story.lines.remove(own)
        story.lines.insert(story.lines.index(send), own)
        self.bad(story, 3)

    def test_own_before_answer(self) -> None:
        story = three("a b").send("a", "m1", answer="").deliver("a b", "m1")
        story.add("sent", "a", id="m1")
        self.good(story)

    def test_twice(self) -> None:
        self.bad(three("a b").send("a", "m1").deliver("a", "m1 m1"), 3)

    def test_twice_in_two_views(self) -> None:
        story = three("a b").send("a", "m1").deliver("a b", "m1")
        self.bad(story.view("a b", "1.2").deliver("a b", "m1"), 3, 4)

    def test_bytes(self) -> None:
        self.bad(three("a").send("a", "m1").deliver("a", "m1", ok=False), 3)

    def test_length(self) -> None:
        self.bad(three("a").send("a", "m1").deliver("a", "m1", len=9), 3)

    def test_order(self) -> None:
        story = three("a").send("a", "m1", "safe")
        self.bad(story.deliver("a", "m1", order="fifo"), 3)

    def test_sender(self) -> None:
        story = three("a b").send("a", "m1")
        self.bad(story.deliver("a b", "m1", **{"from": "2:b:1"}), 3)

    def test_sender_of_no_view(self) -> None:
        story = Story().view("b c", "1.1", "a b c")
        story.send("a", "m1", answer="").tell("a", "crash")
        self.good(story.deliver("b c", "m1"))

    def test_sender_of_no_view_is_another(self) -> None:
        story = Story().view("b c", "1.1", "a b c")
        story.send("a", "m1", answer="").tell("a", "crash")
        self.bad(story.deliver("b c", "m1", **{"from": "3:c:1"}), 3)

    def test_sender_of_no_view_is_two(self) -> None:
        story = Story().view("b c", "1.1", "a b c d")
        story.send("a", "m1", answer="").tell("a", "crash")
        story.deliver("b", "m1")
        self.bad(story.deliver("c", "m1", **{"from": "4:d:1"}), 3)

    def test_refused(self) -> None:
        story = three("a b").send("a", "m1", answer="EAGAIN")
        self.bad(story.deliver("a b", "m1"), 3)

    def test_refused_unknown(self) -> None:
        story = three("a b").send("a", "m1", answer="UNKNOWN")
        self.good(story.deliver("a b", "m1"))

    def test_other_group(self) -> None:
        story = three("a b").send("a", "m1").deliver("a b", "m1")
        story.add("join", "x", g="h")
        story.add("view", "x", g="h", view="1.1", self="1:a:1",
                  members=["1:a:1"])
        self.bad(story.deliver("x", "m1", g="h"), 3)

    def test_to_one_at_another(self) -> None:
        story = three().send("a", "m1", to="b")
        self.bad(story.deliver("b c", "m1"), 3)

    def test_to_one_as_to_all(self) -> None:
        story = three().send("a", "m1", to="b")
        self.bad(story.deliver("b", "m1", to_one=False), 3)

    def test_to_all_as_to_one(self) -> None:
        story = three().send("a", "m1")
        self.bad(story.deliver("b", "m1", to_one=True), 3)


class Stamps(Base):
    """V4."""

    def test_before_first_view(self) -> None:
        story = three("a").send("a", "m1").deliver("b a", "m1")
        self.bad(story, 4)

    def test_late(self) -> None:
        story = three("a b").send("a", "m1").deliver("a", "m1")
        story.view("a b", "1.2").deliver("b", "m1")
        self.bad(story, 2, 4, 13)

    def test_stamp_ahead_of_what_the_program_read(self) -> None:
        story = three("a b").send("a", "m1", stamp="1.2")
        story.view("a b", "1.2", "a b c").deliver("a b", "m1")
        self.good(story)

    def test_stamp_behind_what_the_program_read(self) -> None:
        story = three("a b").view("a", "1.2", "a b c")
        story.send("a", "m1", stamp="1.1").deliver("b", "m1")
        self.bad(story, 4, 9)

    def test_stamps_shrink(self) -> None:
        story = three("a b").send("a", "m1", stamp="1.2", answer="silent")
        story.send("a", "m2", stamp="1.1", answer="silent")
        story.deliver("b", "m2").view("b", "1.2", "a b c")
        self.bad(story.deliver("b", "m1"), 4, 5)

    def test_two_threads_may_swap(self) -> None:
        story = three("a b").send("a", "m1", stamp="1.2", answer="")
        story.send("a", "m2", stamp="1.1", answer="")
        story.add("sent", "a", id="m1")
        story.add("sent", "a", id="m2")
        story.deliver("a b", "m2").view("a b", "1.2", "a b c")
        self.good(story.deliver("a b", "m1"))

    def test_stamps_differ(self) -> None:
        story = three("a b").send("a", "m1")
        story.view("b", "1.2", "a b c").deliver("b", "m1", view="1.2")
        self.bad(story, 4)

    def test_sender_not_in_view(self) -> None:
        story = three("a b").view("c", "1.2", "b c").view("b", "1.2", "b c")
        story.send("a", "m1", answer="silent", stamp="1.2")
        self.bad(story.deliver("b c", "m1"), 4)

    def test_suspended(self) -> None:
        story = three("a b").send("a", "m1").tell("b", "suspended")
        self.bad(story.deliver("b", "m1"), 4)

    def test_resumed_into_the_same_view(self) -> None:
        story = three("a b").send("a", "m1")
        self.good(story.tell("b", "suspended", "resumed").deliver("b", "m1"))

    def test_evicted(self) -> None:
        story = three("a b").send("a", "m1").tell("b", "evicted")
        self.bad(story.deliver("b", "m1"), 4)

    def test_in_a_view_without_self(self) -> None:
        story = three("a b").view("a b", "1.2", "b").send("b", "m1")
        self.bad(story.deliver("b a", "m1"), 4)

    def test_to_one_late(self) -> None:
        story = three("a b").send("a", "m1", to="b")
        self.good(story.view("a b", "1.2", "a b c").deliver("b", "m1"))

    def test_to_one_early(self) -> None:
        story = three("a b").send("a", "m1", to="b", stamp="1.2")
        self.bad(story.deliver("b", "m1"), 4)


class Fifo(Base):
    """V5."""

    def test_swapped(self) -> None:
        story = three("a b").send("a", "m1 m2", "fifo").deliver("a", "m1 m2")
        self.bad(story.deliver("b", "m2 m1"), 5)

    def test_none_is_free(self) -> None:
        story = three("a b").send("a", "m1", "none").send("a", "m2", "fifo")
        self.good(story.deliver("a", "m1 m2").deliver("b", "m2 m1"))

    def test_orders_above_count(self) -> None:
        story = three("a b").send("a", "m1", "fifo").send("a", "m2", "total")
        self.bad(story.deliver("b", "m2 m1"), 5)

    def test_two_senders(self) -> None:
        story = three("a b").send("a", "m1", "fifo").send("b", "m2", "fifo")
        self.good(story.deliver("a", "m1 m2").deliver("b", "m2 m1"))

    def test_three_swapped_at_distance(self) -> None:
        story = three("a b").send("a", "m1 m2 m3", "fifo")
        self.bad(story.deliver("b", "m2 m3 m1"), 5)

    def test_hole_at_a_crashed_receiver(self) -> None:
        story = three("a b").send("a", "m1 m2", "fifo")
        self.bad(story.deliver("b", "m2").tell("b", "crash"), 5)

    def test_hole_of_unknown_stamp(self) -> None:
        story = three("a b").send("a", "m0", "fifo")
        story.send("a", "m1", "fifo", answer="silent").send("a", "m2", "fifo")
        self.bad(story.deliver("b", "m0 m2"), 5)

    def test_no_hole_where_refused(self) -> None:
        story = three("a b").send("a", "m1", "fifo", answer="EAGAIN")
        self.good(story.send("a", "m2", "fifo").deliver("a b", "m2"))

    def test_no_hole_for_a_joiner(self) -> None:
        story = three("a").send("a", "m1", "fifo").deliver("a", "m1")
        story.view("a b", "1.2").send("a", "m2", "fifo")
        self.good(story.deliver("a b", "m2"))

    def test_threads_in_no_order(self) -> None:
        story = three("a b").send("a", "m1", "fifo", answer="")
        story.send("a", "m2", "fifo", answer="")
        story.add("sent", "a", id="m2")
        story.add("sent", "a", id="m1")
        self.good(story.deliver("a", "m1 m2").deliver("b", "m2 m1"))

    def test_to_one_swapped(self) -> None:
        story = three("a b").send("a", "m1 m2", "fifo", to="b")
        self.bad(story.deliver("b", "m2 m1"), 5)

    def test_to_one_hole(self) -> None:
        story = three("a b").send("a", "m1 m2", "fifo", to="b")
        self.bad(story.deliver("b", "m2").tell("b", "crash"), 5)

    def test_to_one_and_to_all_are_apart(self) -> None:
        story = three("a b").send("a", "m1", "fifo", to="b")
        story.send("a", "m2", "fifo").deliver("a", "m2")
        self.good(story.deliver("b", "m2 m1"))


class Causal(Base):
    """V6."""

    def answer(self, order: str = "causal", second: str = "causal") -> Story:
        """Member a sends m1, b delivers it and sends m2."""
        story = three().send("a", "m1", order).deliver("a b", "m1")
        return story.send("b", "m2", second).deliver("a b", "m2")

    def test_good(self) -> None:
        self.good(self.answer().deliver("c", "m1 m2"))

    def test_effect_first(self) -> None:
        self.bad(self.answer().deliver("c", "m2 m1"), 6)

    def test_effect_without_cause(self) -> None:
        story = self.answer().deliver("c", "m2").tell("c", "crash")
        self.bad(story, 6)

    def test_fifo_is_no_cause(self) -> None:
        self.good(self.answer("fifo").deliver("c", "m2 m1"))

    def test_fifo_is_no_effect(self) -> None:
        self.good(self.answer("causal", "fifo").deliver("c", "m2 m1"))

    def test_total_is_causal(self) -> None:
        self.bad(self.answer("total", "causal").deliver("c", "m2 m1"), 6)

    def test_not_delivered_before_the_send(self) -> None:
        story = three().send("a", "m1", "causal").send("b", "m2", "causal")
        story.deliver("a b", "m1 m2").deliver("c", "m2 m1")
        self.good(story)

    def test_through_own_sends(self) -> None:
        story = three().send("a", "m1 m2", "causal").deliver("a b", "m1 m2")
        story.send("b", "m3", "causal").deliver("a b", "m3")
        self.bad(story.deliver("c", "m1 m3 m2"), 6)

    def test_through_a_chain(self) -> None:
        story = Story().view("a b c d", "1.1").send("a", "m1", "causal")
        story.deliver("a b", "m1").send("b", "m2", "causal")
        story.deliver("a b c", "m2").send("c", "m3", "causal")
        story.deliver("a b c", "m3").deliver("c", "m1")
        self.bad(story, 6)

    def test_lamport_stamps(self) -> None:
        story = three().send("a", "m1", "causal")
        story.deliver("a b c", "m1", lamport=4).send("b", "m2", "total")
        self.good(story.deliver("a b c", "m2", lamport=5))

    def test_lamport_stamp_does_not_grow(self) -> None:
        story = three().send("a", "m1", "causal")
        story.deliver("a b c", "m1", lamport=4).send("b", "m2", "total")
        self.bad(story.deliver("a b c", "m2", lamport=4), 6)

    def test_lamport_stamp_of_an_older_view(self) -> None:
        story = three("a b").send("a", "m1", "causal")
        story.deliver("a b", "m1", lamport=4).view("a b", "1.2")
        story.send("b", "m2", "causal").deliver("a b", "m2", lamport=3)
        self.bad(story, 6)

    def test_lamport_stamps_of_one_sender(self) -> None:
        story = three("a b").send("a", "m1 m2", "causal")
        story.deliver("a b", "m1", lamport=4)
        self.bad(story.deliver("a b", "m2", lamport=3), 6)

    def test_lamport_stamp_after_a_suspension(self) -> None:
        story = three("a b").send("a", "m1", "causal")
        story.deliver("a b", "m1", lamport=4).tell("b", "suspended", "resumed")
        story.view("a b", "2.1").send("b", "m2", "causal")
        self.good(story.deliver("a b", "m2", lamport=1))

    def test_lamport_stamp_differs(self) -> None:
        story = three("a b").send("a", "m1", "causal")
        story.deliver("a", "m1", lamport=4).deliver("b", "m1", lamport=5)
        self.bad(story, 6)

    def test_fifo_has_no_lamport_stamp(self) -> None:
        story = three("a b").send("a", "m1", "fifo")
        story.deliver("a b", "m1", lamport=4).send("b", "m2", "causal")
        self.good(story.deliver("a b", "m2", lamport=1))

    def test_to_one_carries_no_cause(self) -> None:
        story = three().send("a", "m1", "causal", to="b").deliver("b", "m1")
        story.send("b", "m2", "causal").deliver("a b c", "m2")
        self.good(story)

    def test_cause_of_an_older_view(self) -> None:
        story = three("a b").send("a", "m1", "causal").deliver("a b", "m1")
        story.view("a b c", "1.2").send("b", "m2", "causal")
        self.good(story.deliver("a b c", "m2"))

    def test_refused_send_between(self) -> None:
        story = three().send("a", "m1", "causal").deliver("a b", "m1")
        story.send("b", "m2", "causal", answer="EAGAIN")
        story.send("b", "m3", "causal").deliver("a b", "m3")
        self.bad(story.deliver("c", "m3 m1"), 6)


class Total(Base):
    """V7."""

    def test_go_on_together(self) -> None:
        story = three("a b").send("a", "m1").send("b", "m2")
        story.deliver("a", "m1 m2").deliver("b", "m2 m1")
        self.bad(story.view("a b", "2.1", "a b c"), 7)

    def test_at_the_end(self) -> None:
        story = three("a b").send("a", "m1").send("b", "m2")
        story.deliver("a", "m1 m2").deliver("b", "m2 m1")
        self.bad(story.end("a b"), 7)

    def test_causal_is_free(self) -> None:
        story = three("a b").send("a", "m1", "causal")
        story.send("b", "m2", "causal")
        story.deliver("a", "m1 m2").deliver("b", "m2 m1")
        self.good(story.end("a b"))

    def test_mixed_levels_are_one_order(self) -> None:
        story = three("a b").send("a", "m1", "total").send("b", "m2", "safe")
        story.deliver("a", "m1 m2").deliver("b", "m2 m1")
        self.bad(story.end("a b"), 7)

    def test_crashed_may_differ(self) -> None:
        story = three().send("a", "m1").send("b", "m2").deliver("c", "m1 m2")
        story.tell("c", "crash").deliver("a b", "m2 m1")
        self.good(story.view("a b", "2.1").end("a b"))

    def test_suspended_may_differ(self) -> None:
        story = three().send("a", "m1").send("b", "m2").deliver("c", "m1 m2")
        story.tell("c", "suspended", "resumed").deliver("a b", "m2 m1")
        self.good(story.view("a b c", "2.1").end("a b c"))

    def test_crashed_may_not_differ_before_safe(self) -> None:
        story = three().send("a", "m1").send("b", "m2")
        story.send("a", "s", "safe").deliver("c", "m1 m2 s")
        story.tell("c", "crash").deliver("a b", "m2 m1 s")
        self.bad(story.view("a b", "2.1").end("a b"), 7)

    def test_crashed_without_safe_may_differ_before_it(self) -> None:
        story = three().send("a", "m1").send("b", "m2")
        story.send("a", "s", "safe").deliver("c", "m1 m2").tell("c", "crash")
        story.deliver("a b", "m2 m1 s").view("a b", "2.1").end("a b")
        self.good(story)

    def test_crashed_had_one_that_was_lost(self) -> None:
        story = three().send("c", "x").deliver("c", "x").send("b", "m2")
        story.send("a", "s", "safe").deliver("c", "m2").tell("c", "crash")
        story.deliver("a b", "m2 s").view("a b", "2.1").end("a b")
        self.good(story)

    def test_longest_list_to_a_safe_counts(self) -> None:
        story = three().send("a", "s", "safe").send("b", "m1").send("c", "m2")
        story.send("a", "t u", "safe").deliver("c", "s m2 m1 t")
        story.tell("c", "crash").deliver("b", "s m1").tell("b", "crash")
        self.bad(story.deliver("a", "s m1 m2 t u"), 7)

    def test_gap_before_safe(self) -> None:
        story = three().send("c", "x").send("b", "m").send("a", "s t", "safe")
        story.deliver("c", "x m s").tell("c", "crash")
        story.deliver("b", "m x").tell("b", "crash")
        self.bad(story.deliver("a", "m s t"), 7)

    def test_crashed_may_differ_after_safe(self) -> None:
        story = three().send("a", "s", "safe").deliver("a b c", "s")
        story.send("a", "m1").send("b", "m2").deliver("c", "m1 m2")
        story.tell("c", "crash").deliver("a b", "m2 m1")
        self.good(story.view("a b", "2.1").end("a b"))

    def test_crashed_stopped_before_safe(self) -> None:
        story = three().send("b", "m1").send("a", "s", "safe")
        story.deliver("c", "m1").tell("c", "crash").deliver("a b", "m1 s")
        self.good(story.view("a b", "2.1").end("a b"))

    def test_crashed_alone_delivered_safe(self) -> None:
        story = three().send("b", "m1").send("a", "m2").send("c", "s", "safe")
        story.deliver("c", "m1 m2 s").tell("c", "crash")
        story.deliver("a b", "m2 m1 s").view("a b", "2.1").end("a b")
        self.bad(story, 7)


class Uniform(Base):
    """V8."""

    def test_crashed_alone_delivered(self) -> None:
        story = three().send("c", "s", "safe").deliver("c", "s")
        self.bad(story.tell("c", "crash").view("a b", "2.1"), 8)

    def test_total_may_vanish(self) -> None:
        story = three().send("c", "t").deliver("c", "t")
        self.good(story.tell("c", "crash").view("a b", "2.1"))

    def test_suspended_alone_delivered(self) -> None:
        story = three().send("c", "s", "safe").deliver("c", "s")
        story.tell("c", "suspended", "resumed").view("a b c", "2.1", "a b c")
        self.bad(story, 8)

    def test_who_is_suspended_may_lack(self) -> None:
        story = three().send("c", "s", "safe").deliver("a b", "s")
        self.good(story.view("a b", "2.1").tell("c", "suspended"))

    def test_of_a_view_passed_by(self) -> None:
        story = three("a b").view("a", "1.2", "a b c").send("a", "s", "safe")
        story.deliver("a", "s").tell("a", "crash").view("b", "2.1", "b c")
        self.bad(story, 8)

    def test_unseen_view_of_a_crashed_one(self) -> None:
        story = three("a b").view("a", "1.2", "a b c").send("a", "t")
        story.deliver("a", "t").tell("a", "crash").view("b", "2.1", "b c")
        self.good(story)

    def test_at_the_end(self) -> None:
        story = three("a b").send("a", "s", "safe", answer="")
        self.bad(story.deliver("a", "s").end("b"), 8)


class Own(Base):
    """V9."""

    def test_next_view(self) -> None:
        story = three("a b").send("a", "m1", "none").view("a b", "2.1", "a b")
        self.bad(story, 9, 13)

    def test_end(self) -> None:
        self.bad(three("a").send("a", "m1", "none").end("a"), 9, 13)

    def test_end_stamp_unknown(self) -> None:
        story = three("a").send("a", "m1", "none", answer="silent")
        self.bad(story.end("a"), 9, 13)

    def test_passed_by(self) -> None:
        story = three("a b").send("a", "m1", "none", stamp="1.2")
        self.bad(story.view("a b", "1.3", "a b"), 9)

    def test_crashed(self) -> None:
        self.good(three("a").send("a", "m1").tell("a", "crash"))

    def test_suspended(self) -> None:
        story = three("a").send("a", "m1").tell("a", "suspended", "resumed")
        self.good(story.view("a", "2.1").end("a"))

    def test_suspended_before(self) -> None:
        story = three("a").tell("a", "suspended", "resumed")
        story.view("a", "2.1").send("a", "m1").end("a")
        self.bad(story, 9, 13)

    def test_left_or_evicted(self) -> None:
        self.good(three("a b").send("a", "m1", "none").tell("a", "left"))
        self.good(three("a b").send("a", "m1", "none").tell("a", "evicted"))

    def test_refused_or_unanswered(self) -> None:
        story = three("a").send("a", "m1", answer="EAGAIN")
        story.send("a", "m2", answer="UNKNOWN").send("a", "m3", answer="")
        self.good(story.end("a"))


class Chain(Base):
    """V10, and V11's one view at the end."""

    def test_good(self) -> None:
        story = Story().epoch("a b c", 1).epoch("a b", 2, 1)
        story.view("a b", "2.1").epoch("a b", 5, 2, "a b c")
        self.good(story.epoch("c", 5, 0, "a b c", inc="c").end("a b"))

    def test_two_views_of_one_epoch(self) -> None:
        self.bad(Story().epoch("a b", 1).epoch("c", 1), 10)

    def test_two_ranks_of_one_epoch(self) -> None:
        self.bad(Story().epoch("a", 1, 0, "a b").epoch("b", 1, 0, "b a"), 10)

    def test_incarnations_differ(self) -> None:
        story = Story().epoch("a b", 1)
        story.lines[-1]["nodes"] = ["1:a", "2:bb"]
        story.lines[-1]["inc"] = "bb"
        self.bad(story, 10)

    def test_not_in_own_view(self) -> None:
        self.bad(Story().epoch("a", 1, 0, "b c"), 10)

    def test_node_twice(self) -> None:
        self.bad(Story().epoch("a", 1, 0, "a b a"), 10)

    def test_shrinks(self) -> None:
        self.bad(Story().epoch("a b", 2).epoch("a b", 1, 0), 10)

    def test_fork(self) -> None:
        story = Story().epoch("a b c d", 1).epoch("a b", 2, 1)
        self.bad(story.epoch("c d", 3, 1), 10)

    def test_goes_on_beside_a_formation(self) -> None:
        story = Story().epoch("a b c d", 1).epoch("c d", 3)
        self.bad(story.epoch("a b", 4, 1), 10)

    def test_goes_on_beside_one_that_starts_alone(self) -> None:
        story = Story().epoch("a b c", 1).epoch("c", 3)
        self.good(story.epoch("a b", 4, 1, "a b c").epoch("c", 4, 0, "a b c"))

    def test_goes_on_beside_one_that_went_on_alone(self) -> None:
        story = Story().epoch("a b c", 1).epoch("c", 3, 1)
        self.bad(story.epoch("a b", 4, 1), 10)

    def test_each_part_goes_on_without_quorum(self) -> None:
        story = Story().epoch("a b c d", 1, quorum=False)
        story.epoch("c d", 3, quorum=False)
        self.good(story.epoch("a b", 4, 1, quorum=False))

    def test_one_number_twice_without_quorum(self) -> None:
        story = Story().epoch("a b c d", 1, quorum=False)
        story.epoch("c d", 3, quorum=False)
        self.bad(story.epoch("a b", 3, quorum=False), 10)

    def test_formation_after_the_end_of_a_chain(self) -> None:
        story = Story().epoch("a b c", 1).epoch("a b", 2, 1)
        self.good(story.epoch("a b c", 3).view("a b", "3.1").end("a b"))

    def test_before_differs(self) -> None:
        story = Story().epoch("a b", 1).epoch("a b", 2, 1)
        story.epoch("a", 3, 2, "a b").epoch("b", 3, 1, "a b")
        self.bad(story, 10)

    def test_before_is_not_where_the_node_was(self) -> None:
        story = Story().epoch("a b c", 1).epoch("a b", 2, 1)
        self.good(story.epoch("a b c", 3, 2))

    def test_before_is_later(self) -> None:
        self.bad(Story().epoch("a", 1, 2), 10)
        self.bad(Story().epoch("a", 1, 1), 10)

    def test_before_differs_and_nobody_was_there(self) -> None:
        self.bad(Story().epoch("a", 3, 1, "a b").epoch("b", 3, 2, "a b"), 10)

    def test_installed_twice(self) -> None:
        self.bad(Story().epoch("a", 1).epoch("a", 1), 10)

    def test_told_twice(self) -> None:
        story = Story().epoch("a", 1, at=None).epoch("a", 2, 1, at=None)
        self.good(story.epoch("a", 1, at=None))

    def test_told_later(self) -> None:
        story = Story().epoch("a", 2, 1, at=7).epoch("a", 1, at=5)
        self.good(story)

    def test_told_twice_and_differs(self) -> None:
        story = Story().epoch("a", 1, at=None).epoch("a", 2, at=None)
        self.bad(story.epoch("a", 1, 0, "a b", at=None), 10)

    def test_crashed_member_was_in_another_view(self) -> None:
        story = Story().epoch("a b c", 1).epoch("b c", 2, 1).view("a", "1.1")
        story.tell("a", "crash").view("b c", "2.1").tell("d", "left")
        self.good(story.end("b c"))

    def test_two_chains_at_the_end(self) -> None:
        story = Story().epoch("a", 1).epoch("b", 2).view("a", "1.1")
        story.view("b", "2.1")
        self.bad(story.end("a b"), 10, 11)

    def test_members_off_the_node_view(self) -> None:
        story = Story().epoch("a b", 1).view("a b c", "1.1")
        self.bad(story, 10)

    def test_group_chain_forks(self) -> None:
        story = three("a b").view("a", "2.1").view("a", "4.1")
        self.bad(story.view("b", "3.1", "b"), 10)

    def test_view_of_a_crashed_member_alone(self) -> None:
        story = three("a b").view("a", "1.2", "a b c").tell("a", "crash")
        self.good(story.view("b", "2.1").end("b"))

    def test_views_of_a_crashed_member_alone(self) -> None:
        story = three("a b").view("a", "1.2", "a b c").view("a", "1.3")
        self.good(story.tell("a", "crash").view("b", "2.1").end("b"))

    def test_views_that_lived_on(self) -> None:
        story = three("a b").view("a", "1.2").view("a", "2.1")
        self.bad(story.tell("a", "crash").view("b", "3.1").end("b"), 10)

    def test_two_views_at_the_end(self) -> None:
        story = three("a b").view("a", "1.2").end("a").end("b")
        self.bad(story, 11)

    def test_no_view_at_the_end(self) -> None:
        story = three("a b").tell("c", "end")
        self.bad(story.end("a b"), 11)

    def test_not_resumed_at_the_end(self) -> None:
        story = three("a b").tell("b", "suspended").end("a b")
        self.bad(story, 11)

    def test_resumed_in_its_view(self) -> None:
        story = three("a b").tell("b", "suspended", "resumed").end("a b")
        self.good(story)

    def test_resumed_in_an_old_view(self) -> None:
        story = three("a b").tell("b", "suspended", "resumed")
        self.bad(story.view("a", "2.1", "a b").end("a b"), 11)


class Loss(Base):
    """V13."""

    def test_lost_at_one(self) -> None:
        story = three().send("a", "m1", "none").deliver("a b", "m1")
        self.bad(story.end("a b c"), 2, 13)

    def test_lost_at_all(self) -> None:
        story = three().send("a", "m1", "none").end("a b c")
        self.bad(story, 9, 13)

    def test_lost_by_the_sender_too(self) -> None:
        story = three().send("a", "m1", "none").view("a b c", "2.1")
        self.bad(story, 9, 13)

    def test_sender_crashed(self) -> None:
        story = three().send("a", "m1", "none").tell("a", "crash")
        self.good(story.view("b c", "2.1").end("b c"))

    def test_sender_left_and_was_shown_so(self) -> None:
        story = three().send("a", "m1", "none").view("a", "1.2", "b c")
        story.tell("a", "left").view("b c", "1.2").end("b c")
        self.bad(story, 9, 13)

    def test_sender_left_and_was_cut_off(self) -> None:
        story = three().send("a", "m1", "none").tell("a", "left")
        self.good(story.view("b c", "1.2").view("b c", "2.1").end("b c"))

    def test_sender_evicted(self) -> None:
        story = three().send("a", "m1", "none").tell("a", "evicted")
        self.good(story.view("b c", "1.2").end("b c"))

    def test_sender_suspended(self) -> None:
        story = three().send("a", "m1", "none").tell("a", "suspended")
        self.good(story.view("b c", "2.1").end("b c"))

    def test_to_one_lost(self) -> None:
        self.bad(three("a b").send("a", "m1", to="b").end("a b"), 13)

    def test_to_one_refused_or_unanswered(self) -> None:
        story = three("a b").send("a", "m1", to="b", answer="EAGAIN")
        self.good(story.send("a", "m2", to="b", answer="").end("a b"))

    def test_to_one_of_unknown_stamp(self) -> None:
        story = three("a b").send("a", "m1", to="b", answer="silent")
        self.bad(story.end("a b"), 13)

    def test_to_one_to_self(self) -> None:
        story = three("a b").send("a", "m1", to="a").deliver("a", "m1")
        self.good(story.end("a b"))

    def test_to_one_receiver_gone(self) -> None:
        story = three("a b").send("a", "m1", to="b").view("a", "2.1", "a")
        self.good(story.end("a"))

    def test_to_one_receiver_suspended(self) -> None:
        story = three("a b").send("a", "m1", to="b")
        story.tell("b", "suspended", "resumed")
        self.good(story.view("a b", "2.1").end("a b"))

    def test_to_one_receiver_suspended_before(self) -> None:
        story = three("a b").tell("b", "suspended", "resumed")
        story.view("a b", "2.1").send("a", "m1", to="b").end("a b")
        self.bad(story, 13)

    def test_to_one_sender_suspended(self) -> None:
        story = three("a b").send("a", "m1", to="b")
        story.tell("a", "suspended", "resumed")
        self.good(story.view("a b", "2.1").end("a b"))


if __name__ == "__main__":
    unittest.main()
