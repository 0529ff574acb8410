#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Random histories: good ones are judged good, and one fault in them is found.

Each fault is put where it must be one: at a member that goes on, at messages
whose order is promised. It is looked for with nothing but the lines.
"""

from __future__ import annotations

import copy
import random
import sys
import unittest
from typing import Callable, Iterator

sys.dont_write_bytecode = True

from story import judged  # noqa: E402
from toy import Line, Toy  # noqa: E402

SEEDS = 150


class Stay:
    """One member's time in one view that it goes on from."""

    def __init__(self, member: str, view: Line) -> None:
        self.member = member
        self.view = view
        self.after = ""
        self.reads: list[Line] = []


def stays(lines: list[Line]) -> Iterator[Stay]:
    """All times in a view that end in the next or at the quiet end."""
    open_stays: dict[str, Stay] = {}
    for line in lines:
        name = line.get("m", "")
        stay = open_stays.get(name)
        if line["e"] == "view":
            if stay:
                stay.after = line["view"]
                yield stay
            open_stays[name] = Stay(name, line)
        elif line["e"] == "end" and stay:
            stay.after = "end"
            yield stay
        elif line["e"] == "suspended":
            open_stays.pop(name, None)
        elif line["e"] == "deliver" and stay and "to_one" not in line:
            stay.reads.append(line)


def together(lines: list[Line]) -> list[Stay]:
    """Stays that another member shares from view to view."""
    found: dict[tuple[str, str, str], list[Stay]] = {}
    for stay in stays(lines):
        key = (stay.view["g"], stay.view["view"], stay.after)
        found.setdefault(key, []).append(stay)
    return [stay for each in found.values() if len(each) > 1
            for stay in each]


def senders(lines: list[Line]) -> dict[str, str]:
    """Who sent which message."""
    return {line["id"]: line["m"] for line in lines if line["e"] == "send"}


def swap(lines: list[Line], one: Line, two: Line) -> None:
    """Exchanges two lines (by identity: equal lines are not the same)."""
    at = next(i for i, line in enumerate(lines) if line is one)
    to = next(i for i, line in enumerate(lines) if line is two)
    lines[at], lines[to] = lines[to], lines[at]


def drop(lines: list[Line], *which: Line) -> None:
    """Takes lines out."""
    gone = set(map(id, which))
    lines[:] = [line for line in lines if id(line) not in gone]


def adjacent(stay: Stay) -> list[tuple[Line, Line]]:
    """Messages to all that were read one after the other."""
    return list(zip(stay.reads, stay.reads[1:]))


def fault_drop(lines: list[Line], rng: random.Random) -> int:
    """V2: one of those who go on together lacks a message."""
    some = [stay for stay in together(lines) if stay.reads]
    if not some:
        return 0
    drop(lines, rng.choice(rng.choice(some).reads))
    return 2


def fault_twice(lines: list[Line], rng: random.Random) -> int:
    """V3: a message comes again at once."""
    reads = [line for line in lines if line["e"] == "deliver"]
    if not reads:
        return 0
    line = rng.choice(reads)
    lines.insert(next(i for i, each in enumerate(lines) if each is line),
                 dict(line))
    return 3


def fault_bytes(lines: list[Line], rng: random.Random) -> int:
    """V3: a message comes with other bytes, length, order or sender."""
    reads = [line for line in lines if line["e"] == "deliver"]
    if not reads:
        return 0
    line = rng.choice(reads)
    key, value = rng.choice([("ok", False), ("len", line["len"] + 1),
                             ("from", "99:9:9"), ("id", "m0"), ("order",
                             "fifo" if line["order"] == "none" else "none")])
    line[key] = value
    return 3


def fault_stamp(lines: list[Line], rng: random.Random) -> int:
    """V4: a message comes one view late, or with another stamp."""
    some = [stay for stay in stays(lines)
            if stay.reads and stay.after != "end"]
    if not some:
        return 0
    stay = rng.choice(some)
    if rng.random() < 0.5:
        rng.choice(stay.reads)["view"] = stay.after
        return 4
    view = next(line for line in lines if line["e"] == "view"
                and line["m"] == stay.member and line["view"] == stay.after)
    swap(lines, stay.reads[-1], view)
    return 4


def fault_fifo(lines: list[Line], rng: random.Random) -> int:
    """V5: two of one sender change places, at whatever member."""
    sender = senders(lines)
    return _exchange(lines, rng, 5, lambda one, two: (
        sender[one["id"]] == sender[two["id"]]
        and "none" not in (one["order"], two["order"])))


def fault_causal(lines: list[Line], rng: random.Random) -> int:
    """V6: an effect comes before its cause."""
    causes: dict[str, set[str]] = {}
    read: dict[str, set[str]] = {}
    for line in lines:
        if line.get("order") in ("causal", "total", "safe") \
                and "to" not in line and "to_one" not in line:
            known = read.setdefault(line["m"], set())
            if line["e"] == "send":
                causes[line["id"]] = set(known)
            known.add(line["id"])
    weak = ("none", "fifo")
    return _exchange(lines, rng, 6, lambda one, two: (
        one["id"] in causes.get(two["id"], ())
        and one["order"] not in weak and two["order"] not in weak))


def _exchange(lines: list[Line], rng: random.Random, rule: int,
              bound: Callable[[Line, Line], bool]) -> int:
    pairs = [pair for stay in stays(lines) for pair in adjacent(stay)
             if bound(*pair)]
    if not pairs:
        return 0
    swap(lines, *rng.choice(pairs))
    return rule


