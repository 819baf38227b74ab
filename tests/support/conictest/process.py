# SPDX-License-Identifier: LGPL-2.1-or-later
"""Child processes whose output is waited for, and which are judged when they end."""

import contextlib
import ctypes
import os
import re
import resource
import shutil
import signal
import subprocess
import threading
import time

from . import tap

# What no process may ever print: each of these is a bug, whatever else went well.
FORBIDDEN = re.compile(
    r"CRITICAL|GLib(-\w+)?-WARNING|G(ObjectType)?-WARNING|GStreamer-WARNING"
    r"|ERROR: (Address|Leak|Thread|UndefinedBehavior)Sanitizer|AddressSanitizer:DEADLYSIGNAL"
    r"|runtime error:|Caught SIG|Trace/breakpoint trap|Segmentation fault"
    r"|Trying to dispose element|pthread_setname|^\*\* \(.*\): WARNING|assertion .* failed"
)

# What is left out when a failed test shows what its processes printed.
CHATTER = re.compile(
    r'\((state-changed|stream-status|tag|latency|qos|stream-start)\)|"ev": "sample"'
)

# Time to end by itself after SIGINT or SIGTERM, then it is killed and that is a failure.
STOP_SECONDS = 10
TRANSCRIPT_LINES = int(os.environ.get("CONIC_TEST_TRANSCRIPT", "80"))

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def _before_exec():
    # Nothing outlives the test, even if that is killed; and a crash leaves its core where we look.
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


class Line:
    """One line of output and when it came (monotonic seconds)."""

    def __init__(self, stream, text):
        self.stream = stream
        self.text = text
        self.time = time.monotonic()


