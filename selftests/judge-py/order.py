# SPDX-License-Identifier: GPL-2.0
"""V5, V6 and V7: in which order messages come."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict

from agreement import Course, course_text, courses
from finding import Findings, some
from run import (CAUSAL, FIFO, SAFE, TOTAL, Delivery, Member, Message, Run,
                 Segment, ViewId, view_text)

GroupView = tuple[str, ViewId]


def check(run: Run, findings: Findings) -> None:
    """Runs the checks of order over a history."""
    _check_sender_order(run, findings)
    _check_no_holes(run, findings)
    _Causal(run, findings).check()
    _check_lamport(run, findings)
    for course, segments in courses(run).items():
        _check_common_order(run, course, segments, findings)
    _check_safe_order(run, findings)


def _check_sender_order(run: Run, findings: Findings) -> None:
    """V5: of one sender, messages to all come as sent, and so do those to
    one member, each kind by itself.

    A message is out of place if one that was asked for after its answer has
    come already. The latest one come so far is the only one to look at.
    """
    for member in run.members.values():
        newest: dict[tuple[Member, bool], Message] = {}
        for delivery in member.deliveries:
            message = delivery.message
            if message is None or message.order < FIFO:
                continue
            key = (message.sender, message.to is None)
            last = newest.get(key)
            if last is None or message.asked > last.asked:
                newest[key] = message
            elif message.answered < last.asked:
                findings.add(5, delivery.line,
                             f"member {member.name} delivers {message.id} of"
                             f" {message.sender.name} after {last.id}, which"
                             " was sent later")


def _check_no_holes(run: Run, findings: Findings) -> None:
    """V5 where the earlier message never comes.

    A member that delivers a message to all in a view is a member throughout
    that view, so an earlier message of the same sender and view is due to it
    before: one that does not come cannot come in the order sent. The same
    holds for two messages to one member with one stamp.
    """
    for member in run.members.values():
        for segment in member.segments:
            got: dict[Member, Message] = {}
            for delivery in segment.deliveries:
                _note_newest(got, delivery, segment.view)
            _report_holes(member, segment.ids, segment.line, segment.view,
                          got, False, findings)
        _check_holes_to_one(member, findings)


def _check_holes_to_one(member: Member, findings: Findings) -> None:
    got: dict[ViewId, dict[Member, Message]] = {}
    ids: set[str] = set()
    line = member.line
    for delivery in member.deliveries:
        if delivery.to_one:
            ids.add(delivery.id)
            line = delivery.line
            _note_newest(got.setdefault(delivery.view, {}), delivery,
                         delivery.view)
    for view, newest in got.items():
        _report_holes(member, ids, line, view, newest, True, findings)


def _note_newest(got: dict[Member, Message], delivery: Delivery,
                 view: ViewId) -> None:
    message = delivery.message
    if message is None or message.order < FIFO or message.stamp != view or \
            message.sender.group != delivery.member.group:
        return
    last = got.get(message.sender)
    if last is None or message.asked > last.asked:
        got[message.sender] = message


def _report_holes(member: Member, ids: set[str], line: int, view: ViewId,
                  got: dict[Member, Message], to_one: bool,
                  findings: Findings) -> None:
    for sender, newest in got.items():
        holes = [message.id
                 for message in sender.sent_in(view)
                 if message.answered < newest.asked
                 and message.order >= FIFO and message.id not in ids
                 and (message.to in member.addresses if to_one
                      else message.to is None)]
        if holes:
            findings.add(5, line,
                         f"member {member.name} delivers {newest.id} of"
                         f" {sender.name} in view {view_text(view)} without"
                         f" {some(holes)}, sent before")


class _Causal:
    """V6: nothing comes before what its sender had delivered or sent.

    Of messages of order causal or above, to all, in one view. It is enough to
    look at direct causes, that is, what the sender delivered or sent since
    the message it sent before: if every member delivers a message after its
    direct causes, then, causes of causes being looked at in the same way, it
    delivers it after all of them. Causes of older views came in those (V4).
    A cause that does not come at all has not come before, either: who
    delivers the effect is a member of the view and due to have the cause.
    """

    def __init__(self, run: Run, findings: Findings) -> None:
        self._run = run
        self._findings = findings
        self._causes: dict[str, frozenset[str]] = {}

    def check(self) -> None:
        """Collects causes at the senders, then looks at every receiver."""
        for member in self._run.members.values():
            self._collect(member)
        for member in self._run.members.values():
            for segment in member.segments:
                self._check_segment(segment)

    def _collect(self, member: Member) -> None:
        views = {segment.view: segment for segment in member.segments}
        reads: dict[ViewId, tuple[list[int], list[str]]] = {}
        for view, segment in views.items():
            ticks, ids = [], []
            for delivery in segment.deliveries:
                if _is_causal(delivery.message):
                    ticks.append(delivery.tick)
                    ids.append(delivery.id)
            reads[view] = (ticks, ids)
        sends = [message for message in member.sends if _is_causal(message)]
        answered = sorted(sends, key=lambda message: message.answered)
        last: dict[ViewId, Message] = {}
        at = 0
        for message in sends:
            while answered[at].answered < message.asked:
                before = answered[at]
                at += 1
                if before.stamp is not None and \
                        (before.sent or before.deliveries):
                    known = last.get(before.stamp)
                    if known is None or known.asked < before.asked:
                        last[before.stamp] = before
            if message.stamp is None:
                continue
            previous = last.get(message.stamp)
            ticks, ids = reads.get(message.stamp, ([], []))
            start = bisect_left(ticks, previous.asked) if previous else 0
            causes = ids[start:bisect_left(ticks, message.asked)]
            if previous:
                causes.append(previous.id)
            # A message delivered before its send is not its own cause.
            self._causes[message.id] = frozenset(causes) - {message.id}

    def _check_segment(self, segment: Segment) -> None:
        come: set[str] = set()
        for delivery in segment.deliveries:
            message = delivery.message
            if message is None or message.order < CAUSAL:
                continue
            causes = self._causes.get(delivery.id)
            if causes is not None and message.stamp == segment.view and \
                    not causes <= come:
                self._report(segment, delivery, message, causes - come)
            come.add(delivery.id)

    def _report(self, segment: Segment, delivery: Delivery, message: Message,
                missing: frozenset[str]) -> None:
        sender = message.sender
        late = "late" if missing & segment.ids else "never"
        self._findings.add(6, delivery.line,
                           f"member {segment.member.name} delivers"
                           f" {message.id} of {sender.name} before its causes"
                           f" {some(missing)} ({late} delivered); sent at "
                           + self._run.place.text(message.line))


def _is_causal(message: Message | None) -> bool:
    return message is not None and message.order >= CAUSAL and \
        message.to is None


def _check_lamport(run: Run, findings: Findings) -> None:
    """V6 as the stamps tell it: what happened before has the lower one.

    A message has one stamp, above those of all that its sender delivered or
    sent before. After a suspension a member starts afresh.
    """
    stamps: dict[str, Delivery] = {}
    for member in run.members.values():
        for delivery in member.deliveries:
            if not delivery.lamport or not _is_causal(delivery.message):
                continue
            first = stamps.setdefault(delivery.id, delivery)
            if first.lamport != delivery.lamport:
                findings.add(6, delivery.line,
                             f"message {delivery.id} has Lamport stamp"
                             f" {delivery.lamport} at {member.name},"
                             f" {first.lamport} at {first.member.name}")
    for member in run.members.values():
        _check_growth(member, stamps, findings)


def _check_growth(member: Member, stamps: dict[str, Delivery],
                  findings: Findings) -> None:
    """One member's past is below what it sends, tick by tick."""
    past: list[tuple[int, int]] = [(tick, 0) for tick in member.suspensions]
    past += [(delivery.tick, delivery.lamport)
             for delivery in member.deliveries
             if delivery.lamport and _is_causal(delivery.message)]
    sends = [message for message in member.sends
             if _is_causal(message) and message.id in stamps]
    past += [(message.answered, stamps[message.id].lamport)
             for message in sends]
    past.sort()
    highest = at = 0
    for message in sends:
        while at < len(past) and past[at][0] < message.asked:
            highest = max(highest, past[at][1]) if past[at][1] else 0
            at += 1
        own = stamps[message.id].lamport
        if own <= highest:
            findings.add(6, message.line,
                         f"message {message.id} of {member.name} has Lamport"
                         f" stamp {own}, one before it has {highest}")


