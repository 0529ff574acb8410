# SPDX-License-Identifier: GPL-2.0
"""Random good histories: a toy of a cluster that holds every property.

One object plays all kernels at once, so agreement is bookkeeping here: every
group view has one list of its messages and one total order. Members deliver
in any way that their orders allow, programs read late and crash early, nodes
crash, are cut off and come back; what may get lost or be ordered anew then,
sometimes is. It knows nothing of how the real protocol reaches the same.
"""

from __future__ import annotations

import random
from typing import Any

Line = dict[str, Any]

ORDERS = ("none", "fifo", "causal", "total", "safe")
FIFO, CAUSAL, TOTAL, SAFE = 1, 2, 3, 4


class ToyMessage:
    """A message to all, and what must come before it."""

    def __init__(self, ident: str, sender: ToyMember, order: int,
                 length: int) -> None:
        self.id = ident
        self.sender = sender
        self.order = order
        self.length = length
        self.before: set[ToyMessage] = set()
        self.stable = False


class ToyNode:
    """A node; inc changes each time it comes back."""

    def __init__(self, ident: int) -> None:
        self.id = ident
        self.inc = ident * 16
        self.epoch = 0
        self.lines: list[Line] = []

    def install(self, epoch: int, before: int, nodes: list[ToyNode]) -> None:
        """Notes a node view; before is that of those who go on."""
        self.lines.append({
            "e": "epoch", "n": self.id, "inc": f"{self.inc:x}",
            "epoch": epoch, "before": before if self.epoch == before else 0,
            "nodes": [f"{node.id}:{node.inc:x}" for node in nodes]})
        self.epoch = epoch


class ToyMember:
    """A socket (queue) and its program (lines)."""

    def __init__(self, name: str, group: ToyGroup, node: ToyNode) -> None:
        self.name = name
        self.group = group
        self.node = node
        self.address = ""
        self.port = 1 + len(name)
        self.place()
        self.queue: list[Line] = []
        self.lines: list[Line] = [self.line("join", g=group.name)]
        self.got: set[ToyMessage] = set()
        self.position = 0
        self.gone = False

    def place(self) -> None:
        """Takes the address that its node now gives it."""
        self.address = f"{self.node.id}:{self.node.inc:x}:{self.name[1:]}"

    def line(self, event: str, /, **fields: Any) -> Line:
        """A line of this member."""
        return {"e": event, "m": self.name, **fields}

    def read(self, count: int) -> None:
        """The program reads so many records."""
        self.lines += self.queue[:count]
        del self.queue[:count]


class ToyGroup:
    """A group's current view."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.view = (0, 0)
        self.members: list[ToyMember] = []
        self.messages: list[ToyMessage] = []
        self.total: list[ToyMessage] = []

    def view_text(self) -> str:
        """The view's id as histories write it."""
        return f"{self.view[0]}.{self.view[1]}"

    def install(self, view: tuple[int, int], members: list[ToyMember]
                ) -> None:
        """The next view: an event for all, and nothing sent in it yet."""
        self.view = view
        self.members = members
        self.messages, self.total = [], []
        for member in members:
            member.got = set()
            member.position = 0
            member.queue.append(self.event(member))

    def event(self, member: ToyMember) -> Line:
        """The event of the current view for a member."""
        return member.line(
            "view", g=self.name, view=self.view_text(),
            members=[each.address for each in self.members],
            **{"self": member.address})

    def deliverable(self, member: ToyMember) -> list[ToyMessage]:
        """What the orders let this member have next."""
        found = []
        total = next((message for message in self.total
                      if message not in member.got), None)
        for message in self.messages:
            if message in member.got or not message.before <= member.got:
                continue
            if message.order < TOTAL or message is total:
                found.append(message)
        return found

    def sequence(self, rng: random.Random) -> bool:
        """Gives one message its place in the total order, if any waits."""
        waiting = [message for message in self.messages
                   if message.order >= TOTAL and message not in self.total]
        ready = [message for message in waiting
                 if not message.before & set(waiting)]
        if ready:
            self.total.append(rng.choice(ready))
        return bool(ready)


