#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""apps/demo, the first command of the README.

Shows that it finds a port when 3000 is taken, that pictures, sound and messages arrive and are
reported, also in a terminal, that the page it names is there, that it fails when nothing arrives,
that Ctrl-C leaves nothing behind, and that it says what to install where it can't.
"""

import io
import os
import re
import shutil
import signal
import socket
import struct
import urllib.request

import pexpect

from conictest import media, netns, peers, tap
from conictest.process import Process

DEMO = os.path.join(peers.ROOT, "apps", "demo")
# What one line of the report looks like when everything arrives.
REPORT = (
    r"640x360 (\d+)/s \| (-\d+) dB \| (\d\d:\d\d:\d\d) \| (\d+) kbit/s \| rtt (\d+\.\d) ms"
    r" \| path host"
)
# Seconds of the run that ends by itself, and how many more it may wait for the camera.
SECONDS = 8
PATIENCE = 20
# The tone has -17 dB.
LEVEL_DB = (-20, -14)


class Demo(Process):
    """apps/demo on the build that is tested; Ctrl-C stops it."""

    def __init__(self, case, *arguments, **env):
        self.picture = case.path("picture.png")
        os.mkdir(case.path("tmp"))
        super().__init__(
            case,
            "demo",
            [DEMO, "--picture", self.picture, *arguments],
            env={
                **peers.gst_environment(),
                "CONIC_BUILD": peers.BUILD,
                "TMPDIR": case.path("tmp"),
                "DISPLAY": "",
                "WAYLAND_DISPLAY": "",
                **env,
            },
            stop_signal=signal.SIGINT,
        )

    def left_behind(self):
        """The processes of its session that still run: its children, theirs, and so on."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                    name, rest = re.fullmatch(r"\d+ \((.*)\) (.*)\n", file.read(), re.S).groups()
            except OSError:
                continue
            state, _, _, session = rest.split()[:4]
            if int(session) == self.pid and state != "Z":
                found.append(name)
        return sorted(found)


