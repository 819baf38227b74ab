#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every command that the README and the docs show does what they say.

The commands of a `sh` block run together against a real hub, and each sink of the block must get
data; a `conic` must end well, and receive what it is to receive. Where a machine without camera,
display and loudspeaker needs something else, and only there, it is put in their place.
"""

import glob
import os
import re
import signal
import subprocess

from conictest import netns, peers, tap
from conictest.process import Process
from conictest.programs import CONIC, NO_DISPLAY

# Sources and sinks that need a device, and what stands in for each; what a sink gets is counted in
# a pipe.
DEVICES = {
    "v4l2src ! image/jpeg": "videotestsrc is-live=true ! jpegenc ! image/jpeg",
    "v4l2src ! video/x-h264": "videotestsrc is-live=true ! openh264enc ! video/x-h264",
    "v4l2src": "videotestsrc is-live=true",
    "autoaudiosrc": "audiotestsrc is-live=true",
    "autovideosink": "fdsink fd={fd}",
    "autoaudiosink": "fdsink fd={fd}",
}
# The same for `conic`: what a subcommand gets to do without a device, unless it has one of these options;
# and an end for the last one of a block, which calls.
SOUND, PICTURES, OUTPUT = ("--tone", "--wav"), ("--pattern", "--file"), ("--discard", "--record")
CONIC_DEVICES = {
    "audio-answer": [OUTPUT],
    "audio-offer": [SOUND],
    "call": [SOUND, PICTURES, OUTPUT],
    "video-answer": [OUTPUT],
    "video-offer": [PICTURES],
}
CONIC_END = ("--seconds 3", "--wav", "--file")
# What one types at a `conic`, and what another one of the block prints of it.
CONIC_TYPED = {"conic datachannel --role offer": ("ben\nsend chat hello\n", "hello")}
# Bytes that count as one piece of what a sink gets, and how many must come: a few frames, or more
# than a second of sound.
PIECE_BYTES, PIECES = 10_000, 30
# Messages that must come, and what is typed meanwhile at each pipeline that reads the terminal.
MESSAGES = 2
TYPED = "hello\n"

# Pages whose commands another test runs: they need no pipelines, or are the README's.
PAGES_ELSEWHERE = {
    "docs/README.ja.md": "test_languages below",
    "docs/applications.md": "test_applications.py",
    "docs/apps.md": "integration/apps/test_docs.py",
    "docs/operating.md": "integration/daemon/test_docs.py",
}

# Properties that every GStreamer bin has; signals likewise, and the one that has no table.
BIN_PROPERTIES = {"name", "parent", "async-handling", "message-forward"}
OTHER_SIGNALS = {"pad-added", "pad-removed", "no-more-pads", "encoder-setup"}

# Commands that other tests run, or that are how this test came to run.
RUN_ELSEWHERE = {
    "apps/demo": "test_demo.py",
    "tests/run": "runs this test",
    "export PATH=$PWD/_build/demo/apps:$PWD/_build/demo/daemon:$PATH": "test_paths below",
    "export GST_PLUGIN_PATH=$PWD/_build/demo/gst-plugin": "test_paths below",
    "_build/demo/daemon/conicd": "every test; test_paths below",
    "conicd": "every test; test_paths below",
    "conicd --listen 0.0.0.0:3000": "package/test_package.py, as the container's",
    "sudo apt-get build-dep --no-install-recommends ./data": "package/test_package.py compares what it installs",
    "data/debian/build": "package/test_package.py",
    "sudo apt-get install ./_build/packages/*.deb": "package/test_package.py",
    "systemctl status conicd": "package/test_package.py",
    "sudo systemctl reload conicd": "package/test_package.py",
    "sudo journalctl -u conicd": "package/test_package.py",
    "gst-play-1.0 conic://localhost:3000/camera": "elements/test_player.py",
    "meson setup _build/dev -Dwerror=true": "tests/run",
    "ninja -C _build/dev": "tests/run",
    "meson test -C _build/dev --suite unit": "tests/run",
    "meson test -C _build/dev --suite integration": "tests/run",
}


def pages():
    """The README and those pages of docs/ that show commands, as paths from the root."""
    found = [
        os.path.join(peers.ROOT, "README.md"),
        *glob.glob(os.path.join(peers.ROOT, "docs", "**", "*.md"), recursive=True),
    ]
    paths = (os.path.relpath(path, peers.ROOT) for path in found)
    return sorted(page for page in paths if page not in PAGES_ELSEWHERE and any(blocks(page)))


def blocks(page):
    """The commands of each `sh` block of a page, as lists of lines."""
    with open(os.path.join(peers.ROOT, page), encoding="utf-8") as file:
        text = file.read()
    for block in re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S):
        lines = block.replace("\\\n", " ").splitlines()
        yield [line for line in lines if line.strip() and not line.startswith("#")]


def without_code(page):
    """The text of a page without its blocks of code."""
    with open(page, encoding="utf-8") as file:
        return re.sub(r"(?ms)^```.*?^```$", "", file.read())


def headings(page):
    """How a page's headings are linked to."""
    found = re.findall(r"(?m)^#+ (.*)$", without_code(page))
    return [re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in found]


