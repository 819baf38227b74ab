#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every command that docs/apps.md shows does what it says.

The lines of a `sh` block run together, as in terminals of their own: each begins when the one before
has said something, or has ended. The last one has to end by itself, or with Ctrl-C; the others then, too,
with exit code 0. What needs a device, or somebody who types, stands in a `console` block.
"""

import os
import re
import signal
import subprocess

from conictest import peers, tap
from conictest.process import Process
from conictest.programs import CONIC, NO_DISPLAY

PAGE = os.path.join(peers.ROOT, "docs", "apps.md")
# How long the last line of a block has to end by itself before it gets Ctrl-C.
PATIENCE = 8
# What the examples expect to be there.
FILES = ["report.pdf"]
# Lines that set up a shell, and what each has to name that is there.
SETUP = {
    "export PATH=$PWD/_build/demo/apps:$PATH": CONIC,
    "source data/completions/conic.bash": os.path.join(peers.ROOT, "data/completions/conic.bash"),
}


def blocks():
    """The commands of each `sh` block, as lists of lines."""
    with open(PAGE, encoding="utf-8") as file:
        text = file.read()
    for block in re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S):
        lines = block.replace("\\\n", " ").splitlines()
        yield [line for line in lines if line.strip() and not line.startswith("#")]


class Line(Process):
    """A line as a shell runs it, all of which Ctrl-C ends."""

    def __init__(self, case, number, command, hub):
        super().__init__(
            case,
            f"line-{number}",
            ["bash", "-c", command],
            env={
                **peers.gst_environment(),
                **NO_DISPLAY,
                "GST_DEBUG": "",
                "CONIC_HUB": hub.uri,
                "CONIC_TOKEN": "",
                "PATH": os.pathsep.join([os.path.dirname(CONIC), os.environ["PATH"]]),
            },
            stop_signal=signal.SIGINT,
        )

    def stop(self, timeout=20):
        if self.running:
            self.ended_by_us = True
            os.killpg(self.pid, self.stop_signal)
        return self.wait_exit(timeout)

    def wait_end(self):
        """Waits for it to end by itself, or has it end; returns its status."""
        try:
            self._popen.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            pass
        return self.stop()


class Docs(tap.TestCase):
    limit = 200

    def test_commands(self):
        """The commands of docs/apps.md"""
        for name in FILES:
            with open(self.path(name), "wb") as file:
                file.write(os.urandom(100_000))
        for commands in blocks():
            commands = [command for command in commands if command not in SETUP]
            with self.subTest(commands=commands):
                self.run_block(commands)

    def run_block(self, commands):
        hub = peers.Conicd(self)
        lines = []
        for number, command in enumerate(commands, 1):
            lines.append(Line(self, number, command, hub))
            if number < len(commands):
                lines[-1].wait_until(
                    lambda: lines[-1].lines or not lines[-1].running, 20, "its first words"
                )
        for line in reversed(lines):
            self.assertEqual(line.wait_end(), 0, line.transcript())
            self.assertFalse(line.has_line("Traceback"), line.transcript())
        hub.stop()

    def test_setup(self):
        """What the page has one's shell take is where the build and the tree have it"""
        for command, path in SETUP.items():
            self.assertTrue(os.path.exists(path), command)
            self.assertIn([command], list(blocks()))


if __name__ == "__main__":
    tap.main()
