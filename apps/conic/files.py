# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files that are read and written: what is wrong with one is said before anything begins."""

import argparse
import contextlib
import os
from collections.abc import Iterator

from .exits import WrongUsage


def add_force(parser: argparse.ArgumentParser) -> None:
    """The option that lets a file be replaced."""
    parser.add_argument("--force", action="store_true", help="replace a file that exists already")


def read_head(path: str, size: int) -> bytes:
    """The first bytes of a file. Raises WrongUsage if it can't be read."""
    try:
        with open(path, "rb") as file:
            return file.read(size)
    except OSError as error:
        raise WrongUsage(f"{path} can't be read: {error.strerror}") from None


def check_wav(path: str) -> None:
    """Raises WrongUsage if that isn't a WAV file, which GStreamer says in a roundabout way."""
    head = read_head(path, 12)
    if head[:4] not in (b"RIFF", b"RF64") or head[8:] != b"WAVE":
        raise WrongUsage(f"{path} is not a WAV file")


def check_writable(path: str, force: bool) -> None:
    """Raises WrongUsage if the file can't be written, or is there already."""
    folder = os.path.dirname(path) or "."
    if os.path.isdir(path):
        raise WrongUsage(f"{path} is a folder")
    if os.path.exists(path) and not force:
        raise WrongUsage(f"{path} exists already; --force replaces it")
    if not os.access(path if os.path.exists(path) else folder, os.W_OK):
        there = os.path.isdir(folder)
        raise WrongUsage(f"{path} can't be written" + ("" if there else f": there is no {folder}"))


@contextlib.contextmanager
def whole(path: str) -> Iterator[str]:
    """For a file that is written within: what was begun and not finished doesn't stay."""
    try:
        yield path
    except BaseException:
        # A device stays, whatever was written to it.
        if os.path.isfile(path):
            os.unlink(path)
        raise


def remove_empty(path: str) -> None:
    """Removes a file that was begun, but in which there is nothing."""
    if os.path.isfile(path) and os.path.getsize(path) == 0:
        os.unlink(path)
