# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program in a terminal: what a user would type, and what they would see on the screen."""

import fcntl
import os
import pty
import re
import struct
import termios
import threading
import time

import pyte

from . import tap
from .process import FORBIDDEN, STOP_SECONDS

COLUMNS, ROWS = 100, 30


class _Emulator(pyte.HistoryScreen):
    """A screen that answers when the program asks it where the cursor is."""

    answer = None

    def write_process_input(self, data):
        self.answer(data.encode())


class Screen:
    """A child on a terminal of its own. Like a Process, it is judged when its case ends."""

    def __init__(self, case, name, argv, env=None):
        self.name, self.argv = name, argv
        self.problems, self._status = [], None
        self._screen = _Emulator(COLUMNS, ROWS, history=1000)
        self._screen.answer = lambda data: os.write(self._fd, data)
        self._changed = threading.Condition()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            try:
                os.chdir(case.directory)
                # What the elements log would be drawn over what the program draws.
                own = {"TERM": "xterm-256color", **(env or {}), "GST_DEBUG": ""}
                os.execvpe(argv[0], argv, {**os.environ, **own})
            finally:
                os._exit(127)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        case.adopt(self)

    def _read(self):
        stream = pyte.ByteStream(self._screen)
        while True:
            try:
                data = os.read(self._fd, 65536)
            except OSError:
                data = b""
            with self._changed:
                if data:
                    stream.feed(data)
                else:
                    self._status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
                self._changed.notify_all()
            if not data:
                return

    @property
    def lines(self):
        """What has scrolled away and what is on the screen, without blanks at the ends of lines."""
        away = ["".join(line[x].data for x in range(COLUMNS)) for line in self._screen.history.top]
        return [line.rstrip() for line in [*away, *self._screen.display]]

    @property
    def line(self):
        """The line with the cursor."""
        return self._screen.display[self._screen.cursor.y].rstrip()

    @property
    def echoes(self):
        """Whether the terminal itself shows what is typed."""
        return bool(termios.tcgetattr(self._fd)[3] & termios.ECHO)

    def type(self, text):
        """Types that; "\\r" is Enter, "\\t" Tab, "\\x1b[A" the arrow up."""
        os.write(self._fd, text.encode())

    def wait(self, condition, timeout, what):
        """Waits until condition(), looked at after each change of the screen; returns its value."""
        deadline = time.monotonic() + tap.seconds(timeout)
        with self._changed:
            while not (value := condition()):
                left = deadline - time.monotonic()
                if self._status is not None:
                    raise AssertionError(f"{self.name} ended ({self._status}) before {what}")
                if left <= 0:
                    raise AssertionError(f"{self.name}: {what} did not happen")
                self._changed.wait(left)
            return value

    def wait_line(self, pattern, timeout=20):
        """Waits for a line that matches from its beginning to its end."""
        regex = re.compile(pattern)
        return self.wait(
            lambda: next(filter(None, map(regex.fullmatch, self.lines)), None),
            timeout,
            f"a line like {pattern!r}",
        )

    def wait_input(self, text, timeout=20):
        """Waits until the line with the cursor is that."""
        self.wait(lambda: self.line == text.rstrip(), timeout, f"the line {text!r}")

    def wait_exit(self, timeout=20):
        """Waits for it to end by itself; returns its status."""
        self._reader.join(tap.seconds(timeout))
        if self._status is None:
            raise AssertionError(f"{self.name} did not end")
        return self._status

    def end(self):
        """Hangs up, as closing the window does; kills what ignores that."""
        if self._status is None:
            os.kill(self.pid, 1)
            try:
                self.wait_exit(STOP_SECONDS)
            except AssertionError as error:
                self.problems.append(str(error))
                os.kill(self.pid, 9)
                self._reader.join()

    def complaints(self):
        """What this program did that none may do."""
        found = [f"{self.name}: {problem}" for problem in self.problems]
        found += [f"{self.name} showed: {x}" for x in self.lines if FORBIDDEN.search(x)]
        if any("Traceback" in line for line in self.lines):
            found.append(f"{self.name} showed a traceback")
        return found

    def transcript(self):
        """What is on the screen."""
        head = f"--- {self.name} (status {self._status}): {' '.join(self.argv)}"
        return "\n".join([head, *(f"{self.name} | {line}" for line in self.lines if line)])
