#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""conic datachannel, as people and scripts use it.

Shows that what is piped in arrives whole and in order before the program ends; that in a terminal
what comes in leaves the line that is typed alone, and that completion and history work; that each
event is a JSON object if that is wanted; that several peers can be talked to at once; and that what
goes wrong is said in words, with the exit code that is documented.
"""

import hashlib
import json
import os
import socket
import subprocess

from talk import Talk, TalkTest

from conictest import peers, tap
from conictest.programs import CONIC

# More in all than SCTP buffers, so that the sender has to wait.
MESSAGES, LENGTH = tap.scaled(1000, 200), 2000


class Pipe(TalkTest):
    def test_delivery(self):
        """All that is piped in arrives, in order, before the program ends"""
        ben = Talk(self, "ben", "--role", "answer")
        ben.type("send chat hello from the answerer")
        ben.stdin.close()
        ben.wait_line("“ben” at")
        anna = Talk(self, "anna", "-role=offer")
        texts = [f"number {n}  🎈".ljust(LENGTH, "…") for n in range(MESSAGES)]
        anna.type("", "ben", *(f"send chat {text}" for text in texts))
        anna.wait_line("ben/chat: hello from the answerer")
        self.assertEqual(anna.finish(), 0)
        self.assertEqual(ben.wait_exit(), 0)
        found = [line.text for line in ben.lines if line.text.startswith("anna/chat: ")]
        self.assertEqual(found, [f"anna/chat: {text}" for text in texts])
        for program in (anna, ben):
            self.assertNotIn("\x1b", program.printed())
            self.assertEqual(program.printed("err"), "")

    def test_one_message(self):
        """The only message of a short life arrives, too"""
        for turn in range(2):
            ben = Talk(self, "ben", "--role", "answer")
            ben.stdin.close()
            ben.wait_line("“ben” at")
            anna = Talk(self, "anna")
            anna.type("offer ben", f"send chat {turn}", "quit", "send chat never")
            self.assertEqual(anna.wait_exit(), 0)
            ben.wait_line(f"anna/chat: {turn}$")
            ben.wait_line("“anna” is gone")
            self.assertEqual(ben.wait_exit(), 0)
            self.assertFalse(ben.has_line("never"))

    def test_commands(self):
        """Channels, lists and numbers; and a peer's text can't draw on a terminal"""
        anna, ben = self.pair()
        anna.type("channel side", "send side \x1b[31mred\tand a tab", "send ben/side direct")
        ben.wait_line(r"^anna/side: \\x1b\[31mred\\tand a tab$")
        ben.wait_line("^anna/side: direct$")
        ben.type("send side back", "list")
        anna.wait_line("^ben/side: back$")
        ben.wait_line("^anna/side: 1 sent, 2 received$")
        anna.type("peers", "list", "stats", "help", "# nothing", "")
        anna.wait_line(r"^ben \(connected\)$")
        anna.wait_line("^ben: (round trip|path|nothing measured)")
        anna.wait_line("^  side: sent 2 messages")
        anna.wait_line("^send <label> <message> ")
        self.assertEqual(anna.finish(), 0)

    def test_json(self):
        """With --json each event is an object on a line of its own"""
        anna, ben = self.pair("--json", "--accept-files")
        source = self.write("note.txt", b"noted")
        anna.type(
            'send chat "quoted" \x07', f"file papers {source}", "peers", "list", "stats", "oh"
        )
        self.assertEqual(
            ben.wait_event("message"),
            {"event": "message", "peer": "anna", "label": "chat", "text": '"quoted" \x07'},
        )
        got = ben.wait_event("file", state="done")
        self.assertEqual(
            (got["direction"], got["peer"], got["label"], got["name"], got["size"], got["sha256"]),
            ("in", "anna", "papers", "note.txt", 5, hashlib.sha256(b"noted").hexdigest()),
        )
        anna.wait_event("peers", peers=["ben"])
        anna.wait_event("channels", channels=lambda found: found[0]["label"] == "chat")
        anna.wait_event("stats", sessions=lambda found: found[0]["peer"] == "ben")
        anna.wait_event("error", message=lambda text: "oh" in text)
        self.assertEqual(anna.finish(), 1, "a command has failed")
        self.assertEqual(ben.wait_event("disconnected")["peer"], "anna")
        ben.type("quit")
        self.assertEqual(ben.wait_exit(), 0)
        for program in (anna, ben):
            for line in program.lines:
                self.assertIn("event", json.loads(line.text), line.text)

    def test_several(self):
        """Three talk: a message goes to all who have the channel, or to the one that is named"""
        anna, ben = self.pair()
        carol = Talk(self, "carol")
        carol.type("offer anna")
        carol.wait_line("opened the channel “chat”")
        anna.wait_line("“carol” opened")
        anna.type("send chat all", "send carol/chat you", "channel news", "send news fresh")
        for program in (ben, carol):
            program.wait_line("^anna/chat: all$")
            program.wait_line("^anna/news: fresh$")
        carol.wait_line("^anna/chat: you$")
        carol.type("quit")
        anna.wait_line("“carol” is gone")
        anna.type("send chat still there", "send carol/chat gone")
        ben.wait_line("^anna/chat: still there$")
        anna.wait_line("there is no channel “carol/chat”")
        self.assertFalse(ben.has_line("you"))


class Trouble(TalkTest):
    def test_nobody(self):
        """A peer that isn't there is named; later it can come, and call"""
        anna = Talk(self, "anna")
        anna.type("send chat x", "channel x", "offer ben", "offer not~an/id", "offer anna", "offer")
        for words in (
            "there is no channel “chat”; to open one: channel chat",
            "nobody is connected; to connect: offer PEER_ID",
            "“ben”: no such peer",
            "“not~an/id” is not an id",
            "“anna” is this peer itself",
            "offer is used so: offer <peer_id>",
        ):
            anna.wait_line(words)
        ben = Talk(self, "ben")
        ben.type("offer anna", "send chat here I am")
        anna.wait_line("ben/chat: here I am")
        ben.type("quit")
        anna.wait_line("“ben” is gone: the peer left")
        said = len(anna.lines)
        anna.type("send chat too late")
        anna.wait_line("there is no channel “chat”; ", start=said)
        self.assertEqual(anna.finish(), 1)
        offerer = Talk(self, "dora", "--role", "offer")
        offerer.type("nobody", "send chat x")
        self.assertEqual(offerer.wait_exit(), 1)
        self.assertEqual(
            offerer.printed("err"), "conic datachannel: could not call “nobody”: no such peer"
        )

    def test_hub(self):
        """No hub, a taken id, a folder that isn't one: exit codes 3 and 2, and words"""
        anna = Talk(self, "anna")
        anna.wait_line("“anna” at")
        for name, arguments, code, words in (
            ("anna", (), 3, "could not register “anna”"),
            ("ben", ("--hub", "ws://127.0.0.1:1/ws"), 3, "could not reach the hub"),
            ("not an id", (), 3, "“not an id”"),
            ("ben", ("--downloads", self.path("none")), 2, "is not a directory"),
            ("ben", ("--downloads", self.directory), 2, "--downloads has no use here without"),
            ("ben", ("--role", "both"), 2, "invalid choice"),
        ):
            refused = Talk(self, name, *arguments)
            self.assertEqual(refused.wait_exit(), code, words)
            self.assertIn(words, refused.printed("err"))

    def test_hub_goes(self):
        """Those who are connected talk on when the hub is gone, and hear of it"""
        anna, ben = self.pair()
        self.hub.kill()
        anna.wait_line("the hub .* is lost.*; calls go on")
        anna.type("send chat are you there?", "peers")
        ben.wait_line("anna/chat: are you there?")
        ben.type("send chat yes")
        anna.wait_line("ben/chat: yes")
        anna.wait_line("nobody listens there")
        start = len(anna.lines)
        self.hub = peers.Conicd(self, port=self.hub.port)
        anna.wait_line("“anna” at", start=start)

    def test_reader_leaves(self):
        """When nobody reads what is said, it ends, so that no message is lost in silence"""
        anna = subprocess.Popen(
            [CONIC, "datachannel", "--id", "anna", "--hub", self.hub.uri],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, **peers.gst_environment(), "GST_DEBUG": ""},
        )  # fmt: skip
        with anna:
            self.addCleanup(anna.kill)
            self.assertIn("“anna” at", anna.stdout.readline().decode())
            anna.stdout.close()
            Talk(self, "ben").type("offer anna")
            self.assertEqual(anna.wait(tap.seconds(20)), 1)
            self.assertEqual(anna.stderr.read(), b"")

    def test_interrupt(self):
        """Ctrl-C ends it: with 0 when it was on the hub, else with 130"""
        anna = Talk(self, "anna")
        anna.wait_line("“anna” at")
        self.assertEqual(anna.stop(), 0)
        # Somebody who takes the connection and says nothing.
        mute = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(mute.close)
        anna = Talk(self, "anna", "--hub", f"ws://127.0.0.1:{mute.getsockname()[1]}/ws")
        connection = mute.accept()[0]
        self.addCleanup(connection.close)
        self.assertEqual(anna.stop(), 130)
        self.assertEqual(anna.lines, [])