class Runs(tap.TestCase):
    limit = 90

    def take_port(self):
        """Sees to it that port 3000 is busy."""
        taken = socket.socket()
        self.addCleanup(taken.close)
        # Connections of an earlier run that are still timing out don't make the port busy.
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 3000))
            taken.listen()
        except OSError:
            # Somebody else has it already, which is all that is wanted.
            pass

    def check_clean(self, demo):
        self.assertEqual(demo.left_behind(), [])
        self.assertEqual(os.listdir(self.path("tmp")), [])

    def check_picture(self, path):
        with open(path, "rb") as file:
            head = file.read(24)
        self.assertEqual(head[:8], b"\x89PNG\r\n\x1a\n")
        self.assertEqual(struct.unpack(">II", head[16:]), (640, 360))

    def test_all_arrives(self):
        """Port 3000 is taken: another one is found, and pictures, sound and messages arrive"""
        self.take_port()
        demo = Demo(self, "--seconds", str(SECONDS))
        demo.wait_line(r"^Port 3000 is taken")
        port = int(demo.wait_line(r"^It listens on ws://127\.0\.0\.1:(\d+)/ws\.$").group(1))
        self.assertNotEqual(port, 3000)
        demo.wait_line(
            rf"^gst-launch-1\.0 conicsrc uri=ws://127\.0\.0\.1:{port}/ws target-id=camera "
        )

        page = demo.wait_line(rf"^(http://127\.0\.0\.1:{port}/)#watch=camera$").group(1)
        with urllib.request.urlopen(page, timeout=tap.seconds(10)) as response:
            self.assertIn("text/html", response.headers["Content-Type"])

        report = demo.wait_line(REPORT)
        self.assertIn(int(report.group(2)), range(*LEVEL_DB))
        self.assertEqual(demo.wait_exit(SECONDS + PATIENCE + 10), 0)
        frames = int(demo.wait_line(r"^video +ok +(\d+) frames").group(1))
        self.assertGreater(frames, int(report.group(1)))
        self.assertTrue(demo.has_line(r"^audio +ok "))
        self.assertTrue(demo.has_line(r"^messages +ok "))
        self.assertTrue(demo.has_line(re.escape(demo.picture)))
        self.check_picture(demo.picture)
        self.check_clean(demo)

    def test_ctrl_c(self):
        """Ctrl-C ends everything it started"""
        demo = Demo(self)
        demo.wait_line(REPORT)
        children = demo.left_behind()
        for name in ("conicd", "gst-launch-1.0", "demo-viewer"):
            self.assertIn(name, children)
        os.killpg(demo.pid, signal.SIGINT)
        self.assertEqual(demo.wait_exit(), 0)
        self.assertTrue(demo.has_line(r"^messages +ok "))
        self.check_clean(demo)

    def test_terminated(self):
        """So does SIGTERM, before anything has arrived: then the exit code says so"""
        demo = Demo(self, "--no-camera")
        demo.wait_line(r"^no picture yet \| no sound yet \| no message yet$")
        os.kill(demo.pid, signal.SIGTERM)
        self.assertEqual(demo.wait_exit(), 1)
        self.check_clean(demo)

    def test_nothing_arrives(self):
        """Without a camera the exit code is 1, and each thing is said to be missing"""
        demo = Demo(self, "--no-camera", "--seconds", "1")
        self.assertEqual(demo.wait_exit(1 + PATIENCE + 10), 1)
        for what in ("video", "audio", "messages"):
            self.assertTrue(demo.has_line(rf"^{what} +MISSING "), what)
        self.check_clean(demo)

    def test_own_camera(self):
        """The viewer shows a camera that is started by the command which the demo prints"""
        demo = Demo(self, "--no-camera")
        command = demo.wait_line(
            r"^gst-launch-1\.0 v4l2src (.* conicsink .*client-id=camera.*)$"
        ).group(1)
        peers.Launch(self, "camera", f"videotestsrc is-live=true {command}")
        demo.wait_line(r"^320x240 \d+/s \| no sound yet \| no message yet \| ", 30)
        os.killpg(demo.pid, signal.SIGINT)
        self.assertEqual(demo.wait_exit(), 1)
        self.assertTrue(demo.has_line(r"^video +ok "))


class Terminal(tap.TestCase):
    """What somebody sees who starts the demo by hand."""

    limit = 90
    COLUMNS = 80

    def see(self, **env):
        """Runs the demo in a terminal until all arrives; returns what it drew, and its status lines."""
        os.mkdir(self.path("tmp"))
        terminal = pexpect.spawn(
            DEMO,
            ["--picture", self.path("picture.png")],
            env={
                **os.environ,
                **peers.gst_environment(),
                "CONIC_BUILD": peers.BUILD,
                "TMPDIR": self.path("tmp"),
                "DISPLAY": "",
                "WAYLAND_DISPLAY": "",
                "GST_DEBUG": "0",
                **env,
            },
            dimensions=(24, self.COLUMNS),
            encoding="utf-8",
            timeout=tap.seconds(30),
        )
        self.addCleanup(terminal.close, force=True)
        drawn = io.StringIO()
        terminal.logfile_read = drawn
        terminal.expect(REPORT)
        terminal.sendintr()
        terminal.expect(pexpect.EOF)
        terminal.close()
        self.assertEqual(terminal.exitstatus, 0)
        return drawn.getvalue(), re.findall(r"\r\033\[K([^\r\n]* \| [^\r\n]*)", drawn.getvalue())

    def test_colours(self):
        """One line is drawn over and over, no wider than the terminal, with a green light in the end"""
        drawn, status = self.see(NO_COLOR="")
        for line in status:
            self.assertLess(len(re.sub(r"\033\[[0-9;]*m", "", line)), self.COLUMNS)
        self.assertTrue(status[-1].startswith("\033[32m\u25cf\033[m 640x360 "), status[-1])
        self.assertIn("\033[1m==> Starting the hub\033[m", drawn)
        self.assertIn("messages  \033[32mok        \033[m", drawn)

    def test_no_colours(self):
        """With NO_COLOR, and without UTF-8, it does without colours and signs"""
        drawn, status = self.see(NO_COLOR="1", LC_ALL="C")
        self.assertTrue(status[-1].startswith("* 640x360 "), status[-1])
        self.assertNotRegex(drawn, r"\033\[[0-9;]*m")


