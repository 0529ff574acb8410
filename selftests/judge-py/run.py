# SPDX-License-Identifier: GPL-2.0
"""A run as its members saw it: the objects that the checks walk over.

There is no clock common to two members. Within a member, events carry ticks
(1, 2, 3 ... of that member alone); between members, nothing is known but that
a message was sent before it was delivered.
"""

from __future__ import annotations

from finding import Place

ViewId = tuple[int, int]
Address = tuple[int, int, int]

ORDERS = ("none", "fifo", "causal", "total", "safe")
NONE, FIFO, CAUSAL, TOTAL, SAFE = range(5)

NEVER = 1 << 62
"""A tick after every other: that of an answer which did not come."""


def view_text(view: ViewId | None) -> str:
    """The id of a view as histories write it."""
    return f"{view[0]}.{view[1]}" if view else "(no view)"


def address_text(address: Address) -> str:
    """An address as histories write it."""
    return f"{address[0]}:{address[1]:x}:{address[2]}"


class Message:
    """One send, its answer and its deliveries.

    stamp is the view that the sender's kernel gave it, from its answer or
    from those who delivered it; low and high are what the sends around it say
    about the stamp (member.bound_stamps).
    """

    __slots__ = ("id", "sender", "order", "length", "to", "line", "asked",
                 "answered", "sent", "refused", "told", "stamp", "seen",
                 "low", "high", "deliveries")

    def __init__(self, ident: str, sender: Member, order: int, length: int,
                 to: Address | None, line: int) -> None:
        self.id = ident
        self.sender = sender
        self.order = order
        self.length = length
        self.to = to
        self.line = line
        self.asked = sender.tick
        self.answered = NEVER
        self.sent = False
        self.refused: str | None = None
        self.told: ViewId | None = None
        self.stamp: ViewId | None = None
        self.seen = sender.view
        self.low: ViewId = sender.view or (0, 0)
        self.high: ViewId | None = None
        self.deliveries: list[Delivery] = []


class Delivery:
    """One message read by one member."""

    __slots__ = ("member", "id", "message", "segment", "barred", "source",
                 "view", "order", "length", "intact", "to_one", "group",
                 "lamport", "line", "tick")

    def __init__(self, member: Member, ident: str, line: int) -> None:
        self.member = member
        self.id = ident
        self.line = line
        self.tick = member.tick
        self.segment: Segment | None = member.segment
        # Why the member was to get nothing now: suspended, left, evicted.
        self.barred = member.barred
        self.message: Message | None = None
        self.source: Address = (0, 0, 0)
        self.view: ViewId = (0, 0)
        self.order = NONE
        self.length = 0
        self.intact = True
        self.to_one = False
        self.group = ""
        # Its Lamport stamp; 0: not told.
        self.lamport = 0


class Segment:
    """A member's time in one view: from its event to the next view's.

    What a segment is good for in the agreement properties depends on how it
    ended: next is set when the member went on into another view without a
    suspension between, stays when it was a member in good state at the end
    of the run. With neither, it crashed, left, was suspended or evicted.
    """

    __slots__ = ("member", "view", "members", "self", "line", "barred",
                 "suspended", "next", "stays", "deliveries", "ids")

    def __init__(self, member: Member, view: ViewId,
                 members: tuple[Address, ...], own: Address,
                 line: int) -> None:
        self.member = member
        self.view = view
        self.members = members
        self.self = own
        self.line = line
        self.barred = member.barred
        self.suspended = False
        self.next: Segment | None = None
        self.stays = False
        # Messages to all, in the order read, and their ids.
        self.deliveries: list[Delivery] = []
        self.ids: set[str] = set()

    def goes_on(self) -> bool:
        """Did the member keep its place through the end of this view?"""
        return self.next is not None or self.stays


class Member:
    """One socket in one group."""

    __slots__ = ("name", "group", "line", "tick", "segment", "barred",
                 "suspensions", "closed", "segments", "sends", "deliveries",
                 "addresses", "by_view")

    def __init__(self, name: str, group: str, line: int) -> None:
        self.name = name
        self.group = group
        self.line = line
        self.tick = 0
        self.segment: Segment | None = None
        self.barred: str | None = None
        self.suspensions: list[int] = []
        # crash or end, after which no line may follow.
        self.closed: str | None = None
        self.segments: list[Segment] = []
        self.sends: list[Message] = []
        self.deliveries: list[Delivery] = []
        self.addresses: set[Address] = set()
        self.by_view: dict[ViewId, list[Message]] | None = None

    @property
    def view(self) -> ViewId | None:
        """The view whose event the program has read last."""
        return self.segment.view if self.segment else None

    def correct(self) -> bool:
        """Is it a member in good state at the end of the run?"""
        return self.closed == "end" and self.barred is None

    def sent_in(self, view: ViewId) -> list[Message]:
        """Its accepted messages of that stamp; stamps are settled before."""
        if self.by_view is None:
            self.by_view = {}
            for message in self.sends:
                if message.sent and message.stamp is not None:
                    self.by_view.setdefault(message.stamp, []).append(message)
        return self.by_view.get(view, [])

    def suspended_since(self, tick: int) -> bool:
        """Was it told of a suspension after that tick?"""
        return bool(self.suspensions) and self.suspensions[-1] > tick


class NodeView:
    """One node's installation of a node view; at is when, if that is told.

    free: it needed no quorum, as the policy of the nodes allows.
    """

    __slots__ = ("node", "inc", "epoch", "before", "nodes", "at", "free",
                 "line")

    def __init__(self, node: int, inc: int, epoch: int, before: int,
                 nodes: tuple[tuple[int, int], ...], at: int | None,
                 line: int) -> None:
        self.node = node
        self.inc = inc
        self.epoch = epoch
        self.before = before
        self.nodes = nodes
        self.at = at
        self.free = False
        self.line = line

    def what(self) -> tuple[object, ...]:
        """All that the line says."""
        return (self.node, self.inc, self.epoch, self.before, self.nodes)


def in_order(views: list[NodeView]) -> list[NodeView]:
    """Node views, each node's in the order in which it installed them.

    Their lines are no member's, so their order says nothing: several programs
    may watch one node. Either all lines tell the time, or the numbers have to
    stand for it and a line that comes again says the same once more.
    """
    if all(view.at is not None for view in views):
        return sorted(views, key=lambda view: (view.at or 0, view.line))
    once: dict[tuple[object, ...], NodeView] = {}
    for view in views:
        once.setdefault(view.what(), view)
    return sorted(once.values(), key=lambda view: (view.epoch, view.line))


class Run:
    """Everything that a history says."""

    def __init__(self) -> None:
        self.place = Place()
        self.lines = 0
        self.members: dict[str, Member] = {}
        self.messages: dict[str, Message] = {}
        self.node_views: list[NodeView] = []

    def has_quorums(self) -> bool:
        """Is there one chain, or one for each part of the cluster?"""
        return not any(view.free for view in self.node_views)

    def views(self) -> set[tuple[str, ViewId]]:
        """All group views that somebody installed."""
        return {(member.group, segment.view)
                for member in self.members.values()
                for segment in member.segments}
