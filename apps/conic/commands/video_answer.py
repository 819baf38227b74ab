# SPDX-License-Identifier: LGPL-2.1-or-later
"""conic video-answer: waits for a call and takes its pictures, and sound if it has some."""

import argparse

from .. import devices, incoming, recording, stream
from ..exits import Missing
from ..pipeline import peer_properties

SUMMARY = "wait for a call, and show or record its pictures"
DESCRIPTION = """\
Waits for a call, such as conic video-offer's, and shows its pictures or records them. Sound that
comes with them is played or recorded, too."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    recording.add_arguments(parser, "--window", "show them (the default)", "FILE.webm")
    parser.add_argument("--no-audio", action="store_true", help="take no sound")
    stream.add_arguments(parser)


def picture_sink(options: argparse.Namespace) -> str | None:
    """Where pictures are seen; None if that is in a file only."""
    if options.record:
        return None
    if options.discard:
        return incoming.DISCARD
    if options.print:
        return "autovideosink"
    return devices.window("--record FILE.webm keeps the pictures, --discard only counts them")


def sound_sink(options: argparse.Namespace) -> str | None:
    """Likewise, where sound is heard. Raises Missing if that can be nowhere."""
    if options.record:
        return None
    if options.discard:
        return incoming.DISCARD
    return "autoaudiosink" if options.print else devices.loudspeaker("")


def run(options: argparse.Namespace) -> int:
    """Receives."""
    recorded = bool(options.record)
    parts = [recording.muxer(options)] if recorded else []
    parts.append(incoming.pictures("video_0", picture_sink(options), recorded))
    silent, note = options.no_audio, None
    if not silent:
        try:
            parts.append(incoming.sound("audio_0", sound_sink(options), recorded))
        except Missing:
            silent, note = True, "There is no loudspeaker here, so sound isn't taken."
    source = f"conicsrc {peer_properties(options, receive='video' if silent else None)}"
    return stream.run(options, "  ".join([source, *parts]), receives=True, note=note)
