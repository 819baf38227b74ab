# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a program that runs for a while shows, and the keys that it listens to.

In a terminal there is one line that is drawn over and over, with what happens in lines above it.
Elsewhere that line comes now and then, as a line; with --json everything is an object.
"""

import json
import os
import shutil
import signal
import sys
import termios
import time
import tty
from collections.abc import Callable

from gi.repository import GLib

from .plain import clean

# Where nobody watches, a line of figures this often is enough to see that it goes on.
PLAIN_SECONDS = 5
# Bytes of what is typed that are read at a time.
TYPED_BYTES = 1024


def quantity(count: float, unit: str) -> str:
    """A figure with a prefix: 1250000 and "B" are 1.2 MB."""
    for prefix in ("", "k", "M"):
        if count < 1000:
            break
        count /= 1000
    else:
        prefix = "G"
    return f"{count:.0f} {unit}" if not prefix else f"{count:.1f} {prefix}{unit}"


class Live:
    """The screen of one program.

    on_details  called when Enter was pressed
    on_quit     called when q was pressed
    """

    def __init__(self, as_json: bool, on_details: Callable[[], None], on_quit: Callable[[], None]):
        self._json = as_json
        self._redraws = sys.stdout.isatty() and not as_json
        self._on_details = on_details
        self._on_quit = on_quit
        self._watch = 0
        self._typed = b""
        self._attributes = None
        self._line = ""
        self._shown = 0.0

    def say(self, event: str, text: str, **fields) -> None:
        """Something has happened: `text` for people, `event` and its fields for programs."""
        if self._json:
            self._write(json.dumps({"event": event, **fields}) + "\n")
        elif text:
            # What a peer says is in some of it.
            text = "\n".join(map(clean, text.split("\n")))
            self._write(f"\r\033[K{text}\n" if self._redraws else f"{text}\n")
            self._redraw()

    def show(self, text: str, **fields) -> None:
        """How things are now."""
        if self._attributes is not None:
            # A shell that had the terminal meanwhile gives it back as it likes it.
            self._take_keys()
        if self._json:
            self._write(json.dumps({"event": "stats", **fields}) + "\n")
            return
        self._line = text
        if self._redraws:
            self._redraw()
        elif text and time.monotonic() - self._shown >= PLAIN_SECONDS:
            self._shown = time.monotonic()
            self._write(f"{text}\n")

    def _write(self, text: str) -> None:
        """Writes to who still reads us; that nobody does is no reason to leave a file unfinished."""
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except OSError:
            self._on_quit()

    def _redraw(self) -> None:
        if self._redraws:
            self._write(f"\r\033[K{self._line[: self.columns]}")

    @property
    def columns(self) -> int:
        """How long the line of `show` may be. A terminal's last column stays free for its cursor."""
        return shutil.get_terminal_size().columns - 1 if self._redraws else sys.maxsize

    @property
    def has_keys(self) -> bool:
        """Whether there is somebody who can press keys: a terminal, and it's ours."""
        return os.isatty(0) and os.tcgetpgrp(0) == os.getpgrp()

    def start(self) -> None:
        """Listens to the keys from now on: at once in a terminal, else line by line."""
        if self.has_keys:
            self._attributes = termios.tcgetattr(0)
            # In the background the keys are the shell's, which is no reason to stop.
            signal.signal(signal.SIGTTIN, signal.SIG_IGN)
            self._take_keys()
        elif not os.isatty(0):
            self._listen()

    def _take_keys(self) -> None:
        if self.has_keys:
            if termios.tcgetattr(0)[3] & termios.ECHO:
                tty.setcbreak(0)
            self._listen()

    def _listen(self) -> None:
        if not self._watch:
            self._watch = GLib.unix_fd_add_full(
                GLib.PRIORITY_DEFAULT, 0, GLib.IOCondition.IN | GLib.IOCondition.HUP, self._on_input
            )

    def stop(self) -> None:
        """Leaves the terminal as it was."""
        if self._watch:
            GLib.source_remove(self._watch)
            self._watch = 0
        if self._attributes is not None:
            if self.has_keys:
                termios.tcsetattr(0, termios.TCSADRAIN, self._attributes)
            self._attributes = None
        if self._redraws and self._line:
            self._line = ""
            self._write("\n")

    def _on_input(self, _fd, _condition) -> bool:
        try:
            typed = os.read(0, TYPED_BYTES)
        except OSError:
            # The terminal has gone.
            typed = b""
        if not typed:
            # Nobody is there to type; that is no reason to end.
            self._watch = 0
            return False
        if self._attributes is not None:
            keys = [typed[i : i + 1] for i in range(len(typed))]
        else:
            *keys, self._typed = (self._typed + typed).split(b"\n")
        for key in keys:
            if key.strip().lower() in (b"q", b"quit"):
                self._on_quit()
            elif not key.strip():
                self._on_details()
        return bool(self._watch)
