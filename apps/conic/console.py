# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where lines come from and words go: a terminal, a pipe, or JSON for a script."""

import asyncio
import json
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import Completer, Completion, PathCompleter, ThreadedCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, InMemoryHistory
from prompt_toolkit.patch_stdout import patch_stdout

# Lines that are read ahead of the command that runs.
READ_AHEAD = 16
READ_BYTES = 65536

Choices = Callable[[], list[str]]


def clean(text: str) -> str:
    """Text of a peer as one line without anything that a terminal would obey."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def history_path(name: str) -> Path:
    """Where a program's lines are remembered."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "conic" / name


def _open_history(name: str) -> FileHistory | InMemoryHistory:
    """Lines may be private, so nobody else reads them; where there is no place they are forgotten."""
    path = history_path(name)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(path))


class ChoiceCompleter(Completer):
    """Completes a line that is one of some choices."""

    def __init__(self, choices: Choices):
        self._choices = choices

    def get_completions(self, document, complete_event):
        """The choices that begin as the line does."""
        word = document.text_before_cursor
        for choice in self._choices():
            if choice.startswith(word):
                yield Completion(choice, -len(word))


class CommandCompleter(Completer):
    """Completes a command and its arguments; each argument has its choices, None stands for a path."""

    def __init__(self, commands: dict[str, list[Choices | None]]):
        self._commands = commands
        self._paths = PathCompleter(expanduser=True)

    def get_completions(self, document, complete_event):
        """What may be in place of the word before the cursor."""
        words = document.text_before_cursor.lstrip().split(" ")
        word = words[-1]
        sources = [lambda: list(self._commands), *self._commands.get(words[0], [])]
        if len(words) > len(sources):
            return
        source = sources[len(words) - 1]
        if source is None:
            yield from self._paths.get_completions(Document(word), complete_event)
        else:
            yield from ChoiceCompleter(source).get_completions(Document(word), complete_event)


class Console:
    """Interactive if it is a terminal both ways, else lines in and lines out, without escapes."""

    def __init__(self, as_json: bool, commands: dict[str, list[Choices | None]], history: str):
        self.as_json = as_json
        self._commands = CommandCompleter(commands)
        self.interactive = not as_json and sys.stdin.isatty() and sys.stdout.isatty()
        self._session: PromptSession | None = None
        self._pipe: asyncio.Queue[str | None] | None = None
        if self.interactive:
            self._session = PromptSession(
                history=_open_history(history), complete_while_typing=False
            )

    def say(self, event: str, words: str, /, **fields) -> None:
        """Tells of an event, in words or as a JSON object."""
        if self.as_json:
            print(json.dumps({"event": event, **fields}), flush=True)
        else:
            print(clean(words), flush=True)

    def complain(self, text: str) -> None:
        """Tells of something that didn't work."""
        if self.as_json:
            self.say("error", text, message=text)
        else:
            print(clean(text), file=sys.stderr, flush=True)

    def show_status(self, text: str) -> None:
        """Shows something below the line that is typed, until it is empty again."""
        if self._session is not None:
            self._session.bottom_toolbar = clean(text) if text else None
            self._session.app.invalidate()

    async def lines(self, prompt: str, choices: Choices | None = None) -> AsyncIterator[str]:
        """What is typed, line by line, until Ctrl-D or Ctrl-C; or what a pipe has.

        Tab completes to one of the choices, or without any to a command.
        """
        completer = ChoiceCompleter(choices) if choices else self._commands
        while (line := await self._line(prompt, completer)) is not None:
            yield line

    async def _line(self, prompt: str, completer: Completer) -> str | None:
        if self._session is None:
            if self._pipe is None:
                self._pipe = asyncio.Queue(READ_AHEAD)
                loop = asyncio.get_running_loop()
                threading.Thread(target=self._read, args=(loop,), daemon=True).start()
            return await self._pipe.get()
        try:
            with patch_stdout():
                # A completer may ask the hub, so it isn't run in the thread that draws.
                return await self._session.prompt_async(
                    prompt, completer=ThreadedCompleter(completer)
                )
        except (EOFError, KeyboardInterrupt):
            return None

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
