# SPDX-License-Identifier: LGPL-2.1-or-later
"""conicd, gst-launch-1.0 and the probe as child processes."""

import fcntl
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time

from . import media, tap
from .process import Process

SUPPORT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(os.path.dirname(SUPPORT))
BUILD = os.environ.get("CONIC_TEST_BUILD", os.path.join(ROOT, "_build", "plain"))
PRELOAD = os.environ.get("CONIC_TEST_PRELOAD", "")
CONICD = os.path.join(BUILD, "daemon", "conicd")
SUPPRESSIONS = os.path.join(SUPPORT, "leaks.supp")

# Freed memory that AddressSanitizer keeps back counts as memory of the process.
SPARING = "quarantine_size_mb=16"

# How often statistics are looked at that are waited for.
STATS_LOOK_SECONDS = 0.1

# A pipe that holds a few frames, so that the reader's turn is not the pipeline's business.
PIPE_BYTES = 1 << 20


def gst_environment(leaks=False):
    """The environment of a process that loads the elements."""
    env = {
        "GST_PLUGIN_PATH": os.path.join(BUILD, "gst-plugin"),
        "GST_REGISTRY": os.path.join(BUILD, "tests", "registry.bin"),
        "GST_REGISTRY_FORK": "no",
        "GIO_USE_PROXY_RESOLVER": "dummy",
        "GST_DEBUG": os.environ.get("CONIC_TEST_GST_DEBUG", "1,*conic*:4"),
        "GST_DEBUG_NO_COLOR": "1",
    }
    if PRELOAD:
        options = os.environ.get("ASAN_OPTIONS", "")
        env["LD_PRELOAD"] = PRELOAD
        env["ASAN_OPTIONS"] = f"{options}:detect_leaks={int(leaks)}:verify_asan_link_order=0:{SPARING}"
        if leaks:
            # Suppressions need whole stacks, which take time to unwind.
            env["ASAN_OPTIONS"] += ":fast_unwind_on_malloc=0:malloc_context_size=15"
            env["LSAN_OPTIONS"] = f"suppressions={SUPPRESSIONS}:print_suppressions=0"
        env["PYTHONMALLOC"] = "malloc"
    return env


class Conicd(Process):
    """The daemon, listening on a port of its own choice (or the one given) of an IPv4 address."""

    def __init__(
        self, case, port=0, arguments=(), name="conicd", address="127.0.0.1", within=()
    ):
        super().__init__(
            case,
            name,
            [CONICD, "--listen", f"{address}:{port}", *arguments],
            stop_signal=signal.SIGTERM,
            within=within,
        )
        found = self.wait_line(rf"(?:{re.escape(address)}|localhost):(\d+)", 10)
        self.port = int(found.group(1))
        self.uri = f"ws://{address}:{self.port}/ws"


class Launch(Process):
    """gst-launch-1.0 with a pipeline as one writes it on a command line, and what its bus carries."""

    def __init__(self, case, name, pipeline, options="-m", env=None, leaks=False, **kwargs):
        # Without --no-fault a crash would make it wait for a debugger instead of dying.
        argv = ["gst-launch-1.0", "--no-fault", *shlex.split(options), *shlex.split(pipeline)]
        self.pipeline = pipeline
        super().__init__(
            case,
            name,
            argv,
            env={**gst_environment(leaks), **(env or {})},
            stop_signal=signal.SIGINT,
            **kwargs,
        )

    def wait_message(self, name, timeout=20, start=0, **fields):
        """Waits for an element message of that name with those fields; returns the line."""
        parts = "".join(
            rf"(?=.*{re.escape(key)}=\(\w+\)\"?{re.escape(value)}\b)"
            for key, value in fields.items()
        )
        return self.wait_line(rf"{parts}.*\(element\): {name}\b.*", timeout, start).group(0)

    def messages(self, name):
        """The lines of the element messages of that name so far."""
        return [line.text for line in self.lines if re.search(rf"\(element\): {name}\b", line.text)]


class Reporter(Process):
    """A process that reports what it sees as events (JSON objects with `ev`) and takes commands (`cmd`)."""

    def __init__(self, case, name, argv, **kwargs):
        self.events = []
        super().__init__(case, name, argv, stdin=subprocess.PIPE, **kwargs)

    def on_line(self, stream, text):
        if stream == "out" and text.startswith("{"):
            event = json.loads(text)
            event["time"] = time.monotonic()
            self.events.append(event)

    def tell(self, command, **fields):
        """Sends a command; `wait_event` waits for its outcome."""
        self.stdin.write(json.dumps({"cmd": command, **fields}).encode() + b"\n")
        self.stdin.flush()

    def wait_event(self, kind, timeout=20, start=0, what=None, **fields):
        """Waits for an event of that kind; a field is compared, or asked if it is a function."""
        seen = [start]

        def matches(event):
            if event["ev"] != kind:
                return False
            return all(
                value(event.get(key)) if callable(value) else event.get(key) == value
                for key, value in fields.items()
            )

        def look():
            while seen[0] < len(self.events):
                event = self.events[seen[0]]
                seen[0] += 1
                if matches(event):
                    return event
            return None

        return self.wait_until(look, timeout, what or f"the event {kind} {fields or ''}")

    def ask(self, command, timeout=20, **fields):
        """Sends a command and returns the event that answers it."""
        start = len(self.events)
        self.tell(command, **fields)
        return self.wait_event(command, timeout, start)

    def of_kind(self, kind, **fields):
        """The events of that kind so far."""
        return [
            event
            for event in list(self.events)
            if event["ev"] == kind and all(event.get(k) == v for k, v in fields.items())
        ]


