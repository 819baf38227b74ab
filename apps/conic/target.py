# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whom to call: an argument, or a question in a terminal."""

import argparse
import sys

from . import hub
from .exits import WrongUsage


def add_argument(parser: argparse.ArgumentParser) -> None:
    """The argument."""
    parser.add_argument(
        "target", metavar="TARGET", nargs="?", help="the id of the peer (asked for in a terminal)"
    )


def find(options: argparse.Namespace) -> str:
    """The id that was given, or else what is typed when asked."""
    name = options.target
    if name is None and not options.print and sys.stdin.isatty() and not options.json:
        name = _ask(options)
    if not name:
        raise WrongUsage("whom to call? name a peer (conic peers lists them)")
    return checked(name, options)


def checked(name: str, options: argparse.Namespace) -> str:
    """The id, if it can be one of somebody else's."""
    if not hub.PEER_ID.fullmatch(name):
        raise WrongUsage(f"“{name}” can't be an id: one has 1 to 128 letters, digits and ._~-")
    if name == options.id:
        raise WrongUsage(f"“{name}” would call itself")
    return name


def _ask(options: argparse.Namespace) -> str:
    with hub.Client(options.hub, options.token, options.tls_ca) as client:
        peers = client.peers()
    print(f"On the hub: {', '.join(peers)}" if peers else "Nobody is on the hub yet.")
    try:
        return input("Whom to call? ").strip()
    except EOFError:
        print()
        return ""