class Terminal(TalkTest):
    def test_session(self):
        """What comes in leaves the line that is typed alone; completion and history help typing"""
        ben = Talk(self, "ben", "--role", "answer", "--accept-files")
        ben.wait_line("“ben” at")
        anna = self.terminal("anna", "--role", "offer")
        anna.wait_input("Id of the peer to call:")
        anna.type("b\t")
        anna.wait_input("Id of the peer to call: ben")
        anna.type("\r")
        anna.wait_input("anna>")
        for keys, completed in (("se\t", "send"), (" ch\t", "send chat")):
            anna.type(keys)
            anna.wait_input(f"anna> {completed}")
        anna.type(" Half a l")
        anna.wait_input("anna> send chat Half a l")
        ben.type("send chat first", "send chat \x1b[2J\x07second")
        anna.wait_line("ben/chat: first")
        anna.wait_line(r"ben/chat: \\x1b\[2J\\x07second")
        anna.wait_input("anna> send chat Half a l")
        anna.type("ine\r")
        ben.wait_line("^anna/chat: Half a line$")
        anna.wait_input("anna>")
        said = len(ben.lines)
        anna.type("\x1b[A\r")
        ben.wait_line("^anna/chat: Half a line$", start=said)
        self.write("letter.txt", b"dear")
        anna.wait_input("anna>")
        anna.type("file x let\t")
        anna.wait_input("anna> file x letter.txt")
        anna.type("\r")
        ben.wait_line("^received letter.txt")
        anna.wait_line("sent letter.txt to “ben”: .*")
        anna.wait_input("anna>")
        anna.type("\x04")
        self.assertEqual(anna.wait_exit(), 0)
        ben.wait_line("“anna” is gone")
        again = self.terminal("anna2")
        again.wait_input("anna2>")
        again.type("\x1b[A\x1b[A")
        again.wait_input("anna2> send chat Half a line")
        again.type("\x03")
        self.assertEqual(again.wait_exit(), 0)
        mode = os.stat(self.path("state/conic/datachannel_history")).st_mode
        self.assertEqual(mode & 0o077, 0, "others can read what was typed")


if __name__ == "__main__":
    tap.main()
