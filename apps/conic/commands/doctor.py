# SPDX-License-Identifier: LGPL-2.1-or-later
"""conic doctor: looks whether all is well here, and says what to do where it isn't."""

import argparse
import json
import sys

from ..checks import FAIL, OK, WARN, Finding, machine, paths, signaling
from ..exits import Exit
from ..plain import clean

SUMMARY = "look whether the hub, the paths and the plugins are all right"
DESCRIPTION = """\
Looks whether the hub can be reached and lets us in, which paths to other peers there are, and
whether GStreamer has all that is needed. No server is asked but those that the hub or you name."""

COLOURS = {OK: "32", WARN: "33", FAIL: "31"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    # fmt: off
    parser.add_argument("--stun-server", metavar="URI", action="append", default=[],
                        help="try this STUN server, too: stun://HOST:PORT")
    parser.add_argument("--turn-server", metavar="URI", action="append", default=[],
                        help="try this TURN server, too: turn://USER:PASSWORD@HOST:PORT")
    # fmt: on


def show(finding: Finding, as_json: bool) -> None:
    """Prints a line, and one with what to do."""
    if as_json:
        fields = finding._asdict()
        del fields["code"]
        print(json.dumps({"event": "check", **fields}), flush=True)
        return
    level = f"{finding.level:4}"
    if sys.stdout.isatty():
        level = f"\033[{COLOURS[finding.level]}m{level}\033[m"
    print(f"{level}  {finding.what:14} {clean(finding.text)}", flush=True)
    if finding.advice and finding.level != OK:
        print(f"      {'':14} → {clean(finding.advice)}", flush=True)


def run(options: argparse.Namespace) -> int:
    """Checks all; the exit code is that of the first failure."""
    failures = []
    for part in (machine, signaling, paths):
        for finding in part.check(options):
            show(finding, options.json)
            if finding.level == FAIL:
                failures.append(finding)
    if options.json:
        print(json.dumps({"event": "end", "failures": len(failures)}))
    return failures[0].code if failures else Exit.DONE