def fault_total(lines: list[Line], rng: random.Random) -> int:
    """V7: two change places at one of those who go on together."""
    strong = ("total", "safe")
    pairs = [pair for stay in together(lines) for pair in adjacent(stay)
             if pair[0]["order"] in strong and pair[1]["order"] in strong]
    if not pairs:
        return 0
    swap(lines, *rng.choice(pairs))
    return 7


def fault_safe(lines: list[Line], rng: random.Random) -> int:
    """V8: one that goes on lacks a safe message."""
    reads = [line for stay in together(lines) for line in stay.reads
             if line["order"] == "safe"]
    if not reads:
        return 0
    drop(lines, rng.choice(reads))
    return 8


def fault_safe_crash(lines: list[Line], rng: random.Random) -> int:
    """V8: a safe message remains with one member, which crashes."""
    members = {line["m"] for line in lines if line["e"] == "end"}
    rest = [stay for stay in together(lines) if stay.member in members]
    safe = [line for stay in rest for line in stay.reads
            if line["order"] == "safe"]
    if not safe:
        return 0
    ident = rng.choice(safe)["id"]
    holders = [stay for stay in rest
               if any(line["id"] == ident for line in stay.reads)]
    victim = rng.choice(holders)
    drop(lines, *[line for line in lines if line["e"] == "deliver"
                  and line["id"] == ident and line["m"] != victim.member])
    at = next(i for i, line in enumerate(lines) if line["e"] == "deliver"
              and line["id"] == ident)
    later = [line for line in lines[at + 1:]
             if line.get("m") == victim.member]
    drop(lines, *later)
    lines.append({"e": "crash", "m": victim.member})
    return 8 if len(holders) > 1 else -1


def fault_own(lines: list[Line], rng: random.Random) -> int:
    """V9: a member that goes on lacks a message of its own, of a view that
    it was told (else nobody may know by then which view that was)."""
    sender = senders(lines)
    accepted = {line["id"] for line in lines
                if line["e"] == "sent" and "view" in line}
    reads = [line for stay in stays(lines) for line in stay.reads
             if sender[line["id"]] == stay.member and line["id"] in accepted]
    if not reads:
        return 0
    drop(lines, rng.choice(reads))
    return 9


def fault_list(lines: list[Line], rng: random.Random) -> int:
    """V1: one member sees other ranks, or an id that does not grow."""
    seen: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        if line["e"] == "view":
            seen.setdefault((line["g"], line["view"]), []).append(line)
    shared = [line for each in seen.values() if len(each) > 1
              for line in each if len(line["members"]) > 1]
    if not shared:
        return 0
    rng.choice(shared)["members"].reverse()
    return 1


def fault_chain(lines: list[Line], rng: random.Random) -> int:
    """V10: two nodes install different views of one epoch."""
    by_epoch: dict[int, list[Line]] = {}
    for line in lines:
        if line["e"] == "epoch":
            by_epoch.setdefault(line["epoch"], []).append(line)
    line = rng.choice(rng.choice([each for each in by_epoch.values()
                                  if len(each) > 1]))
    line["nodes"] = line["nodes"][::-1]
    return 10


def fault_loss(lines: list[Line], rng: random.Random) -> int:
    """V13: a message accepted from one that is there at the end vanishes."""
    ends = {line["m"] for line in lines if line["e"] == "end"}
    away = {line["m"] for line in lines if line["e"] == "suspended"}
    accepted = [line["id"] for line in lines if line["e"] == "sent"
                and line["m"] in ends - away]
    to = {line["id"]: line["to"] for line in lines if "to" in line}
    homes = {line["self"] for line in lines if line["e"] == "view"
             and line["m"] in ends - away}
    accepted = [ident for ident in accepted
                if ident not in to or to[ident] in homes]
    if not accepted:
        return 0
    ident = rng.choice(accepted)
    drop(lines, *[line for line in lines if line["e"] == "deliver"
                  and line["id"] == ident])
    return 13


FAULTS = (fault_drop, fault_twice, fault_bytes, fault_stamp, fault_fifo,
          fault_causal, fault_total, fault_safe, fault_safe_crash, fault_own,
          fault_list, fault_chain, fault_loss)


class RandomHistories(unittest.TestCase):
    """Toys of several sizes."""

    histories: dict[int, list[Line]] = {}

    @classmethod
    def setUpClass(cls) -> None:
        sizes = ((4, 2, 250), (3, 1, 400), (6, 3, 500))
        cls.histories = {
            seed: Toy(seed, *sizes[seed % len(sizes)]).history()
            for seed in range(SEEDS)}

    def test_good(self) -> None:
        for seed, lines in self.histories.items():
            with self.subTest(seed=seed):
                self.assertEqual([], judged(lines).all)

    def test_faults(self) -> None:
        for fault in FAULTS:
            count = 0
            for seed, good in self.histories.items():
                lines = copy.deepcopy(good)
                rule = fault(lines, random.Random(seed))
                if rule > 0:
                    count += 1
                    with self.subTest(fault=fault.__name__, seed=seed):
                        self.assertIn(rule, judged(lines).rules())
            self.assertGreater(count, SEEDS // 3, fault.__name__)


if __name__ == "__main__":
    unittest.main()
