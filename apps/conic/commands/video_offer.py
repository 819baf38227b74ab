# SPDX-License-Identifier: LGPL-2.1-or-later
"""conic video-offer: calls a peer and sends it pictures, or a film with its sound."""

import argparse

from .. import devices, stream, target
from ..film import Film
from ..pipeline import PEER, peer_properties, value

SUMMARY = "call a peer and send it pictures"
DESCRIPTION = """\
Calls a peer, such as conic video-answer, and sends it pictures: the camera, a pattern, or a film
with its sound."""

# A camera may offer H.264, too, which conicsink would send as it is: at whatever bit rate that has.
RAW = "video/x-raw"
PATTERN = f"videotestsrc is-live=true ! {RAW},width=640,height=480,framerate=30/1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    target.add_argument(parser)
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--camera", action="store_true", help="send the camera (the default)")
    source.add_argument(
        "--file", metavar="FILE", help="send a film, pictures and sound, and end with it"
    )
    source.add_argument("--pattern", action="store_true", help="send colour bars")
    stream.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Sends."""
    if options.file:
        return _send_film(options)
    source = PATTERN
    if not options.pattern:
        camera = "autovideosrc" if options.print else devices.camera()
        source = f"{camera} ! {RAW}"
    peer = target.find(options)
    text = f"{source} ! conicsink {peer_properties(options, peer)}"
    return stream.run(options, text, sends=True, target=peer)


def _send_film(options: argparse.Namespace) -> int:
    """Sends what the file has: a pad of conicsink for which nothing comes would hold up the call."""
    film = Film(options.file)
    peer = target.find(options)
    parts = [
        f"conicsink {peer_properties(options, peer)}",
        f"filesrc location={value(options.file)} ! decodebin name=film",
    ]
    # The converters are what decodebin's pads tell themselves apart by.
    if "video" in film.kinds:
        parts.append(f"film. ! videoconvert ! {PEER}.video_0")
    if "audio" in film.kinds:
        parts.append(f"film. ! audioconvert ! audioresample ! {PEER}.audio_0")
    note = f"Sending {film}."
    return stream.run(options, "  ".join(parts), sends=True, target=peer, held=True, note=note)
