#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""conic datachannel, as people and scripts use it.

Shows that what is piped in arrives whole and in order before the program ends; that in a terminal
what comes in leaves the line that is typed alone, and that completion and history work; that files
arrive as they were, whatever their size and their name, and never replace one; that each event is a
JSON object if that is wanted; that several peers can be talked to at once; and that what goes wrong
is said in words, with the exit code that is documented, whatever a peer sends.
"""

import hashlib
import json
import os
import queue
import signal
import subprocess
import threading

import gi

from conictest import peers, tap
from conictest.programs import CONIC, Conic
from conictest.screen import Screen

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import (  # noqa: E402,F401  pylint: disable=wrong-import-position
    GLib,
    Gst,
    GstWebRTC,
)

MESSAGES = tap.scaled(1000, 200)
BIG_BYTES = 3_000_000


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


class AppTest(tap.TestCase):
    limit = 60

    def setUp(self):
        super().setUp()
        peers.require_tools()
        self.hub = peers.Conicd(self)

    def pair(self, *arguments, **kwargs):
        """Ben, who answers, and Anna, who has called him."""
        ben = Talk(self, "ben", "--role", "answer", *arguments, **kwargs)
        ben.wait_line("“ben” at|registered")
        anna = Talk(self, "anna", *arguments, **kwargs)
        anna.type("offer ben")
        anna.wait_line("opened")
        ben.wait_line("opened")
        return anna, ben

    def write(self, name, data):
        with open(self.path(name), "wb") as file:
            file.write(data)
        return self.path(name)


class Pipe(AppTest):
    def test_delivery(self):
        """All that is piped in arrives, in order, before the program ends"""
        ben = Talk(self, "ben", "--role", "answer")
        ben.type("send chat hello from the answerer")
        ben.stdin.close()
        ben.wait_line("“ben” at")
        anna = Talk(self, "anna", "-role=offer")
        anna.type("", "ben", *(f"send chat number {n}  🎈" for n in range(MESSAGES)))
        anna.wait_line("ben/chat: hello from the answerer")
        self.assertEqual(anna.finish(), 0)
        self.assertEqual(ben.wait_exit(), 0)
        found = [line.text for line in ben.lines if line.text.startswith("anna/chat: ")]
        self.assertEqual(found, [f"anna/chat: number {n}  🎈" for n in range(MESSAGES)])
        for program in (anna, ben):
            self.assertNotIn("\x1b", program.printed())
            self.assertEqual(program.printed("err"), "")

    def test_one_message(self):
        """The only message of a short life arrives, too"""
        for turn in range(3):
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
        anna.wait_line("^ben: path ")
        anna.wait_line("^  side: sent 2 messages")
        anna.wait_line("^send <label> <message> ")
        self.assertEqual(anna.finish(), 0)

    def test_json(self):
        """With --json each event is an object on a line of its own"""
        anna, ben = self.pair("--json")
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


class Files(AppTest):
    def exchange(self, sender, receiver, name, data):
        path = self.write(name, data)
        sender.type(f"file papers {path}")
        digest = hashlib.sha256(data).hexdigest()
        sender.wait_line(f"^sent {name} to .*: {len(data)} bytes, sha256 {digest}", 30)
        receiver.wait_line(f"^received {name} from .*: {len(data)} bytes, sha256 {digest}", 30)

    def kept(self, name):
        with open(os.path.join(self.path("got"), name), "rb") as file:
            return file.read()

    def test_both_ways(self):
        """Files of all sizes arrive as they were, both ways at once, and replace nothing"""
        os.mkdir(self.path("got"))
        anna, ben = self.pair("--downloads", self.path("got"))
        big, other = os.urandom(BIG_BYTES), os.urandom(BIG_BYTES)
        anna.type(f"file a {self.write('big one.bin', big)}")
        ben.type(f"file b {self.write('other.bin', other)}")
        for program in (anna, ben):
            program.wait_line("^received ", 30)
            program.wait_line("^sent ", 30)
        self.assertEqual(self.kept("big one.bin"), big)
        self.assertEqual(self.kept("other.bin"), other)
        for name, data in (("none.txt", b""), ("one", b"1"), ("one", b"2"), ("none.txt", b"3")):
            self.exchange(anna, ben, name, data)
        self.assertEqual(
            [self.kept(name) for name in ("none.txt", "one", "one (1)", "none (1).txt")],
            [b"", b"1", b"2", b"3"],
        )
        self.assertEqual(len(os.listdir(self.path("got"))), 6, os.listdir(self.path("got")))
        for path, reason in (
            (self.path("nowhere"), "No such file"),
            (self.directory, "is not a file"),
            ("/dev/zero", "is not a file"),
        ):
            anna.type(f"file papers {path}")
            anna.wait_line(f"{path}.*{reason}")

    def test_end_of_input(self):
        """A file that is on its way at the end of the input arrives"""
        os.mkdir(self.path("got"))
        anna, ben = self.pair("--downloads", self.path("got"))
        data = os.urandom(BIG_BYTES)
        anna.type(f"file x {self.write('last.bin', data)}")
        self.assertEqual(anna.finish(), 0)
        ben.wait_line("^received last.bin")
        self.assertEqual(self.kept("last.bin"), data)

    def test_peer_vanishes(self):
        """A sender that goes leaves nothing behind, and one that is refused is told so"""
        os.mkdir(self.path("got"))
        anna, ben = self.pair("--downloads", self.path("got"))
        carol = Talk(self, "carol", "--no-files")
        carol.type("offer ben")
        carol.wait_line("opened the channel “chat”")
        ben.type(f"file carol/x {self.write('a.txt', b'a')}")
        ben.wait_line("a.txt to “carol” failed: “carol” says: this peer takes no files")
        with open(self.path("endless.bin"), "wb") as file:
            file.truncate(1 << 32)
        anna.type(f"file x {self.path('endless.bin')}")
        ben.wait_line("endless.bin from “anna”: ")
        anna.stop()
        ben.wait_line("endless.bin from “anna” failed")
        self.assertEqual(os.listdir(self.path("got")), [])


class Stranger:
    """An element in this process that speaks conic.file as badly as it likes."""

    def __init__(self, case):
        self.element = Gst.ElementFactory.make("conicbin")
        self.element.set_property("uri", case.hub.uri)
        self.element.set_property("client-id", "stranger")
        self.element.set_property("target-id", "anna")
        self.pipeline = Gst.Pipeline.new()
        self.pipeline.add(self.element)
        case.addCleanup(self.pipeline.set_state, Gst.State.NULL)
        self.pipeline.set_state(Gst.State.PLAYING)
        while True:
            message = self.pipeline.get_bus().timed_pop_filtered(
                tap.seconds(20) * Gst.SECOND, Gst.MessageType.ELEMENT
            )
            if message.get_structure().get_name() == "conic-session-started":
                return

    def open(self, *messages, protocol="conic.file"):
        """Opens a channel and says that on it; returns it and the answers."""
        options = Gst.Structure.from_string(f"options, protocol=(string){protocol}")[0]
        channel = self.element.emit("open-data-channel", "anna", None, "odd", options)
        answers, opened = queue.Queue(), threading.Event()
        channel.connect("notify::ready-state", lambda *_: opened.set())
        if channel.get_property("ready-state") != GstWebRTC.WebRTCDataChannelState.OPEN:
            opened.wait(tap.seconds(10))
        channel.connect("on-message-string", lambda _channel, text: answers.put(json.loads(text)))
        for message in messages:
            if isinstance(message, str):
                channel.send_string(message)
            else:
                channel.send_data(GLib.Bytes.new(message))
        return channel, answers


class Strangers(AppTest):
    def setUp(self):
        super().setUp()
        os.mkdir(self.path("got"))
        self.anna = Talk(self, "anna", "--downloads", self.path("got"))
        self.anna.wait_line("“anna” at")
        self.stranger = Stranger(self)

    def test_names(self):
        """A name with folders in it, or none to speak of, stays in the folder and is visible"""
        wanted = {
            "../../evil.txt": "evil.txt",
            "/etc/passwd": "passwd",
            "C:\\windows\\..\\boot.ini": "boot.ini",
            ".profile": "_profile",
            "..": "_.",
            "": "file",
            "a\x1b[2J\n\ud800b": "a_[2J__b",
            "long" * 100 + ".txt": ("long" * 100)[:196] + ".txt",
        }
        for name, kept in wanted.items():
            _, answers = self.stranger.open(json.dumps({"name": name, "size": 2}), b"ab")
            self.assertEqual(answers.get(timeout=tap.seconds(20)), {"received": 2}, name)
            self.assertIn(kept, os.listdir(self.path("got")))
        self.assertEqual(sorted(os.listdir(self.path("got"))), sorted(wanted.values()))

    def test_nonsense(self):
        """What isn't a file after all is refused in words, and leaves nothing"""
        about = json.dumps({"name": "x", "size": 3})
        for messages, reason in (
            (['{"name":"x"}'], "no name or no size"),
            (['{"name":"x","size":-1}'], "no name or no size"),
            (['{"name":["x"],"size":true}'], "no name or no size"),
            (["not JSON"], "no name or no size"),
            (["[" * 50000], "no name or no size"),
            ([b"bytes"], "no name or no size"),
            ([about, b"abcd"], "more came"),
            ([about, "text"], "text where the file should be"),
        ):
            _, answers = self.stranger.open(*messages)
            self.assertIn(reason, answers.get(timeout=tap.seconds(20))["error"])
        channel, _ = self.stranger.open(about, b"ab")
        channel.close()
        self.anna.wait_line("x from “stranger” failed: .* closed the channel before the end")
        self.assertEqual(os.listdir(self.path("got")), [])

    def test_bytes(self):
        """A message of bytes is shown as such, and a channel without a label is no harm"""
        self.stranger.open(bytes(range(40)), protocol="any")
        self.anna.wait_line("^stranger/odd: 40 bytes: 000102.*1e1f…$")


