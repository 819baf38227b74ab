# SPDX-License-Identifier: LGPL-2.1-or-later
"""conic call: sound and pictures both ways."""

import argparse
import functools

from .. import devices, files, recording, stream, target
from ..exits import WrongUsage, with_all
from ..pipeline import PEER, peer_properties
from .audio_offer import TONE
from .video_offer import PATTERN, RAW

SUMMARY = "talk to a peer: sound and pictures both ways"
DESCRIPTION = """\
Calls a peer, in a terminal or a browser, with sound and pictures both ways; or waits for a call."""

INSTEAD = "--discard only counts what comes"
# A sink that waits for its first buffer makes all others wait; but there may never be pictures, or
# never sound, and then the other is to come nevertheless.
DISCARD = "fakesink sync=true async=false"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument(
        "peer", metavar="PEER", nargs="?", help="whom to call; without, wait to be called"
    )
    parser.add_argument("--wait", action="store_true", help="wait to be called")
    sound = parser.add_mutually_exclusive_group()
    sound.add_argument("--mic", action="store_true", help="send the microphone (the default)")
    sound.add_argument("--tone", action="store_true", help="send a tone of 440 Hz")
    pictures = parser.add_mutually_exclusive_group()
    pictures.add_argument("--camera", action="store_true", help="send the camera (the default)")
    pictures.add_argument("--pattern", action="store_true", help="send colour bars")
    pictures.add_argument("--no-video", action="store_true", help="only talk")
    parser.add_argument("--record", metavar="FILE.webm", help="record what comes, too")
    parser.add_argument("--discard", action="store_true", help="neither show nor play what comes")
    files.add_force(parser)
    stream.add_arguments(parser)


def sound_out(options: argparse.Namespace) -> str:
    """What is sent to be heard."""
    source = TONE
    if not options.tone:
        source = "autoaudiosrc" if options.print else devices.microphone()
    return f"{source} ! audioconvert ! audioresample ! level name=spoken ! {PEER}.audio_0"


def pictures_out(options: argparse.Namespace) -> str:
    """What is sent to be seen."""
    source = PATTERN
    if not options.pattern:
        camera = "autovideosrc" if options.print else devices.camera()
        source = f"{camera} ! {RAW}"
    return f"{source} ! {PEER}.video_0"


def sound_in(options: argparse.Namespace) -> str:
    """What becomes of the sound that comes."""
    if options.discard:
        sink = DISCARD
    else:
        sink = "autoaudiosink" if options.print else devices.loudspeaker(INSTEAD)
    come = f"{PEER}.audio_src_0 ! queue ! audioconvert ! audioresample ! level name=heard"
    if options.record:
        return _recorded(come, "sound", f"audioconvert ! {sink}", recording.SOUNDTRACK)
    return f"{come} ! {sink}"


def pictures_in(options: argparse.Namespace) -> str:
    """What becomes of the pictures that come."""
    if options.discard:
        sink = DISCARD
    else:
        window = "ximagesink"
        if not options.print:
            window = devices.window(f"{INSTEAD}, --no-video talks")
        sink = f"{window} async=false"
    come = f"{PEER}.video_src_0 ! queue ! videoconvert"
    if options.record:
        return _recorded(come, "pictures", f"videoconvert ! {sink}", recording.VIDEO)
    return f"{come} ! {sink}"


def _recorded(come: str, tee: str, sink: str, encoder: str) -> str:
    """What comes goes to a sink, and to the file as well."""
    return (
        f"{come} ! tee name={tee} ! queue ! {sink}  {tee}. ! queue ! {encoder} ! {recording.MUX}."
    )


def run(options: argparse.Namespace) -> int:
    """Talks."""
    if options.wait and options.peer:
        raise WrongUsage(f"either wait, or call “{options.peer}”")
    peer = target.checked(options.peer, options) if options.peer else None
    ways = [sound_out, sound_in]
    if not options.no_video:
        ways += [pictures_out, pictures_in]
    parts = [f"conicbin {peer_properties(options, peer)}"]
    if options.record:
        parts.append(recording.muxer(options))
    parts += with_all(*(functools.partial(way, options) for way in ways))
    return stream.run(options, "  ".join(parts), sends=True, receives=True, target=peer)
