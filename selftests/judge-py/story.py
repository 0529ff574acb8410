# SPDX-License-Identifier: GPL-2.0
"""Small histories for tests, told line by line in the words of the format."""

from __future__ import annotations

import json
from typing import Any

import history
import judge
from finding import Findings

Line = dict[str, Any]


def judged(lines: list[Line]) -> Findings:
    """What the judge finds in a history given as objects."""
    reader = history.Reader()
    reader.take("story", [json.dumps(line).encode() for line in lines])
    return judge.judge(reader.finish())


class Story:
    """Members of one letter each, on a node each, in group g.

    Verbs fill in what follows from the lines before; keywords overrule it.
    Several members, views or messages are given as words of one text.
    """

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._sends: dict[str, Line] = {}
        self._stamps: dict[str, str] = {}
        self._views: dict[str, str] = {}
        self._joined: set[str] = set()

    @staticmethod
    def address(name: str) -> str:
        """Member "b" is 2:b:1, on node 2."""
        return f"{ord(name[0]) - 96}:{name[0]}:1"

    def add(self, event: str, member: str, /, **fields: Any) -> Line:
        """One line as it is; the member joins first if it has not."""
        if member not in self._joined and event != "join":
            self.add("join", member, g="g")
        self._joined.add(member)
        line = {"e": event, "m": member, **fields}
        self.lines.append(line)
        return line

    def view(self, members: str, view: str, listed: str | None = None, /,
             **fields: Any) -> Story:
        """The members see a view of themselves, or of those listed."""
        for name in members.split():
            names = (listed or members).split()
            self._views[name] = view
            self.add("view", name, **{
                "g": "g", "view": view, "self": self.address(name),
                "members": [self.address(each) for each in names], **fields})
        return self

    def send(self, member: str, ids: str, order: str = "total",
             answer: str = "sent", to: str | None = None,
             stamp: str | None = None) -> Story:
        """A member sends in the view it is in; answer "" for none."""
        for ident in ids.split():
            line = self.add("send", member, g="g", id=ident, order=order,
                            len=10)
            if to:
                line["to"] = self.address(to)
            self._sends[ident] = line
            view = self._views.get(member, "1.1") if stamp is None else stamp
            self._stamps[ident] = view
            if answer == "sent":
                self.add("sent", member, id=ident, view=view)
            elif answer == "silent":
                self.add("sent", member, id=ident)
            elif answer:
                self.add("refused", member, id=ident, errno=answer)
        return self

    def deliver(self, members: str, ids: str, **fields: Any) -> Story:
        """Each of the members reads the messages in the order given."""
        for name in members.split():
            for ident in ids.split():
                send = self._sends.get(ident, {
                    "m": name, "order": "total", "len": 10})
                line: Line = {
                    "g": "g", "id": ident, "from": self.address(send["m"]),
                    "view": self._stamps.get(ident, "1.1"),
                    "order": send["order"], "pos": 1, "len": send["len"],
                    "ok": True}
                if "to" in send:
                    line["to_one"] = True
                line.update(fields)
                self.add("deliver", name, **line)
        return self

    def tell(self, members: str, *events: str) -> Story:
        """Events without fields: suspended, left, crash, end ..."""
        for name in members.split():
            for event in events:
                self.add(event, name)
        return self

    def end(self, members: str) -> Story:
        """The members are there at the end."""
        return self.tell(members, "end")

    def epoch(self, nodes: str, epoch: int, before: int = 0,
              listed: str | None = None, **fields: Any) -> Story:
        """The nodes of these members install a node view of themselves, now
        (at=None: it is not said when)."""
        for name in nodes.split():
            names = (listed or nodes).split()
            line: Line = {
                "e": "epoch", "n": ord(name) - 96, "inc": name,
                "epoch": epoch, "before": before,
                "nodes": [f"{ord(each) - 96}:{each}" for each in names],
                "at": len(self.lines), **fields}
            if line["at"] is None:
                del line["at"]
            self.lines.append(line)
        return self

    def rules(self) -> list[int]:
        """The properties broken."""
        return judged(self.lines).rules()
