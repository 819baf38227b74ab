# SPDX-License-Identifier: LGPL-2.1-or-later
"""What conic doctor looks at: each module here has a `check` that yields findings."""

from typing import NamedTuple

from ..exits import Exit

OK, WARN, FAIL = "ok", "warn", "fail"


class Finding(NamedTuple):
    """One line: what was looked at, how that is, and what to do about it."""

    level: str
    what: str
    text: str
    advice: str = ""
    code: Exit = Exit.FAILED
