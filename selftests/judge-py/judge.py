#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Judges histories of group members by the properties V1 to V13.

The second of two judges: written from the text of the properties alone, it
shares no code with the one in C. V11 is looked at only as one view at the
end; V12 (state transfer) leaves no trace in a history yet.
"""

from __future__ import annotations

import argparse
import gc
import sys

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import agreement  # noqa: E402
import delivery  # noqa: E402
import history  # noqa: E402
import order  # noqa: E402
import stamps  # noqa: E402
import views  # noqa: E402
from finding import Findings, Malformed  # noqa: E402
from run import Run  # noqa: E402


def judge(run: Run) -> Findings:
    """All violations in a run, by property and place."""
    findings = Findings()
    stamps.settle(run)
    views.check(run, findings)
    delivery.check(run, findings)
    agreement.check(run, findings)
    order.check(run, findings)
    findings.all.sort()
    return findings


def _report(run: Run, findings: Findings, limit: int, label: str) -> None:
    printed: dict[int, int] = {}
    for violation in findings.all:
        count = printed[violation.rule] = printed.get(violation.rule, 0) + 1
        if not limit or count <= limit:
            print(f"{run.place.text(violation.line)}: V{violation.rule}:"
                  f" {violation.what}")
    for rule, count in printed.items():
        if limit and count > limit:
            print(f"V{rule}: {count - limit} more violations not shown")
    print(f"judge.py: {label}{run.lines} lines, {len(run.members)} members,"
          f" {len(run.messages)} messages, {len(run.views())} views,"
          f" {len(findings.all)} violations", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="judge.py",
        description="Judges histories (JSON lines) of group members.",
        epilog="Exit status: 0 no violation, 1 violations, 2 malformed input"
               " or usage.")
    parser.add_argument("--each", action="store_true",
                        help="every file is a history of its own (without:"
                             " all files together are one)")
    parser.add_argument("--limit", type=int, default=10, metavar="N",
                        help="show N violations of a property (default 10,"
                             " 0: all)")
    parser.add_argument("files", nargs="+", metavar="FILE")
    arguments = parser.parse_args()
    if arguments.limit < 0:
        parser.error(f"--limit: {arguments.limit} is not a count")
    return arguments


def main() -> int:
    """The program; returns its exit status."""
    arguments = _arguments()
    # Nothing is garbage before its history is done with: not worth a look.
    gc.disable()
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore
    sys.stderr.reconfigure(errors="backslashreplace")  # type: ignore
    batches = [[name] for name in arguments.files] if arguments.each \
        else [arguments.files]
    status = 0
    for batch in batches:
        try:
            run = history.read(batch)
        except Malformed as error:
            print(f"{error}", file=sys.stderr, flush=True)
            status = 2
            continue
        findings = judge(run)
        label = f"{batch[0]}: " if arguments.each else ""
        _report(run, findings, arguments.limit, label)
        if findings.all:
            status = max(status, 1)
        del run, findings
        gc.collect()
    return status


if __name__ == "__main__":
    sys.exit(main())
