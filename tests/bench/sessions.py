#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What sessions leave behind, and whether anything hangs.

    tests/bench/sessions.py [--build DIR] [--viewers N] [--at-once N] [--cycles N]

Lets viewers come to one camera and go, one after the other, then several at a time, and prints what
the camera, the hub and the viewers' processes have in threads, descriptors and memory, warm and at the
end. Then takes pipelines up and down at random points of their lives, each state change under a
watchdog. Status 1 if something was left behind, or hung.
"""

import argparse
import os
import re
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))

# What is loaded or made once has been by then.
WARM = 100
SLACK = {"threads": 8, "fds": 6}
# In the second half, for an allocator keeps what many at once have had, in each of its arenas: for each
# viewer, of whom webrtcbin's statistics leave a dozen names in GLib's table, and for all.
SLACK_BYTES_A_VIEWER = 4096
SLACK_BYTES = 8 << 20
SECONDS_A_CYCLE = "60"
LOOK_SECONDS = 2


def report(text):
    print(text, flush=True)


class Bench:
    def __init__(self, build):
        os.environ["CONIC_TEST_BUILD"] = build
        from conictest import peers  # pylint: disable=import-outside-toplevel
        from conictest.process import status  # pylint: disable=import-outside-toplevel

        self.build = build
        self.status = status
        self.env = {**os.environ, **peers.gst_environment(), "GST_DEBUG": "0"}
        self.failures = []
        self.children = []
        self.ended = threading.Semaphore(0)
        self.losses = []

    def start(self, *argv):
        child = subprocess.Popen(argv, env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.children.append(child)
        return child

    def set_up(self):
        """The hub and the camera."""
        self.hub = self.start(os.path.join(self.build, "daemon", "conicd"), "--listen", "127.0.0.1:0",
                              "--log-level", "warning")
        port = re.search(r":(\d+)/ws", self.hub.stdout.readline()).group(1)
        self.uri = f"ws://127.0.0.1:{port}/ws"
        self.camera = self.start(
            "gst-launch-1.0", "-m", "videotestsrc", "is-live=true", "!",
            "video/x-raw,width=160,height=120,framerate=15/1", "!",
            "conicsink", "client-id=camera", f"uri={self.uri}")
        while "conic-registered" not in self.camera.stdout.readline():
            pass
        threading.Thread(target=self.count_ended, daemon=True).start()

    def count_ended(self):
        """Reads what the camera's bus says as it comes: a message that waits keeps what it is about."""
        for line in self.camera.stdout:
            if "conic-session-failed" in line:
                self.losses.append(re.search(r"reason=.string.(.*);", line).group(1))
            if re.search(r"conic-session-(ended|failed)", line):
                self.ended.release()

    def wait_ended(self, count):
        """Waits until so many more sessions have ended."""
        for _ in range(count):
            if not self.ended.acquire(timeout=120):
                raise SystemExit("the camera still has a session")

    def look(self, watched):
        """What each process has, as soon as that no longer changes: sessions are put away after they end."""
        before = None
        while True:
            now = {name: self.status(child.pid) for name, child in watched.items()}
            counts = [(found["threads"], found["fds"]) for found in now.values()]
            if counts == before:
                return now
            before = counts
            time.sleep(LOOK_SECONDS)

    def judge(self, name, looks, viewers):
        warm, last = looks[0], looks[-1]
        for what in warm:
            unit, scale = (" MiB", 1 << 20) if what == "rss" else ("", 1)
            report(f"  {name}: {what}{unit} {' '.join(str(look[what] // scale) for look in looks)}")
        for what, slack in SLACK.items():
            if last[what] - warm[what] > slack:
                self.failures.append(f"{name}: {what} grew from {warm[what]} to {last[what]}")
        middle = looks[len(looks) // 2]["rss"]
        if last["rss"] - middle > SLACK_BYTES + viewers // 2 * SLACK_BYTES_A_VIEWER:
            self.failures.append(f"{name}: memory grew from {middle} to {last['rss']} in the second half")

    def come_and_go(self, viewers, at_once):
        """Lets so many viewers come and go, `at_once` at a time."""
        report(f"{viewers} viewers, {at_once} at a time")
        each = viewers // at_once
        pause = max(1, min(each, WARM // at_once))
        rounds = each // pause
        started = time.monotonic()
        cycler = os.path.join(self.build, "tests", "integration", "elements", "cycler")
        processes = [
            self.start(cycler, str(pause * rounds), str(pause), SECONDS_A_CYCLE,
                       f"conicsrc target-id=camera output=rtp uri={self.uri} ! fakesink name=out")
            for _ in range(at_once)
        ]
        watched = {"hub": self.hub, "camera": self.camera, "viewer": processes[0]}
        looks = []
        for number in range(1, rounds + 1):
            for process in processes:
                lines = []
                for line in process.stdout:
                    lines = lines[-9:] + [line.strip()]
                    if lines[-1] == f"cycle {number * pause}":
                        break
                else:
                    raise SystemExit("a viewer got no picture:\n  " + "\n  ".join(lines))
            self.wait_ended(pause * at_once)
            looks.append(self.look(watched))
            for process in processes:
                process.stdin.write("\n")
                process.stdin.flush()
        for process in processes:
            process.stdout.read()
            process.wait()
        seconds = time.monotonic() - started
        report(f"  {viewers / seconds:.1f} viewers a second, {len(self.losses)} sessions lost")
        for reason in self.losses:
            self.failures.append(f"a session was lost: {reason}")
        self.losses = []
        for name in watched:
            self.judge(name, [look[name] for look in looks], viewers)

    def restless(self, cycles):
        """Takes pipelines up and down at random points."""
        report(f"{cycles} pipelines up and down at random points")
        uri = self.uri
        process = self.start(
            os.path.join(self.build, "tests", "bench", "restless"), str(cycles), str(int(time.time())),
            f"conicsrc target-id=camera uri={uri} ! fakesink",
            f"conicsrc target-id=nobody uri={uri} ! fakesink",
            f"videotestsrc is-live=true ! conicsink client-id=other uri={uri}",
            f"conicbin name=b target-id=camera uri={uri}  videotestsrc is-live=true ! b.video_0 "
            " b.video_src_0 ! fakesink",
            f"audiotestsrc is-live=true ! conicsink target-id=camera uri={uri}",
            "conicsrc target-id=camera uri=ws://127.0.0.1:1/ws ! fakesink")
        for line in process.stdout:
            report("  " + line.strip())
        if process.wait() != 0:
            self.failures.append(f"the restless pipelines ended with status {process.returncode}")

    def tear_down(self):
        for child in reversed(self.children):
            if child.poll() is None:
                child.terminate()
            try:
                child.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                child.kill()
                self.failures.append(f"{child.args[0]} did not end")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=os.path.join(ROOT, "_build", "plain"))
    parser.add_argument("--viewers", type=int, default=1000)
    parser.add_argument("--at-once", type=int, default=20)
    parser.add_argument("--cycles", type=int, default=500)
    arguments = parser.parse_args()
    bench = Bench(os.path.abspath(arguments.build))
    try:
        bench.set_up()
        if arguments.viewers:
            bench.come_and_go(arguments.viewers, 1)
            bench.come_and_go(arguments.viewers, arguments.at_once)
        if arguments.cycles:
            bench.restless(arguments.cycles)
    finally:
        bench.tear_down()
    for failure in bench.failures:
        report(f"FAILED: {failure}")
    return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())
