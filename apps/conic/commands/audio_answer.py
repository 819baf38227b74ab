# SPDX-License-Identifier: LGPL-2.1-or-later
"""conic audio-answer: waits for a call and takes its sound."""

import argparse

from .. import devices, recording, stream
from ..pipeline import PEER, peer_properties

SUMMARY = "wait for a call, and play or record its sound"
DESCRIPTION = "Waits for a call, such as conic audio-offer's, and plays its sound or records it."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    recording.add_arguments(parser, "--play", "play it (the default)", "FILE.wav")
    stream.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Receives."""
    if options.record:
        sink = recording.audio_sink(options)
    elif options.discard:
        sink = "fakesink sync=true"
    elif options.print:
        sink = "autoaudiosink"
    else:
        sink = devices.loudspeaker("--record FILE.wav keeps the sound, --discard only counts it")
    text = (
        f"conicsrc {peer_properties(options, receive='audio')}"
        f"  {PEER}.audio_0 ! queue ! audioconvert ! audioresample ! level name=level ! {sink}"
    )
    return stream.run(options, text, receives=True)