def _total(segment: Segment) -> list[str]:
    """Messages of order total or safe as delivered, each at its first."""
    return list(dict.fromkeys(
        delivery.id for delivery in segment.deliveries
        if delivery.message is not None and delivery.message.order >= TOTAL))


def _check_common_order(run: Run, course: Course, segments: list[Segment],
                        findings: Findings) -> None:
    """V7 for those who go on together: one order of what they share.

    Most members have the very same list; only different ones are compared,
    each with each, since sets may differ as well when V2 is broken.
    """
    lists: dict[tuple[str, ...], Segment] = {}
    for segment in segments:
        lists.setdefault(tuple(_total(segment)), segment)
    different = list(lists.items())
    for at, (one, segment) in enumerate(different):
        for two, other in different[:at]:
            pair = _first_difference(one, two)
            if pair is not None:
                findings.add(7, segment.line,
                             f"{course_text(course)}: member"
                             f" {segment.member.name} delivers {pair[0]} where"
                             f" {other.member.name} delivers {pair[1]},"
                             f" {run.place.text(other.line)}")
                break


def _first_difference(one: tuple[str, ...], two: tuple[str, ...]
                      ) -> tuple[str, str] | None:
    common = set(one) & set(two)
    left = (ident for ident in one if ident in common)
    right = (ident for ident in two if ident in common)
    return next(((a, b) for a, b in zip(left, right) if a != b), None)