def inspect(element):
    """The properties of an element, each with its default as gst-inspect-1.0 prints it, or ''; and its signals."""
    environment = {**os.environ, **peers.gst_environment()}
    argv = ["gst-inspect-1.0", "--no-colors", element]
    text = subprocess.run(argv, capture_output=True, text=True, check=True, env=environment).stdout
    _, properties, *rest = re.split(r"(?m)^Element (?=Properties|Signals|Actions)", text)
    defaults = {}
    for name, about in re.findall(r"(?m)^  ([\w-]+) *: (.*(?:\n {20}.*)*)", properties):
        if found := re.search(r'Default: (?:(?:0x)?\d+, )?"?([\w:/.+-]*)', about):
            defaults[name] = found[1] if "writable" in about and found[1] != "null" else ""
        else:
            defaults[name] = ""
    return defaults, set(re.findall(r'(?m)^  "([\w-]+)" :', "".join(rest)))


def documented(page):
    """What the tables of properties and signals of a page have: the name, and the rest of its row."""
    with open(os.path.join(peers.ROOT, "docs", "elements", page), encoding="utf-8") as file:
        tables = re.findall(r"(?m)^\| (?:property|signal) \|.*\n\| ---.*\n((?:\|.*\n)*)", file.read())
    rows = re.findall(r"(?m)^\| ([^|]*) \| (.*) \|$", "".join(tables))
    return {name: rest for names, rest in rows for name in re.findall(r"`([a-z-]+)[ `]", names)}


class Shown(Process):
    """A command as a shell runs it, stopped as Ctrl-C does."""

    def __init__(self, case, name, command, uri, environment=None):
        self.pipes = []
        command = re.sub(
            r"\bconic(sink|src|bin|signaller)\b(?! uri=)", rf"\g<0> uri={uri}", command
        )
        # What a sink shows is counted in a pipe; what goes to the terminal is read there.
        self.prints = bool(re.search(r"\bfdsink\b", command))
        self.sends = bool(re.search(r"conicsink|conicsignaller|conicbin", command))
        for device, instead in DEVICES.items():
            command = re.sub(
                rf"\b{device}\b", lambda _, instead=instead: self._stand_in(instead), command
            )
        super().__init__(
            case,
            name,
            ["bash", "-c", command],
            env={**peers.gst_environment(), **(environment or {})},
            stdin=subprocess.PIPE,
            stop_signal=signal.SIGINT,
            pass_fds=tuple(pipe.fd for pipe in self.pipes),
        )
        for pipe in self.pipes:
            pipe.start()

    def _stand_in(self, instead):
        if "{fd}" not in instead:
            return instead
        self.pipes.append(peers.FramePipe(PIECE_BYTES, len))
        return instead.format(fd=self.pipes[-1].fd)

    def type(self, text):
        """Types at the terminal; a pipeline that doesn't read it never sees that."""
        self.stdin.write(text.encode())
        self.stdin.flush()

    def stop(self, timeout=20):
        if self.running:
            self.ended_by_us = True
            os.killpg(self.pid, self.stop_signal)
        return self.wait_exit(timeout)