class Toy:
    """A cluster; history() lets it live and tells what was seen."""

    def __init__(self, seed: int, nodes: int = 4, groups: int = 2,
                 steps: int = 250) -> None:
        self.rng = random.Random(seed)
        self.nodes = [ToyNode(ident + 1) for ident in range(nodes)]
        self.live = list(self.nodes)
        self.epoch = 1
        self.sequence = 0
        self.steps = steps
        self.names = 0
        self.sent = 0
        self.members: list[ToyMember] = []
        self.pairs: dict[tuple[ToyMember, ToyMember], list[Line]] = {}
        for node in self.nodes:
            node.install(1, 0, self.live)
        self.groups = [ToyGroup(f"g{at}") for at in range(groups)]
        for group in self.groups:
            self._join(group)
            self._join(group)

    def history(self) -> list[Line]:
        """A run from start to quiet end, lines of members interleaved."""
        actions = ([self._send] * 30 + [self._deliver] * 80
                   + [self._read] * 40 + [self._order] * 20
                   + [self._send_one] * 6 + [self._deliver_one] * 6
                   + [self._some_join] * 2
                   + [self._depart, self._crash_node, self._cut_off_node,
                      self._bring_back])
        for _ in range(self.steps):
            self.rng.choice(actions)()
        while len(self.live) < len(self.nodes):
            self._bring_back()
        for group in self.groups:
            self._flush(group)
        for (_, to), waiting in self.pairs.items():
            while waiting:
                to.queue.append(waiting.pop(0))
        for member in self.members:
            if not member.gone:
                member.read(len(member.queue))
                member.lines.append(member.line("end"))
        return self._interleave()

    def _interleave(self) -> list[Line]:
        sources = [list(reversed(source.lines))
                   for source in self.members + self.nodes if source.lines]
        lines = []
        while sources:
            source = self.rng.choice(sources)
            for _ in range(min(self.rng.randint(1, 5), len(source))):
                lines.append(source.pop())
            if not source:
                sources.remove(source)
        return lines

    # Programs.

    def _present(self) -> list[ToyMember]:
        return [member for group in self.groups for member in group.members]

    def _send(self) -> None:
        present = self._present()
        if not present:
            return
        member = self.rng.choice(present)
        group = member.group
        order = self.rng.randrange(5)
        self.sent += 1
        ident, length = f"m{self.sent}", self.rng.randrange(2000)
        member.lines.append(member.line("send", g=group.name, id=ident,
                                        order=ORDERS[order], len=length))
        if self.rng.random() < 0.05:
            member.lines.append(member.line("refused", id=ident,
                                            errno="EAGAIN"))
            return
        message = ToyMessage(ident, member, order, length)
        own = [each for each in group.messages if each.sender is member]
        if order >= FIFO:
            message.before |= {each for each in own if each.order >= FIFO}
        if order >= CAUSAL:
            message.before |= {each for each in member.got
                               if each.order >= CAUSAL}
        group.messages.append(message)
        self._answer(member, ident)

    def _answer(self, member: ToyMember, ident: str) -> None:
        line = member.line("sent", id=ident)
        if self.rng.random() < 0.8:
            line["view"] = member.group.view_text()
        member.lines.append(line)

    def _send_one(self) -> None:
        present = self._present()
        if not present:
            return
        member = self.rng.choice(present)
        to = self.rng.choice(member.group.members)
        self.sent += 1
        ident, length = f"m{self.sent}", self.rng.randrange(2000)
        order = self.rng.choice(ORDERS)
        member.lines.append(member.line(
            "send", g=member.group.name, id=ident, order=order, len=length,
            to=to.address))
        self._answer(member, ident)
        self.pairs.setdefault((member, to), []).append(to.line(
            "deliver", g=to.group.name, id=ident, order=order, pos=0,
            len=length, ok=True, to_one=True, view=member.group.view_text(),
            **{"from": member.address}))

    def _deliver_one(self) -> None:
        waiting = [(to, queue) for (_, to), queue in self.pairs.items()
                   if queue]
        if waiting:
            to, queue = self.rng.choice(waiting)
            to.queue.append(queue.pop(0))

    def _read(self) -> None:
        member = self.rng.choice(self.members)
        if not member.gone:
            member.read(self.rng.randint(1, 8))

    # Kernels.

    def _order(self) -> None:
        self.rng.choice(self.groups).sequence(self.rng)

    def _deliver(self) -> None:
        present = self._present()
        if not present:
            return
        member = self.rng.choice(present)
        ready = member.group.deliverable(member)
        if ready:
            self._put(member, self.rng.choice(ready))

    def _put(self, member: ToyMember, message: ToyMessage) -> None:
        group = member.group
        if message.order == SAFE:
            for each in _closure(group.total[:group.total.index(message)
                                             + 1]):
                each.stable = True
        member.got.add(message)
        member.position += 1
        member.queue.append(member.line(
            "deliver", g=group.name, id=message.id, view=group.view_text(),
            order=ORDERS[message.order], pos=member.position,
            len=message.length, ok=True,
            **{"from": message.sender.address}))

    def _flush(self, group: ToyGroup) -> None:
        while group.sequence(self.rng):
            pass
        for member in group.members:
            ready = group.deliverable(member)
            while ready:
                self._put(member, self.rng.choice(ready))
                ready = group.deliverable(member)

    def _change(self, group: ToyGroup, members: list[ToyMember]) -> None:
        """A view within the epoch: all is delivered before it."""
        self._flush(group)
        self.sequence += 1
        group.install((self.epoch, self.sequence), members)

    def _join(self, group: ToyGroup) -> None:
        self.names += 1
        member = ToyMember(f"p{self.names}", group,
                           self.rng.choice(self.live))
        self.members.append(member)
        self._change(group, group.members + [member])

    def _some_join(self) -> None:
        if self.names < 12:
            self._join(self.rng.choice(self.groups))

    def _depart(self) -> None:
        """A member leaves, is killed or is evicted."""
        present = self._present()
        if len(present) < 3:
            return
        member = self.rng.choice(present)
        how = self.rng.choice(("left", "crash", "evicted"))
        self._change(member.group,
                     [each for each in member.group.members
                      if each is not member])
        self._drop_pairs_to(member)
        # A leaver that goes on reading is shown the view without it; one
        # that is killed or closes its socket may leave something unread.
        if how == "left" and self.rng.random() < 0.5:
            member.queue.append(member.group.event(member))
            member.read(len(member.queue))
        elif how == "evicted":
            member.read(len(member.queue))
        else:
            member.read(self.rng.randint(0, len(member.queue)))
        member.lines.append(member.line(how))
        member.gone = True

    def _drop_pairs_to(self, member: ToyMember) -> None:
        for (_, to), waiting in self.pairs.items():
            if to is member:
                waiting.clear()

    # Nodes.

    def _lose(self, node: ToyNode) -> list[ToyMember]:
        """The others go on without a node; its members are returned."""
        self.live.remove(node)
        lost = [member for member in self._present()
                if member.node is node]
        before, self.epoch = self.epoch, self.epoch + self.rng.randint(1, 2)
        for each in self.live:
            each.install(self.epoch, before, self.live)
        for group in self.groups:
            group.members = [member for member in group.members
                             if member.node is not node]
            self._forget(group, lost)
        for (sender, to), waiting in self.pairs.items():
            if to in lost:
                waiting.clear()
            elif sender in lost:
                del waiting[self.rng.randint(0, len(waiting)):]
        self._open_epoch()
        return lost

    def _open_epoch(self) -> None:
        for group in self.groups:
            if group.members:
                self._flush(group)
                group.install((self.epoch, 1), group.members)
        self.sequence = 1

    def _forget(self, group: ToyGroup, lost: list[ToyMember]) -> None:
        """Messages of lost members that no survivor must have may vanish;
        places in the total order that are not fixed are given anew. With a
        safe message to come, what the lost have delivered is fixed, too."""
        kept = _closure([message for message in group.messages
                         if message.stable or message.sender not in lost])
        for member in group.members:
            kept |= member.got
        vanished: set[ToyMessage] = set()
        for message in group.messages:
            if message not in kept and \
                    (message.before & vanished or self.rng.random() < 0.5):
                vanished.add(message)
        group.messages = [message for message in group.messages
                          if message not in vanished]
        holders = list(group.members)
        if any(message.order == SAFE for message in group.messages):
            holders += lost
        fixed = 0
        for at, message in enumerate(group.total):
            if message.stable or any(message in member.got
                                     for member in holders):
                fixed = at + 1
        group.total = [message for message in group.total[:fixed]
                       if message not in vanished]

    def _crash_node(self) -> None:
        if len(self.live) < 3 or self.rng.random() < 0.5:
            return
        node = self.rng.choice(self.live)
        for member in self._lose(node):
            member.read(self.rng.randint(0, len(member.queue)))
            member.lines.append(member.line("crash"))
            member.gone = True
        for member in self.members:
            if member.node is node and not member.gone:
                member.lines.append(member.line("crash"))
                member.gone = True

    def _cut_off_node(self) -> None:
        if len(self.live) < 3:
            return
        for member in self._lose(self.rng.choice(self.live)):
            member.queue.append(member.line("suspended"))

    def _bring_back(self) -> None:
        away = [node for node in self.nodes if node not in self.live]
        if not away:
            return
        node = self.rng.choice(away)
        node.inc += 1
        before, self.epoch = self.epoch, self.epoch + 1
        self.live.append(node)
        for each in self.live:
            each.install(self.epoch, before, self.live)
        for member in self.members:
            if member.node is node and not member.gone:
                member.queue.append(member.line("resumed"))
                member.place()
        for group in self.groups:
            back = [member for member in self.members
                    if member.node is node and not member.gone
                    and member.group is group]
            self._flush(group)
            if group.members or back:
                group.install((self.epoch, 1), group.members + back)
        self.sequence = 1


def _closure(messages: list[ToyMessage]) -> set[ToyMessage]:
    """The messages and all that must come before them."""
    found: set[ToyMessage] = set()
    rest = list(messages)
    while rest:
        message = rest.pop()
        if message not in found:
            found.add(message)
            rest += message.before
    return found
