# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pipelines as text: what gst-launch-1.0 reads, as GStreamer takes it and as a shell does."""

import argparse
import re
import shlex

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402  pylint: disable=wrong-import-position

from . import elements  # noqa: E402  pylint: disable=wrong-import-position
from .cli import DEFAULT_HUB  # noqa: E402  pylint: disable=wrong-import-position
from .exits import WrongUsage  # noqa: E402  pylint: disable=wrong-import-position

# The name of the Conic element in each of our pipelines.
PEER = "peer"

# A word as the parser of pipelines reads it: quotes and backslashes keep spaces in it.
_WORD = re.compile(r'(?:[^\s"\\]|\\.|"(?:[^"\\]|\\.)*")+')
_PLAIN = re.compile(r"[\w./:@%+~-]+", re.ASCII)
# Characters that no shell takes for something else; and a lone “!”, which pipelines are full of.
_NO_SHELL = re.compile(r"[\w./:@%+=,-]+|!", re.ASCII)


def value(text: str) -> str:
    """The text as the value of a property, quoted if it has to be."""
    if _PLAIN.fullmatch(text):
        return text
    if "\n" in text:
        raise WrongUsage(f"“{text!r}” has a line break in it")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def peer_properties(
    options: argparse.Namespace, target_id: str | None = None, **more: str | None
) -> str:
    """`name=peer` and the other properties of a Conic element, as far as they aren't the default.

    The token is none of them, for what a program was started with is seen by everybody; see
    `make` and `shell_line`.
    """
    settings = {
        "name": PEER,
        "uri": options.hub if options.hub != DEFAULT_HUB else None,
        "client-id": options.id,
        "target-id": target_id,
        "tls-ca": options.tls_ca,
        **{name.replace("_", "-"): text for name, text in more.items()},
    }
    return " ".join(f"{name}={value(text)}" for name, text in settings.items() if text)


def shell_line(text: str, token: str | None) -> str:
    """The command for a shell that runs the pipeline; a token is in it as $CONIC_TOKEN."""
    words = _WORD.findall(text)
    # -e: Ctrl-C is to bring a file to its end, instead of leaving it as it is.
    line = ["gst-launch-1.0", *(["-e"] if "filesink" in words else [])]
    for word in words:
        line.append(word if _NO_SHELL.fullmatch(word) else shlex.quote(word))
        if token and word == f"name={PEER}":
            line.append('token="$CONIC_TOKEN"')
    return " ".join(line)


def make(text: str, token: str | None) -> Gst.Pipeline:
    """Makes the pipeline. Raises Missing with the names of elements that aren't there."""
    Gst.init(None)
    context = Gst.ParseContext()
    try:
        pipeline = Gst.parse_launch_full(text, context, Gst.ParseFlags.FATAL_ERRORS)
    except GLib.Error as error:
        names = context.get_missing_elements()
        if not names:
            raise WrongUsage(f"the pipeline can't be made: {error.message}") from None
        raise elements.missing(sorted(set(names))) from None
    if token:
        pipeline.get_by_name(PEER).set_property("token", token)
    return pipeline
