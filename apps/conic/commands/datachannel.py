# SPDX-License-Identifier: LGPL-2.1-or-later
"""conic datachannel: talks to peers, and sends and receives files, over data channels."""

import argparse
import asyncio
import sys
from pathlib import Path

from .. import hub
from ..exits import Exit, WrongUsage
from ..talk import Talk

SUMMARY = "talk to peers over data channels, send and receive files"
DESCRIPTION = """\
Talks to peers over data channels. In a terminal it has a line to type commands in; `help` lists
them. In a pipe each line of standard input is a command, and it ends when there are no more and
what was sent has arrived."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its arguments. Go's flags, as conic's own programs have them, begin with one dash."""
    parser.add_argument(
        "--role",
        "-role",
        choices=("offer", "answer"),
        help="offer: asks for a peer's id and calls it; answer: waits for a call, in a pipe also "
        "before the first command and after the last one; default: neither",
    )
    parser.add_argument("--id", metavar="NAME", help="our id (default: one that the hub assigns)")
    parser.add_argument(
        "--downloads",
        metavar="DIR",
        type=Path,
        help="where received files go (default: the current directory)",
    )
    files = parser.add_mutually_exclusive_group()
    files.add_argument(
        "--accept-files",
        action="store_true",
        help="take every file that a peer offers (default: ask in a terminal; refuse elsewhere)",
    )
    files.add_argument("--no-files", action="store_true", help="refuse every file, without asking")


def _tell_of_text(kind, error, trace) -> None:
    if issubclass(kind, UnicodeDecodeError):
        print(f"conic datachannel: a message makes no sense: {error}", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


def run(options: argparse.Namespace) -> int:
    """Runs until the end of the input, `quit` or Ctrl-C."""
    if options.downloads and not options.downloads.is_dir():
        raise WrongUsage(f"{options.downloads} is not a directory")
    if options.tls_ca:
        # The element would try it again and again.
        hub.certificates(options.tls_ca)
    # GStreamer's texts needn't be UTF-8, and Python's bindings say so in a traceback.
    sys.excepthook = _tell_of_text
    talk = Talk(options)
    asked = talk.console.interactive and not options.no_files
    if options.downloads and not (options.accept_files or asked):
        raise WrongUsage("--downloads has no use here without --accept-files: nobody is asked")
    try:
        return asyncio.run(talk.run())
    except (KeyboardInterrupt, asyncio.CancelledError):
        return Exit.DONE if talk.registered else Exit.INTERRUPTED
