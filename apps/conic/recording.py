# SPDX-License-Identifier: LGPL-2.1-or-later
"""What comes, kept in a file: WAV for sound, WebM or Matroska for pictures with or without it."""

import argparse

from . import files
from .exits import WrongUsage
from .pipeline import value

# Sound of one form from the beginning to the end, without holes: a WAV file has no times.
# Room in front of a muxer, which takes the streams in turn and waits for the last to begin.
_ROOM = "queue max-size-buffers=0 max-size-time=5000000000"
AUDIO = "audiorate skip-to-first=true ! audio/x-raw,rate=48000,channels=2"
# A file can't change its size within, but what a browser sends does: `stream` fixes the first one.
VIDEO = (
    "videoscale ! capsfilter name=size"
    " ! vp8enc deadline=1 cpu-used=8 target-bitrate=2000000 keyframe-max-dist=120"
    f" ! {_ROOM}"
)
# Sound beside pictures.
SOUNDTRACK = f"{AUDIO} ! opusenc ! {_ROOM}"
MUXERS = {".webm": "webmmux", ".mkv": "matroskamux"}
# The names of elements that `stream` looks for.
FILE, SIZE, MUX = "file", "size", "mux"


def add_arguments(parser: argparse.ArgumentParser, live: str, help_live: str, example: str) -> None:
    """What may be done with what comes."""
    sink = parser.add_mutually_exclusive_group()
    sink.add_argument(live, action="store_true", help=help_live)
    sink.add_argument("--record", metavar=example, help="record it")
    sink.add_argument("--discard", action="store_true", help="only count it")
    files.add_force(parser)


def audio_sink(options: argparse.Namespace) -> str:
    """What writes sound to the WAV file that was asked for."""
    if not options.record.lower().endswith(".wav"):
        raise WrongUsage(f"{options.record}: sound is recorded in a file whose name ends in .wav")
    return f"{AUDIO} ! wavenc ! {_file_sink(options)}"


def muxer(options: argparse.Namespace) -> str:
    """What writes the file that was asked for, from encoded streams."""
    for suffix, name in MUXERS.items():
        if options.record.lower().endswith(suffix):
            return f"{name} name={MUX} offset-to-zero=true ! {_file_sink(options)}"
    raise WrongUsage(f"{options.record}: it is recorded in a file whose name ends in .webm or .mkv")


def _file_sink(options: argparse.Namespace) -> str:
    if not options.print:
        files.check_writable(options.record, options.force)
    # It doesn't wait for a first buffer, and so doesn't make other sinks wait for it.
    return f"filesink name={FILE} async=false location={value(options.record)}"
