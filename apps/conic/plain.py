# SPDX-License-Identifier: LGPL-2.1-or-later
"""Words on a terminal that aren't ours: what others wrote, and what was typed."""

import sys


def clean(text: str) -> str:
    """Text of a peer or a hub as one line without anything that a terminal would obey."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def end_typed_line() -> None:
    """After Ctrl-C, which a terminal shows as ^C: what comes next begins on a line of its own."""
    if sys.stdin.isatty() and sys.stderr.isatty():
        print(file=sys.stderr)