class Trouble(AppTest):
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
        anna.type("send chat too late")
        anna.wait_line("the channel “chat” with “ben” is closed")
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

    def test_interrupt(self):
        """Ctrl-C ends it: with 0 when it was on the hub, else with 130"""
        anna = Talk(self, "anna")
        anna.wait_line("“anna” at")
        self.assertEqual(anna.stop(), 0)


class Terminal(AppTest):
    def open(self, name, *arguments):
        return Screen(
            self,
            name,
            [CONIC, "datachannel", "--id", name, *arguments],
            env={
                **peers.gst_environment(),
                "GST_DEBUG": "",
                "CONIC_HUB": self.hub.uri,
                "CONIC_TOKEN": "",
                "XDG_STATE_HOME": self.path("state"),
            },
        )

    def test_session(self):
        """What comes in leaves the line that is typed alone; completion and history help typing"""
        ben = Talk(self, "ben", "--role", "answer")
        ben.wait_line("“ben” at")
        anna = self.open("anna", "--role", "offer")
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
        anna.type("\x1b[A\r")
        ben.wait_line("^anna/chat: Half a line$", start=len(ben.lines))
        self.write("letter.txt", b"dear")
        anna.wait_input("anna>")
        anna.type("file x let\t")
        anna.wait_input("anna> file x letter.txt")
        anna.type("\r")
        ben.wait_line("^received letter.txt")
        anna.wait_line("sent letter.txt to “ben”: .*")
        anna.type("\x04")
        self.assertEqual(anna.wait_exit(), 0)
        ben.wait_line("“anna” is gone")
        again = self.open("anna2")
        again.wait_input("anna2>")
        again.type("\x1b[A\x1b[A")
        again.wait_input("anna2> send chat Half a line")
        again.type("\x03")
        self.assertEqual(again.wait_exit(), 0)
        mode = os.stat(self.path("state/conic/datachannel_history")).st_mode
        self.assertEqual(mode & 0o077, 0, "others can read what was typed")


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    os.environ.update(peers.gst_environment())
    Gst.init(None)
    tap.main()