class Window(tap.TestCase):
    limit = 60
    WIDTH, HEIGHT = 800, 600

    def screen(self, display):
        """What is on the screen now."""
        shot = self.path("screen.rgb")
        launch = peers.Launch(
            self,
            "screenshot",
            f"ximagesrc num-buffers=1 use-damage=false ! videoconvert ! video/x-raw,format=RGB"
            f" ! filesink location={shot}",
            env={"DISPLAY": display},
        )
        self.assertEqual(launch.wait_exit(), 0)
        with open(shot, "rb") as file:
            return media.rgb(file.read(), self.WIDTH, self.HEIGHT)

    def test_window(self):
        """With a display a window shows what arrives"""
        server = Process(
            self,
            "Xvfb",
            [
                "Xvfb",
                "-displayfd",
                "1",
                "-noreset",
                "-nolisten",
                "tcp",
                "-screen",
                "0",
                f"{self.WIDTH}x{self.HEIGHT}x24",
            ],
        )
        display = ":" + server.wait_line(r"^(\d+)$").group(1)
        demo = Demo(self, DISPLAY=display)
        demo.wait_line(REPORT)
        # The bars in the window's first rows: red, green and blue are each off in one, on in another.
        row = self.screen(display)[20, :640]
        for channel in range(3):
            self.assertLess(row[:, channel].min(), 40)
            self.assertGreater(row[:, channel].max(), 150)
        os.killpg(demo.pid, signal.SIGINT)
        self.assertEqual(demo.wait_exit(), 0)


class CommandLine(tap.TestCase):
    limit = 30

    def test_help(self):
        """--help tells the options and the exit codes"""
        demo = Process(self, "demo", [DEMO, "--help"])
        self.assertEqual(demo.wait_exit(), 0)
        for what in ("--seconds N", "--picture FILE", "--no-camera", "Exit code"):
            self.assertTrue(demo.has_line(what), what)

    def test_wrong_options(self):
        """A wrong option or value is named, and the exit code is 2"""
        for arguments in (["--frobnicate"], ["--seconds"], ["--seconds", "soon"]):
            with self.subTest(arguments=arguments):
                demo = Process(self, "demo", [DEMO, *arguments])
                self.assertEqual(demo.wait_exit(), 2)
                demo.wait_line(f"^apps/demo: .*{arguments[-1]}")

    def test_no_package_manager(self):
        """Where there is no apt-get it lists what to install, and stops"""
        tools = self.path("bin")
        os.mkdir(tools)
        for tool in ("bash", "dirname", "readlink"):
            os.symlink(shutil.which(tool), os.path.join(tools, tool))
        demo = Process(self, "demo", [shutil.which("bash"), DEMO], env={"PATH": tools})
        self.assertEqual(demo.wait_exit(), 3)
        self.assertTrue(demo.has_line(r"Missing: gcc .*meson "))
        self.assertTrue(demo.has_line(r"^ +element:webrtcbin$"))
        self.assertTrue(demo.has_line("with your package manager"))

    def test_packages(self):
        """The tests install all that the apps need"""

        def packages(*path):
            with open(os.path.join(peers.ROOT, *path), encoding="utf-8") as file:
                return {
                    line.split()[0] for line in file if line.strip() and not line.startswith("#")
                }

        # build-essential is gcc, libc6-dev and more.
        apps = packages("apps", "packages.txt") - {"gcc", "libc6-dev"}
        tests = packages("tests", "support", "packages.txt")
        self.assertIn("build-essential", tests)
        self.assertEqual(apps - tests, set())


if __name__ == "__main__":
    netns.main()