class Probe(Reporter):
    """A pipeline in such a process (support/probe.py)."""

    def __init__(self, case, name, pipeline, dump=None, leaks=False, **kwargs):
        argv = ["/usr/bin/python3", os.path.join(SUPPORT, "probe.py")]
        for sink, path in (dump or {}).items():
            argv += ["--dump", f"{sink}={path}"]
        if kwargs.pop("paused", False):
            argv.append("--paused")
        super().__init__(
            case,
            name,
            argv + [pipeline],
            env=gst_environment(leaks),
            stop_signal=signal.SIGTERM,
            **kwargs,
        )

    def wait_message(self, name, timeout=20, start=0, **fields):
        """Waits for an element message of that name with those fields."""
        return self.wait_event(
            "message", timeout, start, name=name, fields=lambda found: fields.items() <= found.items()
        )

    def sessions(self, element):
        """What the `stats` of one of its elements say now of each session."""
        return self.ask("get", element=element, property="stats")["value"]["sessions"]

    def wait_stats(self, element, ready, timeout=30):
        """The statistics of the first session, when they satisfy: they are made anew each second."""
        deadline = time.monotonic() + tap.seconds(timeout)
        sessions = self.sessions(element)
        while not (sessions and ready(sessions[0])):
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.name}: its statistics stay {sessions}")
            threading.Event().wait(STATS_LOOK_SECONDS)
            sessions = self.sessions(element)
        return sessions[0]


class FramePipe:
    """A pipe into which a pipeline writes raw frames of a known size (`fdsink fd=N`).

    Each frame is given to `examine` on a thread of its own, and what that returns is kept
    together with the time it came (monotonic seconds).
    """

    def __init__(self, frame_bytes, examine):
        self.frame_bytes = frame_bytes
        self.examine = examine
        self.frames = []
        self.ended = False
        self._changed = threading.Condition()
        self._read, self.fd = os.pipe()
        fcntl.fcntl(self._read, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    def start(self):
        """To be called once the child has the writing end: closes it here and starts reading."""
        os.close(self.fd)
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        with os.fdopen(self._read, "rb", buffering=self.frame_bytes) as pipe:
            while True:
                frame = pipe.read(self.frame_bytes)
                if len(frame) < self.frame_bytes:
                    break
                found = (time.monotonic(), self.examine(frame))
                with self._changed:
                    self.frames.append(found)
                    self._changed.notify_all()
        with self._changed:
            self.ended = True
            self._changed.notify_all()

    def wait(self, condition, timeout, what):
        """Waits until condition(frames) is true."""
        deadline = time.monotonic() + tap.seconds(timeout)
        with self._changed:
            while not condition(self.frames):
                left = deadline - time.monotonic()
                if left <= 0 or self.ended:
                    why = (
                        "the pipe ended"
                        if self.ended
                        else f"{tap.seconds(timeout):.0f} s had passed"
                    )
                    raise AssertionError(f"{why} before {what}; {len(self.frames)} frames came")
                self._changed.wait(left)

    def wait_frames(self, count, timeout):
        """Waits until that many frames have come."""
        self.wait(lambda frames: len(frames) >= count, timeout, f"{count} frames")

    def values(self):
        """What `examine` returned for each frame so far."""
        return [value for _, value in self.frames]


def watch_video(case, name, pipeline, frame_bytes, examine, **kwargs):
    """Starts gst-launch-1.0 with a pipeline that ends in `fdsink fd={fd}`; returns it and its frames."""
    pipe = FramePipe(frame_bytes, examine)
    process = Launch(case, name, pipeline.format(fd=pipe.fd), pass_fds=(pipe.fd,), **kwargs)
    pipe.start()
    return process, pipe


class HubTest(tap.TestCase):
    """A case with a hub, and pipelines whose elements know where that is, unless they are told otherwise."""

    def setUp(self):
        super().setUp()
        self.hub = Conicd(self)

    def at_hub(self, pipeline):
        """The pipeline with the hub's URI for its elements."""
        return re.sub(r"\bconic(sink|src|bin|signaller)\b", rf"\g<0> uri={self.hub.uri}", pipeline)

    def launch(self, name, pipeline, **kwargs):
        """gst-launch-1.0, from when its element is registered."""
        process = Launch(self, name, self.at_hub(pipeline), **kwargs)
        process.wait_message("conic-registered")
        return process

    def probe(self, name, pipeline, **kwargs):
        """A probe, from when its element is registered."""
        probe = Probe(self, name, self.at_hub(pipeline), **kwargs)
        probe.wait_message("conic-registered")
        return probe

    def watch(self, name, pipeline, frame_bytes=media.FRAME_BYTES, examine=media.bars_error, **kwargs):
        """Such a pipeline that ends in `fdsink fd={fd}`, and its frames: how far each is from the test bars."""
        return watch_video(self, name, self.at_hub(pipeline), frame_bytes, examine, **kwargs)

    def check_bars(self, pipe, frames=20):
        """So many frames come, and the last is the test bars: the encoder starts coarse."""
        pipe.wait_frames(frames, 30)
        self.assertLess(pipe.values()[-1], media.COLOUR_TOLERANCE, "it is not the test bars")


def main_with_elements(gst):
    """As tap.main(), for a program that runs the elements in its own process; `gst` is its Gst."""
    environment = gst_environment()
    # Elements under a sanitizer need its library before the interpreter's own.
    if os.environ.get("LD_PRELOAD") != environment.get("LD_PRELOAD"):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **environment})
    os.environ.update(environment)
    gst.init(None)
    tap.main()
