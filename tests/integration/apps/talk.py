# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of conic datachannel have in common."""

import subprocess

from conictest import peers
from conictest.programs import CONIC, Conic, HubTest
from conictest.screen import Screen


class Talk(Conic):
    """`conic datachannel` with a pipe to type into."""

    def __init__(self, case, name, *arguments, **kwargs):
        super().__init__(
            case,
            name,
            *("datachannel", "--id", name),
            *arguments,
            **{
                "hub": case.hub.uri,
                "stdin": subprocess.PIPE,
                # What the elements log would be taken for what the program says.
                "env": {"GST_DEBUG": ""},
                **kwargs,
            },
        )

    def type(self, *lines):
        self.stdin.write("".join(f"{line}\n" for line in lines).encode())
        self.stdin.flush()

    def finish(self):
        """The end of the input; returns the exit code."""
        self.stdin.close()
        return self.wait_exit()

    def complaints(self):
        found = super().complaints()
        if self.has_line("Traceback|never retrieved"):
            found.append(f"{self.name} printed a traceback")
        return found


class TalkTest(HubTest):
    limit = 60

    def pair(self, *arguments, **kwargs):
        """Ben, who answers, and Anna, who has called him."""
        ben = Talk(self, "ben", "--role", "answer", *arguments, **kwargs)
        ben.wait_line("“ben” at|registered")
        anna = Talk(self, "anna", *arguments, **kwargs)
        anna.type("offer ben")
        anna.wait_line("opened")
        ben.wait_line("opened")
        return anna, ben

    def terminal(self, name, *arguments):
        """`conic datachannel` in a terminal."""
        return Screen(
            self,
            name,
            [CONIC, "datachannel", "--id", name, *arguments],
            env={
                **peers.gst_environment(),
                "CONIC_HUB": self.hub.uri,
                "CONIC_TOKEN": "",
                "XDG_STATE_HOME": self.path("state"),
            },
        )

    def write(self, name, data):
        with open(self.path(name), "wb") as file:
            file.write(data)
        return self.path(name)
