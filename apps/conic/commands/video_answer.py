# SPDX-License-Identifier: LGPL-2.1-or-later
"""conic video-answer: waits for a call and takes its pictures."""

import argparse

from .. import devices, recording, stream
from ..pipeline import PEER, peer_properties

SUMMARY = "wait for a call, and show or record its pictures"
DESCRIPTION = """\
Waits for a call, such as conic video-offer's, and shows its pictures or records them."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    recording.add_arguments(parser, "--window", "show them (the default)", "FILE.webm")
    stream.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Receives."""
    if options.record:
        sink = f"{recording.VIDEO} ! {recording.muxer(options)}"
    elif options.discard:
        sink = "fakesink sync=true"
    elif options.print:
        sink = "autovideosink"
    else:
        sink = devices.window("--record FILE.webm keeps the pictures, --discard only counts them")
    text = f"conicsrc {peer_properties(options)}  {PEER}.video_0 ! queue ! videoconvert ! {sink}"
    return stream.run(options, text, receives=True)
