#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What is no history is refused by file and line, and the program's words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import unittest
from typing import Any

sys.dont_write_bytecode = True

import history  # noqa: E402
from finding import Malformed  # noqa: E402
from story import Story  # noqa: E402

JUDGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "judge.py")


class Refused(unittest.TestCase):
    """Malformed input."""

    def refused(self, raw: list[bytes], said: str) -> None:
        """The last of the lines is refused with such words."""
        reader = history.Reader()
        with self.assertRaises(Malformed) as caught:
            reader.take("file", raw)
        self.assertRegex(str(caught.exception), rf"^file:{len(raw)}: ")
        self.assertIn(said, str(caught.exception))

    def after(self, story: Story, said: str, /, **line: Any) -> None:
        """The line, put after the story, is refused."""
        raw = [json.dumps(each).encode() for each in story.lines]
        self.refused(raw + [json.dumps(line).encode()], said)

    def test_not_json(self) -> None:
        for raw in (b'{"e":"join"', b"\n", b"x\n", b'{"e":1}{"e":2}\n',
                    b"[1]\n", b'"e"\n', b"\xff\n", b"[" * 100000,
                    b'{"e":"join","m":"a","g":"g"} {}\n'):
            self.refused([raw], "")

    def test_unknown_event(self) -> None:
        self.refused([b'{"e":"jump"}\n'], "'jump'")
        self.refused([b'{"m":"a"}\n'], '"e"')

    def test_not_joined(self) -> None:
        self.after(Story(), "a has not joined", e="crash", m="a")

    def test_joins_twice(self) -> None:
        self.after(Story().view("a", "1.1"), "twice", e="join", m="a", g="g")

    def test_after_crash_or_end(self) -> None:
        for last in ("crash", "end"):
            story = Story().view("a", "1.1").tell("a", last)
            self.after(story, f"after its {last}", e="left", m="a")

    def test_end_after_left(self) -> None:
        story = Story().view("a", "1.1").tell("a", "left")
        self.after(story, "no member at the end", e="end", m="a")

    def test_id_twice(self) -> None:
        story = Story().view("a", "1.1").send("a", "m1")
        self.after(story, "m1 is sent twice", e="send", m="a", g="g", id="m1",
                   order="total", len=1)

    def test_answers(self) -> None:
        story = Story().view("a b", "1.1").send("a", "m1")
        self.after(story, "waits for an answer", e="sent", m="a", id="m1")
        self.after(story, "waits for an answer", e="sent", m="a", id="m2")
        story = Story().view("a b", "1.1").send("a", "m1", answer="")
        self.after(story, "waits for an answer", e="refused", m="b", id="m1",
                   errno="EAGAIN")

    def test_other_group(self) -> None:
        story = Story().view("a", "1.1")
        self.after(story, "joined g", e="send", m="a", g="h", id="m1",
                   order="total", len=1)
        self.after(story, "joined g", e="view", m="a", g="h", view="1.2",
                   self="1:a:1", members=["1:a:1"])

    def test_fields(self) -> None:
        story = Story().view("a", "1.1").send("a", "m1").deliver("a", "m1")
        good = story.lines.pop()
        for key, value in (("m", None), ("m", 1), ("g", None), ("id", None),
                           ("from", "1:a"), ("from", "1:g:1"), ("from", None),
                           ("view", "1"), ("view", "1.x"), ("view", "-1.1"),
                           ("view", "1.1 "), ("order", "best"), ("pos", "1"),
                           ("pos", -1), ("pos", True), ("pos", 1.0),
                           ("len", None), ("ok", 1), ("to_one", 1),
                           ("lamport", "7"), ("lamport", None)):
            with self.subTest(key=key, value=value):
                self.after(story, f'"{key}"', **{**good, key: value})

    def test_lists(self) -> None:
        story = Story().view("a", "1.1")
        view = story.lines.pop()
        values: tuple[Any, ...] = (None, "1:a:1", [1], [[]], ["1:a"], {})
        for value in values:
            self.after(story, '"members"', **{**view, "members": value})
        epoch = Story().epoch("a", 1).lines[0]
        for key, value in (("nodes", None), ("nodes", ["1"]), ("inc", "x"),
                           ("epoch", "1"), ("before", None), ("n", "x"),
                           ("nodes", [1]), ("quorum", 0), ("at", "x")):
            self.after(Story(), f'"{key}"', **{**epoch, key: value})

    def test_other_keys_are_let_be(self) -> None:
        reader = history.Reader()
        reader.take("file", [b'{"e":"join","m":"a","g":"g","why":[{}]}'])
        self.assertEqual(["a"], list(reader.run.members))


