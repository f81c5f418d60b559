# SPDX-License-Identifier: Apache-2.0
"""Counting checks: each is named by what must be so, and one that is not so says what was found."""
import sys


class Checks:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def that(self, what, holds, found=""):
        if holds:
            self.passed += 1
            return True
        self.failed += 1
        print("FAILED: %s%s" % (what, ": %s" % (found,) if found != "" else ""), flush=True)
        return False

    def equal(self, what, got, want):
        return self.that(what, got == want, "got %s, want %s" % (got, want))

    def near(self, what, got, want, tolerance=1e-9):
        close = got is not None and abs(got - want) <= tolerance * max(1.0, abs(want))
        return self.that(what, close, "got %s, want %s" % (got, want))

    def skip(self, what, why):
        self.skipped += 1
        print("skipped: %s: %s" % (what, why), flush=True)

    def finish(self):
        if self.skipped:
            print("skipped: %d" % self.skipped)
        print("%d passed, %d failed" % (self.passed, self.failed), flush=True)
        sys.exit(1 if self.failed else 0)
