#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Runs the judge's tests, with a line of TAP for each."""

from __future__ import annotations

import os
import sys
import unittest
from typing import Any

sys.dont_write_bytecode = True


class Tap(unittest.TestResult):
    """Prints results as they come, and what failed with its trace."""

    def __init__(self, *words: Any) -> None:
        super().__init__(*words)
        self._failures_before = self._errors_before = 0

    def startTest(self, test: unittest.TestCase) -> None:
        """Remembers how many faults there were before this test."""
        super().startTest(test)
        self._failures_before = len(self.failures)
        self._errors_before = len(self.errors)

    def stopTest(self, test: unittest.TestCase) -> None:
        """The verdict: a test fails if it added a fault, or a subtest did."""
        super().stopTest(test)
        faults = (self.failures[self._failures_before:]
                  + self.errors[self._errors_before:])
        for _, trace in faults[:3]:
            print("# " + trace.rstrip().replace("\n", "\n# "))
        print(f"{'not ok' if faults else 'ok'} {self.testsRun} - {test.id()}",
              flush=True)


def main() -> int:
    """Exit status 1 if a test failed or none was found."""
    here = os.path.dirname(os.path.abspath(__file__))
    result = Tap()
    unittest.defaultTestLoader.discover(here).run(result)
    print(f"1..{result.testsRun}")
    return 0 if result.wasSuccessful() and result.testsRun else 1


if __name__ == "__main__":
    sys.exit(main())
