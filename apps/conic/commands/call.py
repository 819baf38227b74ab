# SPDX-License-Identifier: LGPL-2.1-or-later
"""conic call: sound and pictures both ways."""

import argparse
import functools

from .. import devices, files, incoming, recording, stream, target
from ..exits import WrongUsage, with_all
from ..pipeline import PEER, peer_properties
from .audio_offer import TONE
from .video_offer import PATTERN, RAW

SUMMARY = "talk to a peer: sound and pictures both ways"
DESCRIPTION = """\
Calls a peer, in a terminal or a browser, with sound and pictures both ways; or waits for a call."""

INSTEAD = "--discard only counts what comes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument(
        "peer", metavar="PEER", nargs="?", help="whom to call; without, wait to be called"
    )
    parser.add_argument("--wait", action="store_true", help="wait to be called")
    sound = parser.add_mutually_exclusive_group()
    sound.add_argument("--mic", action="store_true", help="send the microphone (the default)")
    sound.add_argument("--tone", action="store_true", help="send a tone of 440 Hz")
    sound.add_argument("--no-audio", action="store_true", help="neither send nor take sound")
    pictures = parser.add_mutually_exclusive_group()
    pictures.add_argument("--camera", action="store_true", help="send the camera (the default)")
    pictures.add_argument("--pattern", action="store_true", help="send colour bars")
    pictures.add_argument("--no-video", action="store_true", help="neither send nor take pictures")
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
        sink = incoming.DISCARD
    else:
        sink = "autoaudiosink" if options.print else devices.loudspeaker(INSTEAD)
    return incoming.sound("audio_src_0", sink, bool(options.record))


def pictures_in(options: argparse.Namespace) -> str:
    """What becomes of the pictures that come."""
    if options.discard:
        sink = incoming.DISCARD
    elif options.print:
        sink = "autovideosink"
    else:
        sink = devices.window(f"{INSTEAD}, --no-video talks")
    return incoming.pictures("video_src_0", sink, bool(options.record))


def run(options: argparse.Namespace) -> int:
    """Talks."""
    if options.wait and options.peer:
        raise WrongUsage(f"either wait, or call “{options.peer}”")
    if options.no_audio and options.no_video:
        raise WrongUsage("without sound and without pictures there is nothing to call for")
    peer = target.checked(options.peer, options) if options.peer else None
    ways, kinds = [], []
    if not options.no_audio:
        ways += [sound_out, sound_in]
        kinds.append("audio")
    if not options.no_video:
        ways += [pictures_out, pictures_in]
        kinds.append("video")
    # What isn't wanted isn't to come either, only to be thrown away here.
    receive = kinds[0] if len(kinds) == 1 else None
    parts = [f"conicbin {peer_properties(options, peer, receive=receive)}"]
    if options.record:
        parts.append(recording.muxer(options))
    parts += with_all(*(functools.partial(way, options) for way in ways))
    return stream.run(options, "  ".join(parts), sends=True, receives=True, target=peer)
