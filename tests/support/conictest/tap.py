# SPDX-License-Identifier: LGPL-2.1-or-later
"""Test cases with a watchdog, reported as TAP."""

import faulthandler
import os
import signal
import shutil
import sys
import tempfile
import time
import traceback
import unittest

SANITIZED = bool(os.environ.get("CONIC_TEST_PRELOAD"))
QUICK = bool(os.environ.get("CONIC_TEST_QUICK"))

# Under sanitizers everything takes longer, and a machine that builds at the same time is slower
# still.
PATIENCE = 3 if SANITIZED else 1.5

# How long the watchdog gives a case after its own time before the whole program is ended.
GRACE_SECONDS = 30


def seconds(n):
    """A deadline of n seconds on an ordinary machine, stretched where everything takes longer."""
    return n * PATIENCE


def scaled(full, quick):
    """The size of a transfer: `full`, or `quick` where time matters more."""
    return quick if QUICK else full


class Watchdog(Exception):
    """A case took longer than it may."""


class TestCase(unittest.TestCase):
    """A case with a directory of its own, children that are judged at its end, and a watchdog.

    `limit` is how many seconds (before `PATIENCE`) each case of the class may take.
    """

    limit = 60

    def setUp(self):
        self.processes = []
        self.directory = tempfile.mkdtemp(prefix="conic-test-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.addCleanup(self._end_processes)
        self._arm(seconds(self.limit))
        self.addCleanup(self._disarm)

    def path(self, name):
        """The path of a file in the case's own directory."""
        return os.path.join(self.directory, name)

    def adopt(self, process):
        """Hands a process to the case, which ends and judges it."""
        self.processes.append(process)
        return process

    def _arm(self, limit):
        def bark(_signal, _frame):
            raise Watchdog(f"the case took longer than {limit:.0f} s")

        signal.signal(signal.SIGALRM, bark)
        signal.setitimer(signal.ITIMER_REAL, limit)
        faulthandler.dump_traceback_later(limit + GRACE_SECONDS, exit=True)

    def _disarm(self):
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _end_processes(self):
        # The last one started goes first, so that the hub is there until its clients have left.
        complaints = []
        for process in reversed(self.processes):
            process.end()
            complaints += process.complaints()
        cores = [name for name in os.listdir(self.directory) if name.startswith("core")]
        if cores:
            complaints.append(f"a core was left: {', '.join(cores)}")
        faulthandler.cancel_dump_traceback_later()
        if complaints:
            self.fail("\n".join(complaints))


class TapResult(unittest.TestResult):
    """Prints each case as a line of TAP, with what its processes said if it failed."""

    def __init__(self):
        super().__init__()
        self.number = 0
        self.bad = False
        self._started = 0.0
        self._trouble = []
        self._skipped = None

    def _title(self, test):
        doc = (getattr(test, "_testMethodDoc", None) or "").strip()
        title = doc.splitlines()[0] if doc else test.id().rsplit(".", 1)[-1]
        return title.replace("#", "no. ")

    def startTest(self, test):
        super().startTest(test)
        self._trouble = []
        self._skipped = None
        self._started = time.monotonic()

    def addError(self, test, err):
        self._trouble.append("".join(traceback.format_exception(*err)))

    addFailure = addError

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._skipped = reason

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self._trouble.append(f"{subtest}\n" + "".join(traceback.format_exception(*err)))

    def stopTest(self, test):
        super().stopTest(test)
        self.number += 1
        if not self._trouble:
            skip = f" # SKIP {self._skipped}" if self._skipped else ""
            print(f"ok {self.number} - {self._title(test)}{skip}")
            print(f"# {time.monotonic() - self._started:.1f} s", flush=True)
            return
        self.bad = True
        print(f"not ok {self.number} - {self._title(test)}")
        for text in self._trouble + [
            process.transcript() for process in getattr(test, "processes", [])
        ]:
            for line in text.splitlines():
                print(f"# {line}")
        sys.stdout.flush()


def skip_all(reason):
    """Says that nothing of the program's own file can run here, and why."""
    print(f"1..0 # SKIP {reason}", flush=True)


def main():
    """Runs the cases of the program's own file, or those whose names contain an argument."""
    module = sys.modules["__main__"]
    suite = unittest.TestLoader().loadTestsFromModule(module)
    wanted = sys.argv[1:]

    def flatten(tests):
        for test in tests:
            if isinstance(test, unittest.TestSuite):
                yield from flatten(test)
            elif not wanted or any(word in test.id() for word in wanted):
                yield test

    cases = list(flatten(suite))
    print(f"1..{len(cases)}", flush=True)
    result = TapResult()
    unittest.TestSuite(cases).run(result)
    sys.exit(1 if result.bad else 0)
