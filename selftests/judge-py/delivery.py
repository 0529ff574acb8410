# SPDX-License-Identifier: GPL-2.0
"""V3, V4, V9 and V13: what may be delivered, where, and what must be."""

from __future__ import annotations

from finding import Findings, some
from run import (ORDERS, Address, Delivery, Member, Message, Run, Segment,
                 ViewId, address_text, view_text)

GroupView = tuple[str, ViewId]


def check(run: Run, findings: Findings) -> None:
    """Runs the checks of single messages over a history."""
    _Integrity(run, findings).check()
    _check_views_of_deliveries(run, findings)
    _check_stamps(run, findings)
    _check_own(run, findings)
    _check_loss(run, findings)
    _check_loss_to_one(run, findings)


def _owners(run: Run) -> dict[tuple[str, Address], Member]:
    return {(member.group, segment.self): member
            for member in run.members.values()
            for segment in member.segments}


class _Integrity:
    """V3: a delivery is of a message sent, once, as it was sent.

    The sender's address is that of the view of the stamp, as told in the
    event. A sender that never read that event (it crashed before) has told
    nobody: then all deliveries of that view name one address, and one that is
    no other member's.
    """

    def __init__(self, run: Run, findings: Findings) -> None:
        self._run = run
        self._findings = findings
        self._owners = _owners(run)
        self._selves = {(member, segment.view): segment.self
                        for member in run.members.values()
                        for segment in member.segments}
        self._claims: dict[tuple[Member, ViewId], Address] = {}

    def check(self) -> None:
        """Looks at every delivery of the run."""
        for member in self._run.members.values():
            seen: dict[str, Delivery] = {}
            for delivery in member.deliveries:
                first = seen.setdefault(delivery.id, delivery)
                if first is not delivery:
                    self._fault(delivery, "is delivered twice, first at "
                                + self._run.place.text(first.line))
                message = delivery.message
                if message is None:
                    self._fault(delivery, "was never sent")
                elif message.sender.group != delivery.group or \
                        member.group != delivery.group:
                    self._fault(delivery, "was sent to group"
                                f" {message.sender.group}, is delivered in"
                                f" {delivery.group}")
                else:
                    self._check_one(delivery, message)

    def _check_one(self, delivery: Delivery, message: Message) -> None:
        if not delivery.intact:
            self._fault(delivery, "has other bytes than those sent")
        if delivery.length != message.length:
            self._fault(delivery, f"has {delivery.length} bytes,"
                        f" {message.length} were sent")
        if delivery.order != message.order:
            self._fault(delivery, f"comes as {ORDERS[delivery.order]}, was"
                        f" sent as {ORDERS[message.order]}")
        if message.refused not in (None, "UNKNOWN"):
            self._fault(delivery, f"was refused ({message.refused}) at "
                        + self._run.place.text(message.line))
        if message.sender is delivery.member and \
                message.asked > delivery.tick:
            self._fault(delivery, "is delivered before it was sent")
        if delivery.to_one != (message.to is not None):
            self._fault(delivery, "was sent to "
                        + ("one member" if message.to else "all")
                        + ", is delivered as to "
                        + ("one" if delivery.to_one else "all"))
        elif message.to and message.to not in delivery.member.addresses:
            self._fault(delivery, f"was sent to {address_text(message.to)}")
        self._check_source(delivery, message)

    def _check_source(self, delivery: Delivery, message: Message) -> None:
        sender = message.sender
        source = delivery.source
        known = self._selves.get((sender, delivery.view))
        if known is None:
            owner = self._owners.setdefault((sender.group, source), sender)
            known = self._claims.setdefault((sender, delivery.view), source)
            if known == source and owner is sender:
                return
        elif known == source:
            return
        self._fault(delivery, f"was sent by {sender.name}, names"
                    f" {address_text(source)}")

    def _fault(self, delivery: Delivery, what: str) -> None:
        self._findings.add(3, delivery.line,
                           f"message {delivery.id} at member"
                           f" {delivery.member.name} {what}")


def _check_views_of_deliveries(run: Run, findings: Findings) -> None:
    """V4 at the receiver: delivered in the view of its stamp.

    A message to one member may come later than that view, never before it.
    Outside views, between suspension and resumption and after the last
    event, nothing is to be delivered at all.
    """
    lists = {(member.group, segment.view): segment.members
             for member in run.members.values()
             for segment in member.segments}
    for member in run.members.values():
        for delivery in member.deliveries:
            what = f"message {delivery.id} at member {member.name}"
            segment = delivery.segment
            if segment is None:
                findings.add(4, delivery.line, f"{what} comes before its"
                             " first view")
            elif segment.self not in segment.members:
                findings.add(4, delivery.line, f"{what} comes in view"
                             f" {view_text(segment.view)}, which is not its"
                             " view any more")
            elif delivery.barred is not None:
                findings.add(4, delivery.line, f"{what} comes after"
                             f" {delivery.barred!r}")
            elif (segment.view < delivery.view if delivery.to_one
                  else segment.view != delivery.view):
                findings.add(4, delivery.line,
                             f"{what} of view {view_text(delivery.view)}"
                             f" comes in view {view_text(segment.view)}")
            members = lists.get((member.group, delivery.view))
            if members is not None and delivery.source not in members:
                findings.add(4, delivery.line,
                             f"{what} is stamped in view"
                             f" {view_text(delivery.view)}, of which its"
                             f" sender {address_text(delivery.source)} is no"
                             " member")


