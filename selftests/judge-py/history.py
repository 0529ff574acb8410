# SPDX-License-Identifier: GPL-2.0
"""Reads a history: JSON lines, one event of one member each.

The reader refuses what no program following the format can have written; what
a faulty kernel can have made a program write is taken in and left to the
checks.
"""

from __future__ import annotations

import json
import re
from typing import Any, Callable, Iterable

from finding import Malformed
from run import (ORDERS, Address, Delivery, Member, Message, NodeView, Run,
                 Segment, ViewId, in_order)

_VIEW = re.compile(r"([0-9]{1,20})\.([0-9]{1,20})")
_ADDRESS = re.compile(r"([0-9]{1,10}):([0-9a-fA-F]{1,16}):([0-9]{1,10})")
_NODE = re.compile(r"([0-9]{1,10}):([0-9a-fA-F]{1,16})")
_INC = re.compile(r"[0-9a-fA-F]{1,16}")

_decode = json.JSONDecoder().raw_decode

Line = dict[str, Any]


class Reader:
    """Turns lines into a Run."""

    def __init__(self) -> None:
        self.run = Run()
        self._pending: dict[str, Message] = {}
        self._views: dict[str, ViewId] = {}
        self._addresses: dict[str, Address] = {}
        self._lists: dict[tuple[str, ...], tuple[Address, ...]] = {}
        self._orders = {name: rank for rank, name in enumerate(ORDERS)}
        self._verbs: dict[str, Callable[[Line, int], None]] = {
            "join": self._join, "send": self._send, "sent": self._sent,
            "refused": self._refused, "deliver": self._deliver,
            "view": self._view, "suspended": self._suspended,
            "resumed": self._resumed, "evicted": self._out,
            "left": self._out, "crash": self._close, "end": self._close,
            "epoch": self._epoch,
        }

    def read(self, name: str) -> None:
        """Takes in a file; Malformed says what is wrong with it."""
        try:
            with open(name, "rb") as stream:
                self.take(name, stream)
        except OSError as error:
            raise Malformed(f"{name}: {error.strerror}") from None

    def take(self, name: str, stream: Iterable[bytes]) -> None:
        """Takes in the lines of a stream; name is for what is said of it."""
        run, verbs = self.run, self._verbs
        run.place.open(name, run.lines)
        for raw in stream:
            run.lines += 1
            try:
                text = raw.decode()
                line, end = _decode(text)
                if text[end:].strip():
                    raise Malformed("more than one JSON value in a line")
                if type(line) is not dict:
                    raise Malformed("not a JSON object")
                verb = verbs.get(_text(line, "e"))
                if verb is None:
                    raise Malformed(f"unknown event {line['e']!r}")
                verb(line, run.lines)
            except Malformed as error:
                where = run.place.text(run.lines)
                raise Malformed(f"{where}: {error}") from None
            except (ValueError, RecursionError) as error:
                where = run.place.text(run.lines)
                raise Malformed(f"{where}: not JSON: {error}") from None

    def finish(self) -> Run:
        """Ties deliveries to messages once every line has been read."""
        run = self.run
        for member in run.members.values():
            for delivery in member.deliveries:
                message = run.messages.get(delivery.id)
                delivery.message = message
                if message is not None:
                    message.deliveries.append(delivery)
            last = member.segment
            if last is not None and member.correct():
                last.stays = not last.suspended
        run.node_views = in_order(run.node_views)
        return run

    # Values of fields.

    def _view_id(self, line: Line, key: str = "view") -> ViewId:
        text = _text(line, key)
        view = self._views.get(text)
        if view is None:
            match = _VIEW.fullmatch(text)
            if match is None:
                raise Malformed(f'"{key}": {text!r} is not epoch.seq')
            view = (int(match[1]), int(match[2]))
            self._views[text] = view
        return view

    def _address(self, text: Any, key: str) -> Address:
        address = self._addresses.get(text) if type(text) is str else None
        if address is None:
            match = _ADDRESS.fullmatch(text) if type(text) is str else None
            if match is None:
                raise Malformed(f'"{key}": {text!r} is not node:inc:port')
            address = (int(match[1]), int(match[2], 16), int(match[3]))
            self._addresses[text] = address
        return address

    def _member_list(self, line: Line) -> tuple[Address, ...]:
        texts = line.get("members")
        if type(texts) is not list:
            raise Malformed('"members": missing or not a list')
        try:
            members = self._lists.get(tuple(texts))
        except TypeError:
            members = None
        if members is None:
            members = tuple(self._address(text, "members") for text in texts)
            self._lists[tuple(texts)] = members
        return members

    def _order(self, line: Line) -> int:
        order = self._orders.get(_text(line, "order"))
        if order is None:
            raise Malformed(f'"order": {line["order"]!r} is not an order')
        return order

    def _member(self, line: Line) -> Member:
        """The member that a line is of, its clock one tick further."""
        name = _text(line, "m")
        member = self.run.members.get(name)
        if member is None:
            raise Malformed(f"member {name} has not joined")
        if member.closed is not None:
            raise Malformed(f"member {name} has a line after its"
                            f" {member.closed}")
        member.tick += 1
        return member

    # Events.

    def _join(self, line: Line, at: int) -> None:
        name = _text(line, "m")
        if name in self.run.members:
            raise Malformed(f"member {name} joins twice")
        self.run.members[name] = Member(name, _text(line, "g"), at)

    def _send(self, line: Line, at: int) -> None:
        member = self._member(line)
        ident = _text(line, "id")
        if ident in self.run.messages:
            raise Malformed(f"message {ident} is sent twice")
        if _text(line, "g") != member.group:
            raise Malformed(f"member {member.name} sends to group"
                            f" {line['g']}, but joined {member.group}")
        to = self._address(line["to"], "to") if "to" in line else None
        message = Message(ident, member, self._order(line),
                          _count(line, "len"), to, at)
        self.run.messages[ident] = message
        self._pending[ident] = message
        member.sends.append(message)

    def _answer(self, line: Line) -> Message:
        member = self._member(line)
        ident = _text(line, "id")
        message = self._pending.pop(ident, None)
        if message is None or message.sender is not member:
            raise Malformed(f"member {member.name} has no message {ident}"
                            " that waits for an answer")
        message.answered = member.tick
        return message

    def _sent(self, line: Line, at: int) -> None:
        message = self._answer(line)
        message.sent = True
        if "view" in line:
            message.told = message.stamp = self._view_id(line)

    def _refused(self, line: Line, at: int) -> None:
        self._answer(line).refused = _text(line, "errno")

    def _deliver(self, line: Line, at: int) -> None:
        member = self._member(line)
        delivery = Delivery(member, _text(line, "id"), at)
        delivery.group = _text(line, "g")
        delivery.source = self._address(line.get("from"), "from")
        delivery.view = self._view_id(line)
        delivery.order = self._order(line)
        delivery.length = _count(line, "len")
        delivery.intact = _flag(line, "ok")
        _count(line, "pos")
        if "to_one" in line:
            delivery.to_one = _flag(line, "to_one")
        if "lamport" in line:
            delivery.lamport = _count(line, "lamport")
        member.deliveries.append(delivery)
        segment = member.segment
        if segment is not None and not delivery.to_one:
            segment.deliveries.append(delivery)
            segment.ids.add(delivery.id)

    def _view(self, line: Line, at: int) -> None:
        member = self._member(line)
        if _text(line, "g") != member.group:
            raise Malformed(f"member {member.name} sees a view of group"
                            f" {line['g']}, but joined {member.group}")
        own = self._address(line.get("self"), "self")
        segment = Segment(member, self._view_id(line),
                          self._member_list(line), own, at)
        last = member.segment
        if last is not None and not last.suspended and not member.barred:
            last.next = segment
        member.segment = segment
        member.segments.append(segment)
        member.addresses.add(own)

    def _suspended(self, line: Line, at: int) -> None:
        member = self._member(line)
        self._optional_view(line)
        member.suspensions.append(member.tick)
        if member.barred is None:
            member.barred = "suspended"
        if member.segment is not None:
            member.segment.suspended = True

    def _resumed(self, line: Line, at: int) -> None:
        member = self._member(line)
        self._optional_view(line)
        if member.barred == "suspended":
            member.barred = None

    def _out(self, line: Line, at: int) -> None:
        member = self._member(line)
        self._optional_view(line)
        member.barred = line["e"]

    def _close(self, line: Line, at: int) -> None:
        member = self._member(line)
        if line["e"] == "end" and member.barred in ("left", "evicted"):
            raise Malformed(f"member {member.name} is no member at the end:"
                            f" it has {member.barred}")
        member.closed = line["e"]

    def _epoch(self, line: Line, at: int) -> None:
        inc = _text(line, "inc")
        if _INC.fullmatch(inc) is None:
            raise Malformed(f'"inc": {inc!r} is not hexadecimal')
        nodes = line.get("nodes")
        if type(nodes) is not list:
            raise Malformed('"nodes": missing or not a list')
        view = NodeView(
            _count(line, "n"), int(inc, 16), _count(line, "epoch"),
            _count(line, "before"), tuple(map(_node, nodes)),
            _count(line, "at") if "at" in line else None, at)
        if "quorum" in line:
            view.free = not _flag(line, "quorum")
        self.run.node_views.append(view)

    def _optional_view(self, line: Line) -> None:
        if "view" in line:
            self._view_id(line)


def _text(line: Line, key: str) -> str:
    value = line.get(key)
    if type(value) is not str or not value:
        raise Malformed(f'"{key}": missing or not a text')
    return value


def _count(line: Line, key: str) -> int:
    value = line.get(key)
    if type(value) is not int or value < 0:
        raise Malformed(f'"{key}": missing or not a count')
    return value


def _flag(line: Line, key: str) -> bool:
    value = line.get(key)
    if type(value) is not bool:
        raise Malformed(f'"{key}": missing or not true or false')
    return value


def _node(text: Any) -> tuple[int, int]:
    match = _NODE.fullmatch(text) if type(text) is str else None
    if match is None:
        raise Malformed(f'"nodes": {text!r} is not id:inc')
    return int(match[1]), int(match[2], 16)


def read(names: list[str]) -> Run:
    """The run that the files are the history of, all of them together."""
    reader = Reader()
    for name in names:
        reader.read(name)
    return reader.finish()
