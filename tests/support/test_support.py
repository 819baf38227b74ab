#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tests' own tools.

Shows that what the other tests rely on can fail: that a critical, a crash, a sanitizer's report, a
process that won't stop and one that is left behind are all noticed, that the watchdog bites, that the
measures of picture and sound tell right from wrong, and that the count at the end of tests/run is right.
"""

import json
import os
import subprocess
import time
import unittest

import numpy as np

from conictest import media, peers, tap, wire
from conictest.process import MemoryWatch, Process


class Noticed(tap.TestCase):
    """Runs a case within the case and looks at what it would have reported."""

    limit = 60

    def outcome(self, body, limit=20):
        class Inner(tap.TestCase):
            def runTest(self):
                body(self)

        Inner.limit = limit / tap.PATIENCE
        result = unittest.TestResult()
        Inner().run(result)
        self._arm(tap.seconds(self.limit))
        return "\n".join(text for _, text in result.errors + result.failures)

    def shell(self, script):
        def body(case):
            Process(case, "sh", ["sh", "-c", script]).wait_exit()

        return self.outcome(body)

    def test_good(self):
        """A process that does well is not complained about"""
        self.assertEqual(self.shell("echo fine"), "")

    def test_critical(self):
        """A critical is noticed"""
        for text in (
            "(x:1): GLib-GObject-CRITICAL **: 10:00: g_object_unref: assertion failed",
            "(x:1): GStreamer-CRITICAL **: no",
            "(x:1): GLib-WARNING **: hm",
            "==1==ERROR: AddressSanitizer: heap-use-after-free",
            "a.c:1:2: runtime error: shift",
        ):
            self.assertIn("sh printed", self.shell(f"echo '{text}' >&2"), text)

    def test_crash(self):
        """A crash is noticed"""
        self.assertIn("died of SIGSEGV", self.shell("kill -SEGV $$"))

    def test_never_stops(self):
        """A process that doesn't stop when asked is noticed"""

        def body(case):
            process = Process(
                case,
                "sh",
                ["sh", "-c", "trap '' TERM; echo ready; exec cat"],
                stdin=subprocess.PIPE,
            )
            process.wait_line("ready")
            process.stop(0.1)

        self.assertIn("did not end", self.outcome(body))

    def test_left_behind(self):
        """A process that is left behind by another is noticed, and ended"""

        def body(case):
            process = Process(case, "sh", ["sh", "-c", "sleep 100 &"])
            process.drain_seconds = 0.1
            process.wait_exit()
            process.drain_seconds = 10
            process.wait_exit()

        started = time.monotonic()
        self.assertIn("left a process behind", self.outcome(body))
        self.assertLess(time.monotonic() - started, tap.seconds(5))

    def test_watchdog(self):
        """The watchdog ends a case that waits for ever"""

        def body(case):
            Process(case, "cat", ["cat"], stdin=subprocess.PIPE).wait_line("never", 1000)

        self.assertIn("the case took longer", self.outcome(body, 0.5))

    def test_no_line(self):
        """A line that never comes is a failure, at once if the process has ended"""

        def body(case):
            Process(case, "sh", ["sh", "-c", "echo other"]).wait_line("this", 1000)

        self.assertIn("ended (status 0) before a line like", self.outcome(body))

    def test_memory(self):
        """Memory that grows is measured"""
        grower = Process(
            self,
            "grower",
            [
                "/usr/bin/python3",
                "-uc",
                "print('ready'); input(); x = b'x' * (64 << 20);" "print('grown'); input()",
            ],
            stdin=subprocess.PIPE,
        )
        grower.wait_line("ready")
        watch = MemoryWatch(grower)
        grower.stdin.write(b"\n")
        grower.stdin.flush()
        grower.wait_line("grown")
        watch.look()
        self.assertGreater(watch.growth()["grower"], 60 << 20)


