# SPDX-License-Identifier: LGPL-2.1-or-later
"""conic peers: who is on the hub."""

import argparse
import json
import select
import sys

from .. import hub
from ..exits import Exit
from ..plain import end_typed_line

SUMMARY = "show who is on the hub"
DESCRIPTION = "Shows the ids of all who are on the hub and whom we may reach, one a line."

# The protocol has no word for arrivals, so --watch asks again.
WATCH_SECONDS = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument(
        "--watch",
        action="store_true",
        help="go on, with a line for each who comes (+) or goes (-), until Ctrl-C",
    )


def show(sign: str, event: str, peer: str, as_json: bool) -> None:
    """A line for one who is there, came or went."""
    print(json.dumps({"event": event, "peer": peer}) if as_json else sign + peer, flush=True)


def check_reader() -> None:
    """Raises BrokenPipeError if nobody reads us any more, which else only the next line would show."""
    poll = select.poll()
    poll.register(sys.stdout, 0)
    if poll.poll(0):
        raise BrokenPipeError


def watch(client: hub.Client, known: set[str], as_json: bool) -> None:
    """Shows who comes and goes, for ever."""
    while True:
        client.pause(WATCH_SECONDS)
        check_reader()
        now = set(client.peers())
        for peer in sorted(known - now):
            show("- ", "left", peer, as_json)
        for peer in sorted(now - known):
            show("+ ", "arrived", peer, as_json)
        known = now


def run(options: argparse.Namespace) -> int:
    """Lists, and watches if that is wanted."""
    with hub.Client(options.hub, options.token, options.tls_ca) as client:
        peers = client.peers()
        try:
            for peer in peers:
                show("  " if options.watch else "", "peer", peer, options.json)
            if options.watch:
                watch(client, set(peers), options.json)
        except KeyboardInterrupt:
            end_typed_line()
    return Exit.DONE
