# SPDX-License-Identifier: LGPL-2.1-or-later
"""What may come next on a command line: for the shells, which ask by `conic --complete WORD...`.

All of it comes from the parsers, so there is nothing to keep in step with them.
"""

import argparse
import contextlib

from . import cli, commands
from .exits import Trouble

# A line that says: complete a path, which shells do better.
PATH = ":path"
# What a metavar stands for. Others are anything, and nothing can be proposed.
PATHS = ("FILE", "DIR")
PEERS = ("PEER", "TARGET")


def candidates(words: list[str]) -> list[str]:
    """What the last of the words after `conic` may be; the shell drops what doesn't fit."""
    if len(words) < 2:
        return [*commands.names(), "help", "--help", "--version"]
    name, *before, _current = words
    if name == "help":
        return commands.names()
    if name not in commands.names():
        return []
    try:
        parser = cli.parser_of(name, commands.load(name))
    except Trouble:
        return []
    return _of_parser(parser, before, words[-1])


def _of_parser(parser: argparse.ArgumentParser, before: list[str], current: str) -> list[str]:
    # argparse has no other way to tell what it knows.
    actions = parser._actions  # pylint: disable=protected-access
    options = {text: action for action in actions for text in action.option_strings}
    positionals = [action for action in actions if not action.option_strings]
    waiting, given = None, 0
    for word in before:
        if waiting:
            waiting = None
        elif word in options:
            waiting = options[word] if options[word].nargs != 0 else None
        elif not word.startswith("-"):
            given += 1
    if waiting:
        return _of_value(waiting, before)
    if current.startswith("-"):
        return sorted(text for text in options if text.startswith("--"))
    return _of_value(positionals[given], before) if given < len(positionals) else []


def _of_value(action: argparse.Action, before: list[str]) -> list[str]:
    kind = str(action.metavar or "").split(".")[0]
    if action.choices:
        return list(action.choices)
    if kind in PATHS:
        return [PATH]
    return _peers(before) if kind in PEERS else []


def _peers(before: list[str]) -> list[str]:
    """Who is on the hub that the line names; nobody if it can't be asked."""
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False, allow_abbrev=False)
    cli.add_common_arguments(parser)
    with contextlib.suppress(Trouble, argparse.ArgumentError, ImportError, ValueError, SystemExit):
        options, _ = parser.parse_known_args(before)
        from . import hub  # pylint: disable=import-outside-toplevel

        with hub.Client(options.hub, options.token, options.tls_ca) as client:
            return client.peers()
    return []
