# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where lines come from and words go: a terminal, a pipe, or JSON for a script."""

import asyncio
import json
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable

from .exits import missing_module
from .plain import clean

# Lines that are read ahead of the command that runs.
READ_AHEAD = 16
READ_BYTES = 65536

Choices = Callable[[], list[str]]


def _make_prompt(commands: dict[str, list[Choices | None]], history: str):
    """Only here, because a pipe does without it, and has no reason to wait for its library."""
    try:
        from .prompt import Prompt  # pylint: disable=import-outside-toplevel
    except ImportError as error:
        raise missing_module(error) from error
    return Prompt(commands, history)


class Console:
    """Interactive if it is a terminal both ways, else lines in and lines out, without escapes."""

    def __init__(
        self,
        as_json: bool,
        commands: dict[str, list[Choices | None]],
        history: str,
        on_lost: Callable[[OSError], None],
    ):
        """`on_lost` is called when nobody can read us any more."""
        self._on_lost = on_lost
        self.as_json = as_json
        self.interactive = not as_json and sys.stdin.isatty() and sys.stdout.isatty()
        self._prompt = _make_prompt(commands, history) if self.interactive else None
        self._pipe: asyncio.Queue[str | None] | None = None

    def say(self, event: str, words: str, /, **fields) -> None:
        """Tells of an event, in words or as a JSON object."""
        line = json.dumps({"event": event, **fields}) if self.as_json else clean(words)
        try:
            print(line, flush=True)
        except OSError as error:
            self._on_lost(error)

    def complain(self, text: str) -> None:
        """Tells of something that didn't work."""
        if self.as_json:
            self.say("error", text, message=text)
            return
        try:
            print(clean(text), file=sys.stderr, flush=True)
        except OSError as error:
            self._on_lost(error)

    def show_status(self, text: str) -> None:
        """Shows something below the line that is typed, until it is empty again."""
        if self._prompt is not None:
            self._prompt.show_status(clean(text))

    async def lines(self, prompt: str, choices: Choices | None = None) -> AsyncIterator[str]:
        """What is typed, line by line, until Ctrl-D or Ctrl-C; or what a pipe has.

        Tab completes to one of the choices, or without any to a command.
        """
        while (line := await self._line(prompt, choices)) is not None:
            yield line

    async def _line(self, prompt: str, choices: Choices | None) -> str | None:
        if self._prompt is not None:
            return await self._prompt.ask(prompt, choices)
        if self._pipe is None:
            self._pipe = asyncio.Queue(READ_AHEAD)
            loop = asyncio.get_running_loop()
            threading.Thread(target=self._read, args=(loop,), daemon=True).start()
        return await self._pipe.get()

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        """Reads standard input in a thread, since asyncio can't read files."""

        def put(line: str | None) -> None:
            asyncio.run_coroutine_threadsafe(self._pipe.put(line), loop).result()

        rest = b""
        try:
            # Without Python's own buffer, whose lock the interpreter wants at its end.
            while data := os.read(sys.stdin.fileno(), READ_BYTES):
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    put(line.decode(errors="replace"))
            if rest:
                put(rest.decode(errors="replace"))
            put(None)
        except (OSError, RuntimeError):
            pass  # the program ends
