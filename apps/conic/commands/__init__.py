# SPDX-License-Identifier: LGPL-2.1-or-later
"""The subcommands: a module here is one, and there is no other list of them.

commands/audio_offer.py is `conic audio-offer` and has

    SUMMARY                      what it does, in a few words for `conic help`
    DESCRIPTION                  more of it for its --help (may be left out)
    add_arguments(parser)        its own arguments; cli adds those that all have
    run(options) -> int          does it and returns the exit code, or raises an exits.Trouble
"""

import importlib
import pkgutil
from types import ModuleType

from ..exits import Missing, missing_module


def names() -> list[str]:
    """All subcommands as they are typed, sorted."""
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__))


def load(name: str) -> ModuleType:
    """The module of a subcommand. Raises Missing if this machine lacks what it is built on."""
    try:
        return importlib.import_module("." + name.replace("-", "_"), __name__)
    except ImportError as error:
        raise missing_module(error) from error
    except ValueError as error:
        # gi.require_version: no typelib of that name.
        raise Missing(f"a library's description for Python is missing: {error}") from error
