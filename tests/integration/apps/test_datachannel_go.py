#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""conic datachannel and a peer in Go, which signals as conic's own programs do.

Shows that each calls the other, and that words pass both ways, also those that it sends as bytes.
"""

import subprocess

from conictest import gopeer, netns, tap
from conictest.programs import HubTest


class Go(HubTest):
    limit = 60

    def setUp(self):
        super().setUp()
        self.anna = self.conic("anna", "datachannel", "--id", "anna", stdin=subprocess.PIPE)
        self.anna.wait_line("“anna” at")

    def type(self, text):
        self.anna.stdin.write(f"{text}\n".encode())
        self.anna.stdin.flush()

    def test_called(self):
        """A peer in Go calls, and opens a channel"""
        gopher = gopeer.GoPeer(self, "go", self.hub.uri, "-id", "gopher")
        gopher.tell("call", to="anna")
        self.anna.wait_line("“gopher” opened the channel “chat”")
        self.type("send chat hello gopher")
        gopher.wait_event("message", text="hello gopher")
        gopher.tell("send", text="grüße 🎈")
        self.anna.wait_line("gopher/chat: grüße 🎈")
        gopher.stdin.close()
        self.anna.wait_line("“gopher” is gone|is closed")

    def test_calls(self):
        """A peer in Go is called"""
        gopher = gopeer.GoPeer(self, "go", self.hub.uri, "-id", "gopher")
        self.type("offer gopher")
        self.type("send gopher/chat hi")
        gopher.wait_event("message", text="hi")
        gopher.tell("send", text="ho")
        self.anna.wait_line("gopher/chat: ho")
        self.anna.stdin.close()
        self.assertEqual(self.anna.wait_exit(), 0)


if __name__ == "__main__":
    if gopeer.MISSING:
        tap.skip_all(gopeer.MISSING)
    else:
        # Where there is a network to fetch its modules from.
        gopeer.build()
        netns.main()
