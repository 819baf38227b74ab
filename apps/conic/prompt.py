# SPDX-License-Identifier: LGPL-2.1-or-later
"""The line that is typed in a terminal: edited, completed and remembered by prompt_toolkit."""

import os
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import Completer, Completion, PathCompleter, ThreadedCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, InMemoryHistory
from prompt_toolkit.patch_stdout import patch_stdout

from .console import Choices


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


class Prompt:
    """Asks for lines. What is printed meanwhile comes above the one that is typed."""

    def __init__(self, commands: dict[str, list[Choices | None]], history: str):
        self._commands = CommandCompleter(commands)
        self._session = PromptSession(history=_open_history(history), complete_while_typing=False)

    async def ask(self, words: str, choices: Choices | None) -> str | None:
        """The next line, or None after Ctrl-D or Ctrl-C."""
        completer = ChoiceCompleter(choices) if choices else self._commands
        try:
            with patch_stdout():
                # A completer may ask the hub, so it isn't run in the thread that draws.
                return await self._session.prompt_async(
                    words, completer=ThreadedCompleter(completer)
                )
        except (EOFError, KeyboardInterrupt):
            return None

    def show_status(self, text: str) -> None:
        """Shows something below the line, until it is empty again."""
        self._session.bottom_toolbar = text or None
        self._session.app.invalidate()
