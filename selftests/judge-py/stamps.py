# SPDX-License-Identifier: GPL-2.0
"""The view that each message was stamped in, as far as it can be known.

The sender may be told the view when the send returns, and every delivery
names it. Where neither is there, the sends around it bound it: a kernel's
views only grow, so what was sent before a message carries no later stamp and
what was sent after it no earlier one. "Before" is: had its answer before the
other was asked for; sends of two threads at once are in no order.
"""

from __future__ import annotations

from run import Member, Message, Run, ViewId


def settle(run: Run) -> None:
    """Fills in stamp, low and high of every message."""
    for message in run.messages.values():
        if message.stamp is None and message.deliveries:
            message.stamp = message.deliveries[0].view
    for member in run.members.values():
        _bound_from_below(member)
        _bound_from_above(member)
        for message in member.sends:
            if (message.stamp is None and message.sent and
                    message.low == message.high):
                message.stamp = message.low


def _bound_from_below(member: Member) -> None:
    answered = sorted(member.sends, key=_answer_tick)
    floor = (0, 0)
    at = 0
    for message in member.sends:
        while answered[at].answered < message.asked:
            before: Message = answered[at]
            floor = max(floor, before.stamp or before.low)
            at += 1
        message.low = max(floor, message.low)


def _bound_from_above(member: Member) -> None:
    ceiling: ViewId | None = None
    at = len(member.sends) - 1
    for message in sorted(member.sends, key=_answer_tick, reverse=True):
        while member.sends[at].asked > message.answered:
            after = member.sends[at]
            bound = after.stamp or after.high
            if bound is not None:
                ceiling = bound if ceiling is None else min(ceiling, bound)
            at -= 1
        message.high = ceiling


def _answer_tick(message: Message) -> int:
    return message.answered
