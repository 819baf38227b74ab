#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files by conic datachannel.

Shows that they arrive as they were, whatever their size and their name, both ways at once and at the
end of the input; that none is taken unless somebody says so, and none replaced; that nothing stays of one
that doesn't arrive; and that a peer that doesn't keep to the protocol, or means harm with a name, gets an
answer in words and nothing else.
"""

import hashlib
import json
import os
import queue
import threading

import gi
from talk import Talk, TalkTest

from conictest import peers, tap

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import (  # noqa: E402  pylint: disable=wrong-import-position
    GLib,
    Gst,
    GstWebRTC,
)

BIG_BYTES = 3_000_000
TAKING = ("--accept-files", "--downloads")


class Files(TalkTest):
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
        anna, ben = self.pair(*TAKING, self.path("got"))
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
        anna, ben = self.pair(*TAKING, self.path("got"))
        data = os.urandom(BIG_BYTES)
        anna.type(f"file x {self.write('last.bin', data)}")
        self.assertEqual(anna.finish(), 0)
        ben.wait_line("^received last.bin")
        self.assertEqual(self.kept("last.bin"), data)

    def test_peer_vanishes(self):
        """A sender that goes leaves nothing behind"""
        os.mkdir(self.path("got"))
        anna, ben = self.pair(*TAKING, self.path("got"))
        with open(self.path("endless.bin"), "wb") as file:
            file.truncate(1 << 32)
        anna.type(f"file x {self.path('endless.bin')}")
        ben.wait_line("endless.bin from “anna”: ")
        anna.stop()
        ben.wait_line("endless.bin from “anna” failed")
        self.assertEqual(os.listdir(self.path("got")), [])


class Asked(TalkTest):
    def test_pipe(self):
        """Without a terminal, or with --no-files, no file is taken; that is no failure of ours"""
        anna, ben = self.pair()
        carol = self.terminal("carol", "--no-files")
        carol.wait_input("carol>")
        carol.type("offer ben\r")
        ben.wait_line("“carol” opened")
        ben.type(f"file x {self.write('a.txt', b'a')}")
        for name in ("anna", "carol"):
            ben.wait_line(f"a.txt to “{name}” failed: “{name}” says: this peer takes no files")
        anna.wait_line("^a.txt from “ben” refused: this peer takes no files$")
        carol.wait_line("a.txt from “ben” refused: this peer takes no files")
        self.assertEqual(anna.finish(), 0)
        self.assertEqual(sorted(os.listdir(self.directory)), ["a.txt", "state"])

    def test_terminal(self):
        """In a terminal each file is asked about, and one that nobody accepts leaves nothing"""
        os.mkdir(self.path("got"))
        anna = self.terminal("anna", "--role", "offer", "--downloads", self.path("got"))
        anna.wait_input("Id of the peer to call:")
        ben, carol = Talk(self, "ben"), Talk(self, "carol")
        names = ("yes.bin", "no.txt", "gone.txt", "late.txt")
        for name, sender in zip(names, (ben, ben, carol, ben)):
            data = os.urandom(BIG_BYTES if name == "yes.bin" else 1)
            sender.type("offer anna", f"file x {self.write(name, data)}")
            anna.wait_line(
                f"“{sender.name}” offers {name}, {len(data)} bytes: accept . or decline .*"
            )
        self.assertEqual(os.listdir(self.path("got")), [])
        anna.type("decline 2\r")
        ben.wait_line("no.txt to “anna” failed: “anna” says: the file was declined")
        anna.type("accept 1\r")
        ben.wait_line("^sent yes.bin")
        anna.type("ben\r")
        anna.wait_input("anna>")
        carol.stop()
        anna.wait_line("gone.txt from “carol” failed: “carol” offers it no more")
        anna.type("accept \t")
        anna.wait_input("anna> accept 4")
        anna.type("\x7f3\r")
        anna.wait_line("no file is offered as “3”, but 4")
        anna.wait_input("anna>")
        anna.type("\x04")
        self.assertEqual(anna.wait_exit(), 0)
        ben.wait_line("late.txt to “anna” failed: “anna” says: the file was declined")
        self.assertEqual(os.listdir(self.path("got")), ["yes.bin"])

    def test_many(self):
        """A peer can't have somebody asked about any number of files at a time"""
        anna = self.terminal("anna")
        anna.wait_input("anna>")
        stranger = Stranger(self)
        offers = [stranger.open(json.dumps({"name": f"{n}.txt", "size": 1})) for n in range(8)]
        anna.wait_line("“stranger” offers 7.txt, .*")
        _, answers = stranger.open('{"name": "8.txt", "size": 1}')
        self.assertIn("8 files wait", answers.get(timeout=tap.seconds(20))["error"])
        channel, _ = offers[0]
        channel.close()
        anna.wait_line("0.txt from “stranger” failed: “stranger” offers it no more")
        stranger.open('{"name": "9.txt", "size": 1}')
        anna.wait_line("“stranger” offers 9.txt, .*")
        anna.wait_input("anna>")
        anna.type("\x04")
        self.assertEqual(anna.wait_exit(), 0)
        self.assertEqual(os.listdir(self.directory), ["state"])


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


class Strangers(TalkTest):
    def setUp(self):
        super().setUp()
        os.mkdir(self.path("got"))
        self.anna = Talk(self, "anna", *TAKING, self.path("got"))
        self.anna.wait_line("“anna” at")
        self.stranger = Stranger(self)

    def test_names(self):
        """A name with folders in it, or none to speak of, stays in the folder and is visible"""
        wanted = {
            "../../evil.txt": "evil.txt",
            "/etc/passwd": "passwd",
            "C:\\windows\\..\\boot.ini": "boot.ini",
            ".profile": "_profile",
            " .bash_aliases": "_bash_aliases",
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
        # webrtcbin may tell of the close first.
        self.anna.wait_line("(x|a file) from “stranger” failed: .* closed the channel before the end")
        self.assertEqual(os.listdir(self.path("got")), [])

    def test_bytes(self):
        """A message of bytes is shown as such, and a channel without a label is no harm"""
        self.stranger.open(bytes(range(40)), protocol="any")
        self.anna.wait_line("^stranger/odd: 40 bytes: 000102.*1e1f…$")


if __name__ == "__main__":
    os.environ.update(peers.gst_environment())
    Gst.init(None)
    tap.main()
