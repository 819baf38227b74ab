# SPDX-License-Identifier: LGPL-2.1-or-later
"""A peer in Go (tests/interop): pion, speaking to the hub as conic's own programs do."""

import fcntl
import functools
import os
import re
import shutil
import struct
import subprocess

from .peers import BUILD, ROOT, Reporter

# The oldest Go that its modules can be built with.
GO_MINIMUM = (1, 21)
# The first build fetches and compiles the modules.
BUILD_SECONDS = 400


def find_go():
    """The go command, or None where there is none that is new enough."""
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin:/usr/lib/go/bin")
    if go is None:
        return None
    version = subprocess.run([go, "version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"go(\d+)\.(\d+)", version)
    return go if found and tuple(map(int, found.groups())) >= GO_MINIMUM else None


MISSING = None if find_go() else f"needs Go {'.'.join(map(str, GO_MINIMUM))} or newer"


@functools.cache
def build():
    """Builds the program if it isn't up to date; returns its path."""
    directory = os.path.join(BUILD, "tests", "interop")
    os.makedirs(directory, exist_ok=True)
    path = os.path.join(directory, "peer")
    with open(os.path.join(directory, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(
            [find_go(), "build", "-o", path, "."],
            cwd=os.path.join(ROOT, "tests", "interop"),
            env={**os.environ, "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"},
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
        )
    assert done.returncode == 0, f"tests/interop can't be built:\n{done.stderr}"
    return path


def write_ivf(path, fourcc, frames, rate, size=(0, 0)):
    """Writes encoded frames, or packets of sound, as an IVF file."""
    with open(path, "wb") as file:
        file.write(
            struct.pack("<4sHH4sHHIII4x", b"DKIF", 0, 32, fourcc, *size, rate, 1, len(frames))
        )
        for number, frame in enumerate(frames):
            file.write(struct.pack("<IQ", len(frame), number) + frame)


class GoPeer(Reporter):
    """One such peer; `call` and `send` are commands, and what it does are events: see tests/interop/main.go."""

    def __init__(self, case, name, uri, *arguments):
        super().__init__(case, name, [build(), "-hub", uri, *arguments])
        self.id = self.wait_event("register_response", success=True)["id"]