def _check_safe_order(run: Run, findings: Findings) -> None:
    """V7 without exception: what stands before a safe message.

    A member that delivered a safe message, whatever became of it then, has
    the order up to there in common with all who delivered one: their lists
    to the last safe one are the same, as far as each of them goes.

    "At every member" cannot mean one that never delivered the safe message.
    It may have crashed with totals in an order that was lost with it, before
    the safe message was sent; no protocol that delivers totals before they
    are stable can take them back. For such a member the first sentence of V7
    is all that holds.
    """
    views: dict[GroupView, list[tuple[Segment, list[str]]]] = \
        defaultdict(list)
    for member in run.members.values():
        for segment in member.segments:
            fixed = _fixed_order(run, segment)
            if fixed:
                views[(member.group, segment.view)].append((segment, fixed))
    for key, entries in views.items():
        model, longest = max(entries, key=lambda entry: len(entry[1]))
        for segment, fixed in entries:
            if fixed == longest[:len(fixed)]:
                continue
            mine, other = next((a, b) for a, b in zip(fixed, longest)
                               if a != b)
            findings.add(
                7, segment.line,
                f"group {key[0]}, view {view_text(key[1])}: member"
                f" {segment.member.name}, which goes on to safe {fixed[-1]},"
                f" delivers {mine} where {model.member.name}, which goes on"
                f" to safe {longest[-1]}, delivers {other},"
                f" {run.place.text(model.line)}")


def _fixed_order(run: Run, segment: Segment) -> list[str]:
    """The totals of a segment up to its last safe message, with it."""
    total = _total(segment)
    while total and run.messages[total[-1]].order < SAFE:
        total.pop()
    return total
