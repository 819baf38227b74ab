# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is installed here, and what it can be seen and heard with."""

import argparse
import platform
from collections import defaultdict
from collections.abc import Iterator

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402  pylint: disable=wrong-import-position

# pylint: disable=wrong-import-position
from .. import devices, elements  # noqa: E402
from ..exits import Exit, Missing  # noqa: E402
from . import FAIL, OK, WARN, Finding  # noqa: E402

# pylint: enable=wrong-import-position

GST_MINIMUM = (1, 22)


def check(_options: argparse.Namespace) -> Iterator[Finding]:
    """This machine."""
    yield from _versions()
    yield from _elements()
    yield from _devices()


def _versions() -> Iterator[Finding]:
    """What is installed."""
    Gst.init(None)
    plugin = Gst.Registry.get().find_plugin("conic")
    ours = f"plugin {plugin.get_version()}" if plugin else "no plugin"
    gst = ".".join(map(str, Gst.version()[:3]))
    text = f"conic: {ours}; GStreamer {gst}; Python {platform.python_version()}"
    if Gst.version()[:2] < GST_MINIMUM:
        yield Finding(FAIL, "versions", text, "GStreamer 1.22 or newer is needed", Exit.MISSING)
    else:
        yield Finding(OK, "versions", text)


def _elements() -> Iterator[Finding]:
    """A line for each package of which something is missing."""
    for table, level, loss in (
        (elements.NEEDED, FAIL, "nothing works without"),
        (elements.OPTIONAL, WARN, "one can do without"),
    ):
        lacking = defaultdict(list)
        for name, package in table.items():
            if not elements.is_there(name):
                lacking[package].append(name)
        for package, names in sorted(lacking.items()):
            text = f"GStreamer has no {', '.join(names)} ({loss})"
            advice = f"install {package} (that is Debian's name for it)"
            if package == elements.CONIC:
                advice += ", or set GST_PLUGIN_PATH to where libgstconic.so is"
            yield Finding(level, "elements", text, advice, Exit.MISSING)
        if not lacking:
            yield Finding(OK, "elements", f"all {len(table)} that {loss} are there")


def _devices() -> Iterator[Finding]:
    """Whether there is something to see and hear with."""
    for what, find, instead in (
        ("microphone", devices.microphone, "--tone stands in for it"),
        ("camera", devices.camera, "--pattern stands in for it"),
        ("loudspeaker", lambda: devices.loudspeaker(""), "--record or --discard do without"),
        ("window", lambda: devices.window(""), "--record or --discard do without"),
    ):
        try:
            yield Finding(OK, what, f"{find()} opens one")
        except Missing:
            yield Finding(WARN, what, "there is none here", instead)
