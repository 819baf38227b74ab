# SPDX-License-Identifier: LGPL-2.1-or-later
"""What others wrote, as it may be shown."""


def clean(text: str) -> str:
    """Text of a peer or a hub as one line without anything that a terminal would obey."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
