# SPDX-License-Identifier: LGPL-2.1-or-later
"""conic generate-audio: a tone in a WAV file."""

import argparse
import array
import json
import math
import sys
import wave

from .. import files
from ..exits import Exit, Failed, WrongUsage

SUMMARY = "write a WAV file with a tone, as a sample to send"
DESCRIPTION = "Writes a WAV file (16-bit PCM) with a sine, as a sample for conic audio-offer --wav."

# What a WAV file can be: its sizes have 32 bits. More of the rest has no ear and no loudspeaker.
RATES_HZ = (1000, 384000)
CHANNELS_MAX = 8
BYTES_MAX = 2**32 - 64
SAMPLE_BYTES = 2
# Of full scale: loud enough, and far from clipping.
AMPLITUDE = 0.3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("file", metavar="FILE.wav", help="the file to write")
    parser.add_argument("--seconds", metavar="N", type=float, default=5, help="default: 5")
    parser.add_argument("--frequency", metavar="HZ", type=float, default=440, help="default: 440")
    parser.add_argument("--rate", metavar="HZ", type=int, default=48000, help="default: 48000")
    parser.add_argument("--channels", metavar="N", type=int, default=2, help="default: 2")
    files.add_force(parser)


def check(options: argparse.Namespace) -> None:
    """Raises WrongUsage for what can't be in a WAV file, or can't be heard in it."""
    low, high = RATES_HZ
    if not low <= options.rate <= high:
        raise WrongUsage(f"--rate must be from {low} to {high}, not {options.rate}")
    if not 1 <= options.channels <= CHANNELS_MAX:
        raise WrongUsage(f"--channels must be from 1 to {CHANNELS_MAX}, not {options.channels}")
    if not 0 < options.frequency <= options.rate / 2:
        raise WrongUsage(
            f"--frequency must be above 0 and at most half the rate, {options.rate / 2:g},"
            f" not {options.frequency:g}"
        )
    longest = BYTES_MAX / (options.rate * options.channels * SAMPLE_BYTES)
    if not 1 / options.rate <= options.seconds <= longest:
        raise WrongUsage(
            f"--seconds must be above 0 and at most {int(longest)}, which is what a WAV file holds"
            f" of this, not {options.seconds:g}"
        )


def second_of_tone(options: argparse.Namespace, start: int, count: int) -> bytes:
    """That many samples of each channel, from the one with the number `start` on."""
    step, peak = 2 * math.pi * options.frequency / options.rate, AMPLITUDE * 32767
    samples = array.array("h")
    for number in range(start, start + count):
        samples.extend([round(peak * math.sin(step * number))] * options.channels)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()


def run(options: argparse.Namespace) -> int:
    """Writes the file."""
    check(options)
    files.check_writable(options.file, options.force)
    total = round(options.seconds * options.rate)
    try:
        with files.whole(options.file) as path, wave.open(path, "wb") as file:
            file.setparams((options.channels, SAMPLE_BYTES, options.rate, total, "NONE", None))
            for start in range(0, total, options.rate):
                count = min(options.rate, total - start)
                file.writeframesraw(second_of_tone(options, start, count))
    except OSError as error:
        raise Failed(f"{options.file} can't be written: {error.strerror}") from None
    what = {
        "file": options.file,
        "seconds": total / options.rate,
        "frequency": options.frequency,
        "rate": options.rate,
        "channels": options.channels,
    }
    if options.json:
        print(json.dumps({"event": "written", **what}))
    else:
        words = "{file}: {seconds:g} s of {frequency:g} Hz, {rate} samples/s, {channels} channel(s)"
        print(words.format(**what))
    return Exit.DONE
