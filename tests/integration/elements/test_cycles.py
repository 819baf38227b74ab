#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A hundred times connected and disconnected; forty where time matters more.

Shows that neither the side that comes and goes, nor the one that stays, nor the hub holds on to
anything: file descriptors and threads are as many as they were, memory hardly more, GStreamer's
own leak tracer finds no object left, and in the sanitizer build neither does LeakSanitizer find a
block.
"""

import os
import re
import subprocess
import threading

from conictest import peers, tap
from conictest.process import Process, status

CYCLES = tap.scaled(100, 40)
# Looked at after so many cycles each time. What is loaded or made once has been by the first.
PAUSE = 20
# GLib keeps up to eight idle threads in its pool, and on a busy machine one or two more are about to
# end; 80 leaked sessions would have 80 at least. What wakes them is a descriptor or two.
SLACK_FDS = 4
SLACK_THREADS = 12
# An allocator doesn't give everything back; 80 leaked sessions of a few hundred KiB would be more
# than this.
SLACK_BYTES = 24 << 20
CYCLE_SECONDS = 20
# How long a session that has ended may take to be put away, and how often that is looked at.
SETTLE_SECONDS, LOOKS = 0.4, 8
# GStreamer's dtls plugin keeps one agent for the life of the process.
KEPT = re.compile(r"type-name=\(string\)GstDtlsAgent,")
# Under AddressSanitizer freed memory is kept for a while, so that memory says nothing there;
# leaks do.
CYCLER = os.path.join(peers.BUILD, "tests", "integration", "elements", "cycler")


class Cycles(peers.HubTest):
    limit = 240

    def cycle(self, camera_pipeline, viewer_pipeline):
        """Runs the cycles; returns what each process had after the warm-up and has at the end."""
        camera = self.launch("camera", camera_pipeline, leaks=True)
        environment = peers.gst_environment(leaks=True)
        environment["GST_TRACERS"] = "leaks"
        environment["GST_DEBUG"] = "1,GST_TRACER:7"
        cycler = Process(
            self,
            "cycler",
            [
                CYCLER,
                str(CYCLES),
                str(PAUSE),
                str(int(tap.seconds(CYCLE_SECONDS))),
                self.at_hub(viewer_pipeline),
            ],
            env=environment,
            stdin=subprocess.PIPE,
            tolerate="Leaks detected and logged",
        )
        looks = []
        for cycles in range(PAUSE, CYCLES + 1, PAUSE):
            cycler.wait_line(rf"^cycle {cycles}$", 60)
            camera.wait_until(
                lambda n=cycles: len(camera.messages("conic-session-ended")) >= n,
                20,
                f"{cycles} sessions ended",
            )
            looks.append(
                {process.name: self.settled(process) for process in (self.hub, camera, cycler)}
            )
            cycler.stdin.write(b"\n")
            cycler.stdin.flush()
        self.assertEqual(cycler.wait_exit(60), 0)
        alive = [line.text for line in cycler.lines if ":: object-alive, " in line.text]
        self.assertEqual([text for text in alive if not KEPT.search(text)], [], "objects leaked")
        self.assertLessEqual(len(alive), 1, "objects leaked")
        self.assertEqual(camera.stop(), 0)
        self.assertEqual(self.hub.stop(), 0)
        return looks[0], looks[-1]

    @staticmethod
    def settled(process):
        """What the process has when it has the fewest descriptors: the last session is being put away."""
        looks = []
        for _ in range(LOOKS):
            looks.append(status(process.pid))
            threading.Event().wait(tap.seconds(SETTLE_SECONDS) / LOOKS)
        return min(looks, key=lambda look: look["fds"])

    def check(self, warm, last):
        for name, before in warm.items():
            after = last[name]
            print(f"# {name}: after {PAUSE} cycles {before}, after {CYCLES} {after}")
            self.assertLess(after["fds"] - before["fds"], SLACK_FDS, f"{name}: descriptors")
            self.assertLess(after["threads"] - before["threads"], SLACK_THREADS, f"{name}: threads")
            if not tap.SANITIZED:
                self.assertLess(after["rss"] - before["rss"], SLACK_BYTES, f"{name}: memory")

    def test_video(self):
        """Viewers come and go: nothing is left of them on either side, nor in the hub"""
        self.check(
            *self.cycle(
                "videotestsrc is-live=true ! video/x-raw,width=160,height=120 ! conicsink client-id=camera",
                "conicsrc target-id=camera ! fakesink name=out",
            )
        )


if __name__ == "__main__":
    tap.main()