class ShownConic(Shown):
    """A `conic` as a shell runs it."""

    def __init__(self, case, name, command, uri, last):
        self.typed, self.expected = CONIC_TYPED.get(command, ("", None))
        self.subcommand = command.split()[1]
        devices = CONIC_DEVICES.get(self.subcommand, [])
        for instead, *others in [*devices, *([CONIC_END] if devices and last else [])]:
            if not any(option in command for option in (instead, *others)):
                command += f" {instead}"
        path = os.pathsep.join([os.path.dirname(CONIC), os.environ["PATH"]])
        environment = {**NO_DISPLAY, "PATH": path, "CONIC_HUB": uri, "CONIC_TOKEN": "", "GST_DEBUG": ""}
        super().__init__(case, name, command, uri, environment)

    @property
    def receives(self):
        """Whether it has to receive sound or pictures."""
        return self.subcommand in ("audio-answer", "call", "video-answer")


class Commands(tap.TestCase):
    limit = 400
    # What several pages show is run once.
    seen = []

    def run_block(self, commands):
        """Runs the pipelines of a block together until each of its sinks has got data."""
        hub = peers.Conicd(self)
        shown = [
            Shown(self, f"line-{number}", command, hub.uri)
            for number, command in enumerate(commands, 1)
        ]
        self.assertTrue(
            any(process.prints or process.pipes for process in shown), "a block without a sink"
        )
        for process in shown:
            for pipe in process.pipes:
                pipe.wait_frames(PIECES, 30)
        printing = [process for process in shown if process.prints]
        for count in range(MESSAGES if printing else 0):
            for process in shown:
                if process.sends:
                    process.type(TYPED)
            for process in printing:
                process.wait_until(
                    lambda: sum(line.stream == "out" for line in process.lines) > count,
                    30,
                    "another message",
                )
        # Whoever sends goes first, as one leaves a camera on; the others have to live with it.
        for process in [*shown, hub]:
            process.stop()

    def run_conics(self, commands):
        """Runs the programs of a block, each when the one before has said something or has ended."""
        hub = peers.Conicd(self)
        shown = []
        for number, command in enumerate(commands, 1):
            process = ShownConic(self, f"line-{number}", command, hub.uri, number == len(commands))
            shown.append(process)
            if process.typed:
                process.type(process.typed)
            elif number < len(commands):
                process.wait_until(
                    lambda: process.lines or not process.running, 30, "its first words"
                )
        for process in shown:
            if process.expected:
                others = [other for other in shown if other is not process]
                others[0].wait_line(process.expected)
        # The last one calls, and ends by itself, or when there is nobody who types any more.
        for process in reversed(shown):
            process.stdin.close()
            if process is shown[-1]:
                process.wait_exit(30)
            self.assertEqual(process.stop(), 0, process.transcript())
            if process.receives:
                self.assertTrue(process.has_line(r"^Received [1-9]\d* packets"), process.transcript())
        hub.stop()

    def check_page(self, page):
        for commands in blocks(page):
            pipelines = [command for command in commands if "gst-launch-1.0" in command]
            conics = [command for command in commands if command.startswith("conic ")]
            for command in commands:
                self.assertTrue(
                    command in pipelines or command in conics or command in RUN_ELSEWHERE,
                    f"nothing runs: {command}",
                )
            for some, run in ((pipelines, self.run_block), (conics, self.run_conics)):
                if some and some not in self.seen:
                    self.seen.append(some)
                    with self.subTest(page=page, commands=some):
                        run(some)

    def test_links(self):
        """What the pages link to in this tree is there, and has that heading"""
        pages = glob.glob(os.path.join(peers.ROOT, "docs", "**", "*.md"), recursive=True)
        for page in [os.path.join(peers.ROOT, "README.md"), *pages]:
            for target in re.findall(r"\]\(([^)\s]+)\)", without_code(page)):
                if re.match("https?:", target):
                    continue
                path, _, heading = target.partition("#")
                path = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
                with self.subTest(page=os.path.relpath(page, peers.ROOT), link=target):
                    self.assertTrue(os.path.exists(path))
                    if heading:
                        self.assertIn(heading, headings(path))

    def test_index(self):
        """Each folder of docs has a README with a link to every page in it"""
        for folder in ("docs", "docs/elements"):
            with open(os.path.join(peers.ROOT, folder, "README.md"), encoding="utf-8") as file:
                links = set(re.findall(r"\]\(([^)#]+\.md)", file.read()))
            there = set(glob.glob("*.md", root_dir=os.path.join(peers.ROOT, folder)))
            self.assertEqual(there - links, {"README.md"}, folder)

    def test_architecture(self):
        """The folders, files and locks that docs/architecture.md names are in the sources"""
        with open(os.path.join(peers.ROOT, "docs", "architecture.md"), encoding="utf-8") as file:
            names = set(re.findall(r"`([^`\s]+)`", file.read()))
        paths, sources = set(), ""
        for folder in ("daemon", "gst-plugin", "apps"):
            for path in glob.glob(f"{folder}/**", root_dir=peers.ROOT, recursive=True):
                paths |= {path.rstrip("/"), os.path.basename(path)}
                if path.endswith((".c", ".h")):
                    with open(os.path.join(peers.ROOT, path), encoding="utf-8") as file:
                        sources += file.read()
        files = {name for name in names if re.search(r"\.[ch]$|^(daemon|gst-plugin|apps)\b", name)}
        self.assertGreater(len(files), 10)
        self.assertEqual(files - paths, set())
        locks = [name for name in names if re.fullmatch(r"GstConic\w+\.\w+", name)]
        self.assertGreater(len(locks), 10)
        for name in locks:
            owner, lock = name.split(".")
            mutex = rf"G(Rec)?Mutex {lock};"
            with self.subTest(name):
                self.assertTrue(
                    re.search(rf"struct _{owner} \{{[^}}]*\b{mutex}", sources)
                    or re.search(rf"\b{mutex}[^}}]*\}} {owner};", sources)
                )

    def test_languages(self):
        """The README has the same commands in each language"""
        self.assertEqual(list(blocks("docs/README.ja.md")), list(blocks("README.md")))

    def test_properties(self):
        """docs/elements has exactly the properties and signals of the elements, with their defaults"""
        common = documented("README.md")
        own = {name: documented(f"{name}.md") for name in ("conicsink", "conicsrc", "conicsignaller")}
        own["conicbin"] = {**own["conicsink"], **own["conicsrc"]}
        left = {*common, *own["conicbin"], *own["conicsignaller"]}
        for element, rows in own.items():
            properties, signals = inspect(element)
            for name in properties.keys() - BIN_PROPERTIES | signals - OTHER_SIGNALS:
                with self.subTest(element=element, name=name):
                    self.assertIn(name, {**common, **rows})
                    self.assertIn(properties.get(name, ""), {**common, **rows}[name])
                left.discard(name)
        self.assertEqual(left, set())

    def test_symptoms(self):
        """What docs/troubleshooting.md quotes as said by the programs is in their sources"""
        sources = ""
        for kind in ("gst-plugin/**/*.c", "daemon/**/*.c", "apps/conic/**/*.py"):
            for path in glob.glob(os.path.join(peers.ROOT, kind), recursive=True):
                with open(path, encoding="utf-8") as file:
                    sources += re.sub(r'"\s*"', "", file.read())
        with open(os.path.join(peers.ROOT, "docs", "troubleshooting.md"), encoding="utf-8") as file:
            symptoms = re.findall(r"(?m)^\| ([^|]*`[^|]*) \|", file.read())
        quoted = [words for cell in symptoms for words in re.findall(r"`([^`]* [^`]*)`", cell)]
        self.assertGreater(len(quoted), 5)
        for words in quoted:
            for part in re.split(r"\s*(?:…|“\w+”|\b\d+\b)\s*", words):
                with self.subTest(words):
                    self.assertTrue(part in sources, f"nobody says “{part}”")

    def test_paths(self):
        """The paths of what the README starts are where the build puts them"""
        for path in ("apps/conic", "daemon/conicd", "gst-plugin/libgstconic.so"):
            self.assertTrue(os.path.exists(os.path.join(peers.BUILD, path)), path)
        with open(os.path.join(peers.ROOT, "apps", "demo"), encoding="utf-8") as file:
            self.assertIn("$top/_build/demo}", file.read())


def add_cases():
    """A case for each page."""
    for page in pages():

        def case(self, page=page):
            self.check_page(page)

        case.__doc__ = f"The commands of {page}"
        setattr(Commands, "test_" + re.sub(r"\W", "_", page), case)


add_cases()

if __name__ == "__main__":
    netns.main()
