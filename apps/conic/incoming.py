# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sound and pictures that come: the parts of a pipeline that play, show and record them."""

from . import recording
from .pipeline import PEER

DISCARD = "fakesink sync=true"


def sound(pad: str, sink: str | None, recorded: bool) -> str:
    """What comes out of the Conic element's `pad` is heard, or recorded, or both."""
    come = f"{PEER}.{pad} ! queue ! audioconvert ! audioresample ! level name=heard"
    return _parts(come, "sound", "audioconvert", sink, recording.SOUNDTRACK if recorded else None)


def pictures(pad: str, sink: str | None, recorded: bool) -> str:
    """Likewise, what is to be seen."""
    come = f"{PEER}.{pad} ! queue ! videoconvert"
    return _parts(come, "pictures", "videoconvert", sink, recording.VIDEO if recorded else None)


def _parts(come: str, tee: str, converter: str, sink: str | None, encoder: str | None) -> str:
    """What comes goes to a sink, or encoded to the file, or both."""
    if sink is None:
        return f"{come} ! {encoder} ! {recording.MUX}."
    # A sink that waits for its first buffer makes all others wait; but there may never be pictures,
    # or never sound, and then the other is to come nevertheless. One that finds its device by itself
    # is a bin.
    sink += " async-handling=true" if sink.startswith("auto") else " async=false"
    if encoder is None:
        return f"{come} ! {sink}"
    return (
        f"{come} ! tee name={tee} ! queue ! {converter} ! {sink}"
        f"  {tee}. ! queue ! {encoder} ! {recording.MUX}."
    )