class Measures(tap.TestCase):
    def test_bars(self):
        """The test bars are told from the same bars in another order"""
        seen = peers.Launch(
            self,
            "bars",
            "videotestsrc num-buffers=1 ! video/x-raw,format=RGB,width=320,height=240 !"
            f" filesink location={self.path('bars')}",
        )
        self.assertEqual(seen.wait_exit(), 0)
        with open(self.path("bars"), "rb") as file:
            picture = media.rgb(file.read(), 320, 240)
        self.assertLess(media.smpte_error(picture), 10)
        self.assertGreater(media.smpte_error(picture[:, ::-1]), 200)
        self.assertGreater(media.smpte_error(np.roll(picture, 46, axis=1)), 200)
        self.assertGreater(media.smpte_error(picture[:, :, ::-1]), 200)

    def test_counter(self):
        """Numbers drawn into frames are read again, and what is missing is named"""
        media.write_counter_video(self.path("video"), 5, 32766)
        with open(self.path("video"), "rb") as file:
            numbers = [media.read_counter(file.read(media.COUNTER_FRAME_BYTES)) for _ in range(5)]
        self.assertEqual(numbers, [32766, 32767, 32768, 32769, 32770])
        self.assertIsNone(media.read_counter(bytes([126]) * media.COUNTER_FRAME_BYTES))
        self.assertEqual(media.missed([3, 4, 7, 8]), [5, 6])
        self.assertEqual(media.missed([3, 4, 5]), [])

    def test_tones(self):
        """A tone's frequency and purity and a gap in it are measured"""
        t = np.arange(48000) / 48000
        tone = np.sin(2 * np.pi * 440 * t)
        frequency, share = media.loudest(tone, 48000)
        self.assertAlmostEqual(frequency, 440, delta=1)
        self.assertGreater(share, 0.99)
        self.assertLess(media.loudest(tone + np.sin(2 * np.pi * 1000 * t), 48000)[1], 0.6)
        self.assertLess(media.longest_silence(tone, 48000, 0.05), 0.001)
        tone[10000 : 10000 + 4800] = 0
        self.assertAlmostEqual(media.longest_silence(tone, 48000, 0.05), 0.1, delta=0.001)

    def test_tamper(self):
        """A tampered fingerprint differs in one byte and is still one"""
        text = json.dumps({"sdp": "v=0\r\na=fingerprint:sha-256 00:11:22\r\na=setup:active\r\n"})
        self.assertEqual(wire.tamper_fingerprint(text), text.replace("00:11:22", "FF:11:22"))


class Count(tap.TestCase):
    def count(self, *records):
        with open(self.path("log.json"), "w", encoding="utf-8") as file:
            file.writelines(
                json.dumps({"name": "t", "stdout": "", "returncode": 0, **r}) + "\n"
                for r in records
            )
        done = subprocess.run(
            ["/usr/bin/python3", os.path.join(peers.SUPPORT, "count.py"), self.path("log.json")],
            capture_output=True,
            text=True,
            check=False,
        )
        self.output = done.stdout.splitlines()
        return self.output[-1], done.returncode

    def test_passed(self):
        """Cases are counted, programs without cases count as one"""
        self.assertEqual(
            self.count(
                {"result": "OK", "stdout": "1..2\nok 1 - a\nok 2 - b # SKIP no\n"}, {"result": "OK"}
            ),
            ("2 passed, 0 failed, 1 skipped", 0),
        )

    def test_again(self):
        """A late integration test has a second run, which counts; a crash or a finding has none"""
        late = {"name": "conic:integration / late", "result": "ERROR", "stdout": "1..1\nnot ok 1 a\n"}
        crash = {"name": "conic:integration / crash", "result": "ERROR", "stderr": "(status -11)"}
        found = {"name": "conic:integration / found", "result": "ERROR", "stderr": "ERROR: AddressSanitizer: x"}
        unit = {"name": "conic:unit / unit", "result": "FAIL"}
        self.assertEqual(self.count(late, crash, found, unit)[0], "0 passed, 4 failed, 0 skipped")
        counter = ["/usr/bin/python3", os.path.join(peers.SUPPORT, "count.py")]
        log, again = self.path("log.json"), self.path("log-again.json")
        names = subprocess.run([*counter, "--again", log], capture_output=True, text=True, check=True)
        self.assertEqual(names.stdout.split(), ["late"])
        with open(again, "w", encoding="utf-8") as file:
            json.dump({**late, "result": "OK", "stdout": "1..1\nok 1 a\n"}, file)
        done = subprocess.run([*counter, log], capture_output=True, text=True, check=False)
        self.assertIn("again: conic:integration / late failed beside others; by itself: OK", done.stdout)
        self.assertEqual(done.stdout.splitlines()[-1], "1 passed, 3 failed, 0 skipped")

    def test_fuzzed(self):
        """It says how many inputs a fuzz target has been through"""
        self.count({"result": "OK", "stderr": "x\nstat::number_of_executed_units: 1234567\ny\n"})
        self.assertIn("t: 1,234,567 inputs", self.output)

    def test_failed(self):
        """A failed case, a crash after good cases, a time-out and a missing log all count as failures"""
        self.assertEqual(
            self.count(
                {"result": "ERROR", "stdout": "1..2\nok 1 a\nnot ok 2 b\n", "returncode": 1}
            ),
            ("1 passed, 1 failed, 0 skipped", 1),
        )
        self.assertEqual(
            self.count({"result": "ERROR", "stdout": "1..2\nok 1 a\n", "returncode": -11}),
            ("1 passed, 1 failed, 0 skipped", 1),
        )
        self.assertEqual(self.count({"result": "TIMEOUT"}), ("0 passed, 1 failed, 0 skipped", 1))
        self.assertEqual(self.count(), ("0 passed, 1 failed, 0 skipped", 1))


if __name__ == "__main__":
    tap.main()
