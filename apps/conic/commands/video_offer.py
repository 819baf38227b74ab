# SPDX-License-Identifier: LGPL-2.1-or-later
"""conic video-offer: calls a peer and sends it pictures."""

import argparse

from .. import devices, files, stream, target
from ..pipeline import peer_properties, value

SUMMARY = "call a peer and send it pictures"
DESCRIPTION = """\
Calls a peer, such as conic video-answer, and sends it pictures: the camera, a file or a pattern."""

# A camera may offer H.264, too, which conicsink would send as it is: at whatever bit rate that has.
RAW = "video/x-raw"
PATTERN = f"videotestsrc is-live=true ! {RAW},width=640,height=480,framerate=30/1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    target.add_argument(parser)
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--camera", action="store_true", help="send the camera (the default)")
    source.add_argument(
        "--file", metavar="FILE", help="send the pictures of a film, and end with it"
    )
    source.add_argument("--pattern", action="store_true", help="send colour bars")
    stream.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Sends."""
    if options.file:
        if not options.print:
            files.read_head(options.file, 1)
        # conicsink converts by itself, but would also take the sound.
        source = f"filesrc location={value(options.file)} ! decodebin ! videoconvert"
    elif options.pattern:
        source = PATTERN
    else:
        camera = "autovideosrc" if options.print else devices.camera()
        source = f"{camera} ! {RAW}"
    peer = target.find(options)
    text = f"{source} ! conicsink {peer_properties(options, peer)}"
    return stream.run(options, text, sends=True, target=peer, held=bool(options.file))
