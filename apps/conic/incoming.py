# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sound and pictures that come: the parts of a pipeline that play, show and record them."""

from . import recording
from .pipeline import PEER

# A sink that waits for its first buffer makes all others wait; but there may never be pictures, or
# never sound, and then the other is to come nevertheless.
DISCARD = "fakesink sync=true async=false"


def sound(pad: str, sink: str | None, recorded: bool) -> str:
    """What comes out of the Conic element's `pad` is heard, or recorded, or both."""
    come = f"{PEER}.{pad} ! queue ! audioconvert ! audioresample ! level name=heard"
    live = f"audioconvert ! {sink}" if sink else None
    return _recorded(come, "sound", live, recording.SOUNDTRACK) if recorded else f"{come} ! {sink}"


def pictures(pad: str, sink: str | None, recorded: bool) -> str:
    """Likewise, what is to be seen."""
    come = f"{PEER}.{pad} ! queue ! videoconvert"
    live = f"videoconvert ! {sink}" if sink else None
    return _recorded(come, "pictures", live, recording.VIDEO) if recorded else f"{come} ! {sink}"


def _recorded(come: str, tee: str, live: str | None, encoder: str) -> str:
    """What comes goes to the file, and to what plays it as well if there is something."""
    if live is None:
        return f"{come} ! {encoder} ! {recording.MUX}."
    return (
        f"{come} ! tee name={tee} ! queue ! {live}  {tee}. ! queue ! {encoder} ! {recording.MUX}."
    )
