# SPDX-License-Identifier: GPL-2.0
"""What a judge has to say: violations of a property, and malformed input."""

from __future__ import annotations

from bisect import bisect_right
from typing import Iterable, NamedTuple


class Malformed(Exception):
    """The input is not a history; the text names file, line and reason."""


class Place:
    """Turns a running line number over all files into file:line.

    Everything in a run carries one integer only, which keeps the objects of a
    long history small.
    """

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._files: list[str] = []

    def open(self, name: str, lines_before: int) -> None:
        """The lines after lines_before are those of the file name."""
        self._starts.append(lines_before)
        self._files.append(name)

    def text(self, line: int) -> str:
        """file:line of a running line number, which counts from 1."""
        at = bisect_right(self._starts, line - 1) - 1
        return f"{self._files[at]}:{line - self._starts[at]}"


class Violation(NamedTuple):
    """One breach: number of the property, where, and what happened."""

    rule: int
    line: int
    what: str


class Findings:
    """Collects the violations of one history."""

    def __init__(self) -> None:
        self.all: list[Violation] = []

    def add(self, rule: int, line: int, what: str) -> None:
        """Notes that property V<rule> is broken at a line."""
        self.all.append(Violation(rule, line, what))

    def rules(self) -> list[int]:
        """The numbers of the properties broken, each once, in order."""
        return sorted({violation.rule for violation in self.all})


def some(names: Iterable[str], limit: int = 5) -> str:
    """Lists the first few names; says how many more there are."""
    chosen = sorted(names)
    text = " ".join(chosen[:limit])
    if len(chosen) > limit:
        text += f" and {len(chosen) - limit} more"
    return text
