# SPDX-License-Identifier: LGPL-2.1-or-later
"""Exit codes, as conic(1) documents them, and the exceptions that end in them.

A command raises one of these with words that name what was wrong; `cli` prints them and exits.
"""

import enum
from collections.abc import Callable


class Exit(enum.IntEnum):
    """What the exit code of `conic` says."""

    DONE = 0
    FAILED = 1  # what was asked for didn't happen
    USAGE = 2
    HUB = 3  # the hub can't be reached, or refused us
    MISSING = 4  # something is missing on this machine
    INTERRUPTED = 130  # Ctrl-C before anything was done


class Trouble(Exception):
    """The base of those below; its text is a sentence without a full stop."""

    code = Exit.FAILED


class Failed(Trouble):
    """What was asked for didn't happen."""


class WrongUsage(Trouble):
    """The arguments make no sense."""

    code = Exit.USAGE


class HubTrouble(Trouble):
    """The hub can't be reached, or refused us."""

    code = Exit.HUB


class Missing(Trouble):
    """Something is missing on this machine; the text names it, and the package that has it."""

    code = Exit.MISSING


def with_all(*makers: Callable[[], str]) -> list[str]:
    """What each of them makes; or one Missing that names all that any of them misses."""
    made, missing = [], []
    for make in makers:
        try:
            made.append(make())
        except Missing as trouble:
            missing.append(str(trouble))
    if missing:
        raise Missing("; ".join(missing))
    return made


# What has modules that Python's own packages don't.
_PACKAGES = {"gi": "python3-gi", "prompt_toolkit": "python3-prompt-toolkit"}


def missing_module(error: ImportError) -> Missing:
    """The exception for a module of Python that can't be imported."""
    package = _PACKAGES.get((error.name or "").split(".")[0])
    hint = f"; Debian has it in {package}" if package else ""
    return Missing(f"a Python module is missing: {error}{hint}")