class Program(unittest.TestCase):
    """Exit status and what is printed."""

    def setUp(self) -> None:
        # pylint: disable=consider-using-with
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)

    def file(self, name: str, lines: list[dict[str, Any]]) -> str:
        """Writes a history."""
        path = os.path.join(self.directory.name, name)
        with open(path, "w", encoding="utf-8") as stream:
            for line in lines:
                stream.write(json.dumps(line) + "\n")
        return path

    def run_judge(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs the program in the strictest mode."""
        return subprocess.run([sys.executable, "-W", "error", JUDGE, *words],
                              text=True, capture_output=True, check=False)

    def test_good(self) -> None:
        story = Story().view("a b", "1.1").send("a", "m1")
        path = self.file("good", story.deliver("a b", "m1").end("a b").lines)
        done = self.run_judge(path)
        self.assertEqual((0, "judge.py: 10 lines, 2 members, 1 messages,"
                          " 1 views, 0 violations\n", ""),
                         (done.returncode, done.stdout, done.stderr))

    def test_bad(self) -> None:
        story = Story().view("a b", "1.1").send("a", "m1")
        path = self.file("bad", story.deliver("b", "m1 m1").lines)
        done = self.run_judge(path)
        self.assertEqual(1, done.returncode)
        self.assertIn(f"{path}:8: V3: message m1 at member b is delivered"
                      f" twice, first at {path}:7\n", done.stdout)
        self.assertTrue(done.stdout.endswith(" 1 violations\n"), done.stdout)

    def test_malformed(self) -> None:
        path = self.file("odd", [{"e": "jump"}])
        done = self.run_judge(path)
        self.assertEqual((2, "", f"{path}:1: unknown event 'jump'\n"),
                         (done.returncode, done.stdout, done.stderr))

    def test_no_file(self) -> None:
        path = os.path.join(self.directory.name, "none")
        done = self.run_judge(path)
        self.assertEqual((2, f"{path}: No such file or directory\n"),
                         (done.returncode, done.stderr))

    def test_usage(self) -> None:
        self.assertEqual(2, self.run_judge().returncode)
        self.assertEqual(2, self.run_judge("--limit", "-1", "x").returncode)

    def test_files_of_one_history(self) -> None:
        story = Story().view("a b", "1.1").send("a", "m1")
        lines = story.deliver("a b", "m1").end("a b").lines
        one = self.file("a", [line for line in lines if line["m"] == "a"])
        two = self.file("b", [line for line in lines if line["m"] == "b"])
        self.assertEqual(0, self.run_judge(two, one).returncode)
        done = self.run_judge("--each", two, one)
        self.assertEqual(1, done.returncode)
        self.assertIn(f"{two}:3: V3: message m1 at member b was never sent\n",
                      done.stdout)
        self.assertIn(f"judge.py: {one}: 6 lines,", done.stdout)

    def test_limit(self) -> None:
        story = Story().view("a", "1.1").send("a", "m1")
        path = self.file("bad", story.deliver("a", "m1 " * 15).lines)
        done = self.run_judge(path)
        self.assertEqual(10, done.stdout.count(": V3: "))
        self.assertIn("V3: 4 more violations not shown\n", done.stdout)
        self.assertIn(" 14 violations\n", done.stdout)
        done = self.run_judge("--limit", "0", path)
        self.assertEqual(14, done.stdout.count(": V3: "))


if __name__ == "__main__":
    unittest.main()