def _check_stamps(run: Run, findings: Findings) -> None:
    """V4 at the sender: one stamp a message, and stamps go with its views.

    The stamp may be ahead of what the program has read, not behind it, nor
    behind the stamp of a message sent before.
    """
    for message in run.messages.values():
        what = f"message {message.id} of member {message.sender.name}"
        for delivery in message.deliveries:
            if delivery.view != message.stamp:
                findings.add(4, delivery.line,
                             f"{what} has view {view_text(delivery.view)} at"
                             f" member {delivery.member.name}, elsewhere"
                             f" {view_text(message.stamp)}")
        if message.stamp is not None and message.stamp < message.low:
            findings.add(4, message.line,
                         f"{what} is stamped in view"
                         f" {view_text(message.stamp)}, its sender was in"
                         f" {view_text(message.low)}")


def _check_own(run: Run, findings: Findings) -> None:
    """V9: who gets through the view of its message has delivered it there.

    By the letter only members that never crash are bound; but the kernel
    cannot know of a crash to come, so a view left behind in good order binds
    at once. At the end a message of unknown stamp is bound too, unless a
    suspension after the send told the sender of its loss.
    """
    for member in run.members.values():
        own = {delivery.id for delivery in member.deliveries}
        views = {segment.view: segment for segment in member.segments}
        for message in member.sends:
            if not message.sent or message.to or message.id in own:
                continue
            segment = views.get(message.stamp) if message.stamp else None
            if segment is not None and segment.next is not None:
                why = f"goes on to view {view_text(segment.next.view)}"
            elif member.correct() and \
                    not member.suspended_since(message.asked):
                why = "is there at the end"
            elif message.stamp and _skips(member, message.stamp):
                why = "passed that view by"
            else:
                continue
            findings.add(9, message.line,
                         f"member {member.name} does not deliver its own"
                         f" message {message.id} of view"
                         f" {view_text(message.stamp)}, and {why}")


def _skips(member: Member, view: ViewId) -> bool:
    return any(segment.next is not None and
               segment.view < view < segment.next.view
               for segment in member.segments)


def _bound_messages(run: Run) -> dict[GroupView, dict[str, Message]]:
    """By view: messages whose senders keep their places through it."""
    bound: dict[GroupView, dict[str, Message]] = {}
    for member in run.members.values():
        kept = {segment.view for segment in member.segments
                if segment.goes_on()}
        for message in member.sends:
            if message.sent and not message.to and message.stamp in kept:
                key = (member.group, message.stamp)
                bound.setdefault(key, {})[message.id] = message
    return bound


def _check_loss(run: Run, findings: Findings) -> None:
    """V13: a send that succeeded reaches every member that stays.

    The sender learns of a loss by a suspension or eviction, or does not care
    any more once it has crashed. If it keeps its place through the view of
    the message, it was told nothing, and who else keeps it there delivers the
    message. A leaver that was shown the view without it kept its place to
    there. That the next view is of the same epoch is no such sign: it may
    have been installed while that epoch was closed, without the sender's node.
    """
    bound = _bound_messages(run)
    lost: dict[str, tuple[Message, list[str], str]] = {}
    for member in run.members.values():
        for segment in member.segments:
            if not segment.goes_on():
                continue
            messages = bound.get((member.group, segment.view), {})
            for ident in messages.keys() - segment.ids:
                message = messages[ident]
                if message.sender is not member:
                    _lose(lost, message, segment)
    for message, members, view in lost.values():
        findings.add(13, message.line,
                     f"message {message.id} of member {message.sender.name},"
                     f" accepted in view {view}, is lost at {some(members)}")
    for message in run.messages.values():
        if message.sent and not message.to and not message.deliveries and \
                message.id not in lost and message.sender.correct() and \
                not message.sender.suspended_since(message.asked):
            findings.add(13, message.line,
                         f"message {message.id} of member"
                         f" {message.sender.name} was accepted, and nobody"
                         " delivers it")


def _lose(lost: dict[str, tuple[Message, list[str], str]], message: Message,
          segment: Segment) -> None:
    entry = lost.setdefault(message.id,
                            (message, [], view_text(segment.view)))
    entry[1].append(segment.member.name)


def _check_loss_to_one(run: Run, findings: Findings) -> None:
    """V13 for messages to one member: both ends there and never suspended.

    Lines of two members are not ordered, so a suspension of the receiver
    counts from the earliest view in which the message can have been sent.
    """
    owners = _owners(run)
    for message in run.messages.values():
        sender = message.sender
        if not message.sent or message.to is None or \
                not sender.correct() or \
                sender.suspended_since(message.asked):
            continue
        receiver = owners.get((sender.group, message.to))
        if receiver is None or not receiver.correct() or \
                receiver.segment is None or \
                receiver.segment.self != message.to:
            continue
        if _away(receiver, message.stamp or message.low):
            continue
        if all(delivery.member is not receiver
               for delivery in message.deliveries):
            findings.add(13, message.line,
                         f"message {message.id} of member {sender.name} to"
                         f" {receiver.name} was accepted, both are there at"
                         " the end, and it is not delivered")


def _away(member: Member, since: ViewId) -> bool:
    """Was the member suspended in that view or later, or is it not known?"""
    following = member.segments[1:]
    for segment, after in zip(member.segments, following):
        if segment.suspended and after.view > since:
            return True
    return member.segments[-1].suspended
