# SPDX-License-Identifier: LGPL-2.1-or-later
"""Microphone, camera, loudspeaker and window: which element is for each here, if there is one."""

import contextlib
import os

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402  pylint: disable=wrong-import-position

from . import elements  # noqa: E402  pylint: disable=wrong-import-position
from .exits import Missing  # noqa: E402  pylint: disable=wrong-import-position

# Sinks that open a window, the best first. Not autovideosink: where there is no display it also
# tries DirectFB's, which crashes.
WINDOWS = ("waylandsink", "xvimagesink", "ximagesink")
# What GStreamer's auto elements fall back to, in silence, when there is no device; OpenAL's source
# is content without one.
STAND_INS = ("fakesink", "fakesrc", "audiotestsrc", "videotestsrc", "openalsrc")


def microphone() -> str:
    """The element for the microphone. Raises Missing if there is none."""
    return _auto("autoaudiosrc", "there is no microphone here (--tone sends a test tone instead)")


def camera() -> str:
    """The element for the camera. Raises Missing if there is none."""
    return _auto("autovideosrc", "there is no camera here (--pattern sends test pictures instead)")


def loudspeaker(instead: str) -> str:
    """The element that plays sound. Raises Missing with what to do `instead` if nothing can."""
    return _auto("autoaudiosink", f"there is no loudspeaker here ({instead})")


def window(instead: str) -> str:
    """The element that shows pictures. Raises Missing with what to do `instead` if nothing can."""
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        for name in WINDOWS:
            if _opens(name) is not None:
                return name
    raise Missing(f"there is no display here ({instead})")


def _opens(name: str) -> list[str] | None:
    """The elements inside of that one when its device has been opened; None if it can't be."""
    Gst.init(None)
    element = Gst.ElementFactory.make(name)
    if element is None:
        return None
    try:
        with _no_chatter():
            result = element.set_state(Gst.State.READY)
        if result != Gst.StateChangeReturn.SUCCESS:
            return None
        if not isinstance(element, Gst.Bin):
            return []
        return [child.get_factory().get_name() for child in element.iterate_elements()]
    finally:
        element.set_state(Gst.State.NULL)


@contextlib.contextmanager
def _no_chatter():
    """Keeps libraries from complaining of each device that isn't there; we say it in our words."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _auto(name: str, words: str) -> str:
    """That element, if it finds a device."""
    if not elements.is_there(name):
        raise elements.missing([name])
    inside = _opens(name)
    if not inside or any(child in STAND_INS for child in inside):
        raise Missing(words)
    return name
