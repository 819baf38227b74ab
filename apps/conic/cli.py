# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command line: which subcommand, the options that all of them have, and how failures are told."""

import argparse
import difflib
import json
import os
import re
import sys
from types import ModuleType
from urllib.parse import urlsplit, urlunsplit

from . import commands, completion
from .exits import Exit, Missing, Trouble
from .plain import clean, end_typed_line

DEFAULT_HUB = "ws://127.0.0.1:3000/ws"
HUB_SCHEMES = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}

EPILOG = """\
The environment variables CONIC_HUB and CONIC_TOKEN stand for --hub and --token.

Exit codes: 0 done, 1 what was asked for didn't happen, 2 wrong usage, 3 the hub can't be
reached or refused us, 4 something is missing on this machine, 130 ended by Ctrl-C before
anything was done."""


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line instead of repeating the usage."""

    def __init__(self, *args, **kwargs):
        super().__init__(
            *args,
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **kwargs,
        )

    def error(self, message: str):
        self.exit(Exit.USAGE, f"{self.prog}: {message}; see {self.prog} --help\n")


def hub_uri(text: str) -> str:
    """The URI of a hub's WebSocket, also from that of its page; raises what argparse reports."""
    try:
        parts = urlsplit(text)
        scheme = HUB_SCHEMES.get(parts.scheme)
        valid = scheme is not None and parts.hostname and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise argparse.ArgumentTypeError(
            f"“{text}” is not the URI of a hub, such as {DEFAULT_HUB} or wss://hub.example.org/ws"
        )
    path = parts.path if parts.path not in ("", "/") else "/ws"
    return urlunsplit((scheme, parts.netloc, path, parts.query, ""))


def token(text: str) -> str:
    """A token as it can be sent; raises what argparse reports, without the token."""
    if not re.fullmatch(r"[\x21-\x7e]+", text):
        raise argparse.ArgumentTypeError("it has characters that no token has")
    return text


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """What every subcommand takes."""
    group = parser.add_argument_group("options of all subcommands")
    group.add_argument(
        "--hub",
        metavar="URI",
        type=hub_uri,
        default=os.environ.get("CONIC_HUB") or DEFAULT_HUB,
        help=f"the hub (default: $CONIC_HUB, or {DEFAULT_HUB})",
    )
    group.add_argument(
        "--token",
        metavar="JWT",
        type=token,
        default=os.environ.get("CONIC_TOKEN") or None,
        help="what the hub lets us in for (default: $CONIC_TOKEN, which other users can't see in ps)",
    )
    group.add_argument(
        "--tls-ca",
        metavar="FILE",
        help="certificates (PEM) that vouch for a hub at wss:// (default: those of the system)",
    )
    group.add_argument("--json", action="store_true", help="print JSON objects, one a line")
    group.add_argument("-h", "--help", action="help", help="show this")


def parser_of(name: str, module: ModuleType) -> argparse.ArgumentParser:
    """The parser of one subcommand."""
    parser = Parser(
        prog=f"conic {name}",
        description=getattr(module, "DESCRIPTION", module.SUMMARY),
        epilog=EPILOG,
        add_help=False,
    )
    module.add_arguments(parser)
    add_common_arguments(parser)
    return parser


def overview() -> str:
    """What `conic help` prints."""
    lines = ["Usage: conic SUBCOMMAND [ARGUMENT]...", ""]
    for name in commands.names():
        try:
            summary = commands.load(name).SUMMARY
        except Missing as error:
            summary = f"(can't run here: {error})"
        lines.append(f"  {name:16}{summary}")
    lines += [
        f"  {'help':16}show this, or with a SUBCOMMAND its options",
        "",
        "conic SUBCOMMAND --help shows the options of one; conic --version the version.",
        EPILOG,
    ]
    return "\n".join(lines)


def tell(name: str, trouble: Trouble, as_json: bool) -> None:
    """Says what went wrong: in words, and for a script as its last line of JSON as well."""
    sys.stdout.flush()
    # What a hub says is in some of it.
    print(f"conic {name}: {clean(str(trouble))}", file=sys.stderr)
    if as_json:
        print(json.dumps({"event": "error", "message": str(trouble), "code": int(trouble.code)}))


def run(name: str, arguments: list[str]) -> int:
    """Runs one subcommand; returns the exit code."""
    as_json = "--json" in arguments
    try:
        module = commands.load(name)
        options = parser_of(name, module).parse_args(arguments)
        return module.run(options)
    except Trouble as trouble:
        tell(name, trouble, as_json)
        return trouble.code
    except KeyboardInterrupt:
        end_typed_line()
        return Exit.INTERRUPTED


def main(version: str) -> int:
    """The whole program; returns its exit code."""
    open_standard_files()
    try:
        try:
            return dispatch(version, sys.argv[1:])
        finally:
            sys.stdout.flush()
    except OSError as error:
        if error.filename is not None:
            raise
        # What is left in them would be written, and complained of, once more at Python's end.
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if not isinstance(error, BrokenPipeError):
            # Else whoever read us has gone, and knows why.
            print(f"conic: the output can't be written: {error.strerror}", file=sys.stderr)
        return Exit.FAILED


def open_standard_files() -> None:
    """Has something in place of each that was closed: else what is opened next would be there."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))


def dispatch(version: str, arguments: list[str]) -> int:
    """Does what the first argument says; returns the exit code."""
    # What peers write may have characters that this terminal hasn't.
    sys.stdout.reconfigure(errors="replace")
    if not arguments:
        print(overview(), file=sys.stderr)
        return Exit.USAGE
    name, rest = arguments[0], arguments[1:]
    if name in ("--version", "-V"):
        print(f"conic {version}")
        return Exit.DONE
    if name == "--complete":
        print("\n".join(completion.candidates(rest)))
        return Exit.DONE
    if name in ("help", "--help", "-h"):
        if not rest:
            print(overview())
            return Exit.DONE
        name, rest = rest[0], ["--help"]
    if name not in commands.names():
        kind = "option" if name.startswith("-") else "subcommand"
        close = difflib.get_close_matches(name, commands.names(), 1)
        hint = f" (but {close[0]})" if close else ""
        print(f"conic: there is no {kind} “{name}”{hint}; see conic help", file=sys.stderr)
        return Exit.USAGE
    return run(name, rest)
