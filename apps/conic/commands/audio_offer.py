# SPDX-License-Identifier: LGPL-2.1-or-later
"""conic audio-offer: calls a peer and sends it sound."""

import argparse

from .. import devices, files, stream, target
from ..pipeline import peer_properties, value

SUMMARY = "call a peer and send it sound"
DESCRIPTION = """\
Calls a peer, such as conic audio-answer, and sends it sound: a file, the microphone or a tone."""

TONE = "audiotestsrc is-live=true freq=440 volume=0.3"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    target.add_argument(parser)
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--wav", metavar="FILE", help="send a WAV file, and end with it")
    source.add_argument("--mic", action="store_true", help="send the microphone (the default)")
    source.add_argument("--tone", action="store_true", help="send a tone of 440 Hz")
    stream.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Sends."""
    if options.wav:
        if not options.print:
            files.check_wav(options.wav)
        source = f"filesrc location={value(options.wav)} ! wavparse"
    elif options.tone:
        source = TONE
    else:
        source = "autoaudiosrc" if options.print else devices.microphone()
    peer = target.find(options)
    text = (
        f"{source} ! audioconvert ! audioresample ! level name=level"
        f" ! conicsink {peer_properties(options, peer)}"
    )
    return stream.run(options, text, sends=True, target=peer, held=bool(options.wav))