class Process:
    """A child whose standard output and error are collected line by line.

    stop_signal  the signal that asks it to end
    tolerate     a pattern of lines that would be forbidden but belong to this test
    pass_fds     more descriptors for it
    stdin        None for none, or what subprocess takes
    within       a command before the command: the `enter` of a netns.Machine
    """

    # For how long what it started may outlive it.
    drain_seconds = 3

    def __init__(
        self,
        case,
        name,
        argv,
        env=None,
        stop_signal=signal.SIGTERM,
        tolerate=None,
        pass_fds=(),
        stdin=subprocess.DEVNULL,
        within=(),
    ):
        self.name = name
        self.argv = argv
        self.stop_signal = stop_signal
        self.tolerate = re.compile(tolerate) if tolerate else None
        self.lines = []
        self.problems = []
        self.killed = False
        self.ended_by_us = False
        self._directory = case.directory
        self._changed = threading.Condition()
        self._popen = subprocess.Popen(
            [*within, *argv],
            env={**os.environ, **(env or {})},
            cwd=case.directory,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=pass_fds,
            start_new_session=True,
            preexec_fn=_before_exec,
        )
        self.pid = self._popen.pid
        self.stdin = self._popen.stdin
        self._readers = [
            threading.Thread(target=self._read, args=(stream, pipe), daemon=True)
            for stream, pipe in (("out", self._popen.stdout), ("err", self._popen.stderr))
        ]
        for reader in self._readers:
            reader.start()
        threading.Thread(target=self._reap, daemon=True).start()
        case.adopt(self)

    def _read(self, stream, pipe):
        for raw in pipe:
            text = raw.decode("utf-8", "replace").rstrip("\n")
            with self._changed:
                self.lines.append(Line(stream, text))
                self.on_line(stream, text)
                self._changed.notify_all()
        pipe.close()

    def _reap(self):
        self._popen.wait()
        for reader in self._readers:
            reader.join()
        with self._changed:
            self._changed.notify_all()

    def on_line(self, stream, text):
        """Called for each line with the lock held; for those who make more of it."""

    @property
    def running(self):
        return self._popen.poll() is None

    @property
    def returncode(self):
        return self._popen.poll()

    def wait_until(self, condition, timeout, what):
        """Waits until condition(), looked at again after each line and at the end, is true; returns that."""
        deadline = time.monotonic() + tap.seconds(timeout)
        with self._changed:
            while True:
                value = condition()
                if value:
                    return value
                ended = not self.running and not any(r.is_alive() for r in self._readers)
                left = deadline - time.monotonic()
                if ended:
                    value = condition()
                    if value:
                        return value
                    raise AssertionError(
                        f"{self.name} ended (status {self.returncode}) before {what}"
                    )
                if left <= 0:
                    raise AssertionError(
                        f"{self.name}: {what} did not happen within {tap.seconds(timeout):.0f} s"
                    )
                self._changed.wait(left)

    def wait_line(self, pattern, timeout=20, start=0):
        """Waits for a line that matches; returns the match. `start`: the first line that counts."""
        seen = [start]
        regex = re.compile(pattern)

        def look():
            while seen[0] < len(self.lines):
                match = regex.search(self.lines[seen[0]].text)
                seen[0] += 1
                if match:
                    return match
            return None

        return self.wait_until(look, timeout, f"a line like {pattern!r}")

    def has_line(self, pattern):
        regex = re.compile(pattern)
        with self._changed:
            return any(regex.search(line.text) for line in self.lines)

    def wait_exit(self, timeout=20):
        """Waits for the process to end by itself; returns its status."""
        try:
            self._popen.wait(tap.seconds(timeout))
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"{self.name} did not end within {tap.seconds(timeout):.0f} s"
            ) from None
        deadline = time.monotonic() + tap.seconds(self.drain_seconds)
        for reader in self._readers:
            reader.join(max(0, deadline - time.monotonic()))
        if any(reader.is_alive() for reader in self._readers):
            self.problems.append("left a process behind, which holds its output")
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        return self._popen.returncode

    def stop(self, timeout=STOP_SECONDS):
        """Asks the process to end, waits for that, and returns its status."""
        if self.running:
            self.ended_by_us = True
            self._popen.send_signal(self.stop_signal)
        return self.wait_exit(timeout)

    def kill(self):
        """SIGKILL, as by the out-of-memory killer."""
        self.killed = True
        self._popen.kill()
        self.wait_exit()

    def end(self):
        """Ends the process if it still runs; not to stop when asked is a problem."""
        if self.stdin and not self.stdin.closed:
            try:
                self.stdin.close()
            except OSError:
                pass
        try:
            self.stop()
        except AssertionError as error:
            self.problems.append(str(error) + " after being asked to")
            self.problems += [f"  thread {name}: {where}" for name, where in self.threads()]
            self.kill()

    def threads(self):
        """The name of each of its threads now, and where that waits as far as the kernel says."""
        found = []
        try:
            for task in sorted(os.listdir(f"/proc/{self.pid}/task")):
                with open(f"/proc/{self.pid}/task/{task}/comm", encoding="utf-8") as comm:
                    with open(f"/proc/{self.pid}/task/{task}/wchan", encoding="utf-8") as wchan:
                        found.append((comm.read().strip(), wchan.read().strip()))
        except OSError:
            pass
        return found

    def complaints(self):
        """What this process did that none may do."""
        found = [f"{self.name}: {problem}" for problem in self.problems]
        for line in self.lines:
            if FORBIDDEN.search(line.text) and not (
                self.tolerate and self.tolerate.search(line.text)
            ):
                found.append(f"{self.name} printed: {line.text}")
        code = self.returncode
        if code is not None and code < 0 and not self.killed:
            if not (self.ended_by_us and -code == self.stop_signal):
                found.append(f"{self.name} died of {signal.Signals(-code).name}{self._backtrace()}")
        return found

    def _backtrace(self):
        """Where the threads were when it died, as far as its core and a debugger are there."""
        core = os.path.join(self._directory, "core")
        program, debugger = shutil.which(self.argv[0]), shutil.which("gdb")
        if not (os.path.exists(core) and program and debugger):
            return ""
        command = [debugger, "-batch", "-ex", "bt 30", "-ex", "thread apply all bt 12", program, core]
        shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        return f"\n{shown.stdout}"

    def transcript(self):
        """The last of what the process printed."""
        lines = [line for line in self.lines if not CHATTER.search(line.text)][-TRANSCRIPT_LINES:]
        head = f"--- {self.name} (status {self.returncode}): {' '.join(self.argv)}"
        return "\n".join(
            [head] + [f"{self.name} {line.stream}| {line.text[:400]}" for line in lines]
        )


def status(pid):
    """What /proc says of a process now: {"rss": bytes, "threads": n, "fds": n}, or None once it is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            text = file.read()
        return {
            "rss": int(re.search(r"VmRSS:\s+(\d+) kB", text).group(1)) * 1024,
            "threads": int(re.search(r"Threads:\s+(\d+)", text).group(1)),
            "fds": len(os.listdir(f"/proc/{pid}/fd")),
        }
    except (OSError, AttributeError):
        return None


class MemoryWatch:
    """Samples the resident memory of processes ten times a second from now on."""

    INTERVAL_SECONDS = 0.1

    def __init__(self, *processes):
        self._processes = processes
        self.start = {p.name: status(p.pid)["rss"] for p in processes}
        self.peak = dict(self.start)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._done.wait(self.INTERVAL_SECONDS):
            self.look()

    def look(self):
        """Takes one more sample now."""
        for process in self._processes:
            now = status(process.pid)
            if now:
                self.peak[process.name] = max(self.peak[process.name], now["rss"])

    def growth(self):
        """Stops sampling; returns by how many bytes each process had grown at most."""
        self._done.set()
        self._thread.join()
        return {name: self.peak[name] - self.start[name] for name in self.start}
