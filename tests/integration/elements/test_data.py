#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Text and bytes through data pads.

Shows that ten thousand lines arrive complete, in order, byte for byte, as text messages cut only
between characters, or one message a line where that is asked for; that a hundred megabytes arrive
unharmed with the memory of both sides bounded; that a receiver that doesn't read holds the
sender back instead of making anything grow; that pads without a message yet keep nothing else from
starting; and that nobody is told that there are no more pads while some are still to come.
"""

import hashlib
import os
import subprocess
import threading
import time

import numpy as np

from conictest import peers, tap
from conictest.process import MemoryWatch

LINES = 10_000
MIB = 1 << 20
# What both processes together with all buffers between them may grow by during a transfer.
GROWTH_BYTES = 120 * MIB
# What may be under way between a writer and a reader that has stopped: pipes, queues, SCTP's
# buffers.
UNDERWAY_BYTES = 48 * MIB
CHUNK_BYTES = 64 * 1024
# A writer that gets nothing rid of for so long is held back.
STALLED_SECONDS = 3


def make_lines():
    """Lines of many lengths with characters of one to four bytes, some of them empty."""
    words = ["plain", "grüße", "日本語の行", "🎈🎊", "ελληνικά", ""]
    return [
        f"{i} {' '.join(words[(i + k) % len(words)] for k in range(i % 23))}\n" if i % 97 else "\n"
        for i in range(LINES)
    ]


def make_bytes(count, seed=1):
    """A generator of pieces of noise, `count` bytes in all."""
    source = np.random.default_rng(seed)
    while count:
        size = min(CHUNK_BYTES, count)
        yield source.bytes(size)
        count -= size


class Reader:
    """Reads and hashes what a process writes into a pipe, as long as it is allowed to."""

    def __init__(self, keep=False):
        self._read, self.fd = os.pipe()
        self.digest = hashlib.sha256()
        self.count = 0
        self.kept = [] if keep else None
        self.allowed = threading.Event()
        self.allowed.set()
        self.pause_at = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        os.close(self.fd)
        self._thread.start()

    def _run(self):
        while True:
            if self.pause_at is not None and self.count >= self.pause_at:
                self.allowed.clear()
                self.pause_at = None
            self.allowed.wait()
            piece = os.read(self._read, CHUNK_BYTES)
            if not piece:
                os.close(self._read)
                return
            self.digest.update(piece)
            self.count += len(piece)
            if self.kept is not None:
                self.kept.append(piece)

    def finish(self, timeout):
        self._thread.join(tap.seconds(timeout))
        if self._thread.is_alive():
            raise AssertionError(
                f"the reader had {self.count} bytes and no end after {tap.seconds(timeout):.0f} s"
            )


class Writer(threading.Thread):
    """Writes pieces into a pipe and counts and hashes what went in."""

    def __init__(self, pipe, pieces):
        super().__init__(daemon=True)
        self.digest = hashlib.sha256()
        self.count = 0
        self.failure = None
        self._pipe = pipe
        self._pieces = pieces
        self.start()

    def run(self):
        try:
            for piece in self._pieces:
                self._pipe.write(piece)
                self._pipe.flush()
                self.digest.update(piece)
                self.count += len(piece)
            self._pipe.close()
        except OSError as error:
            self.failure = error

    def wait_stalled(self, timeout):
        """Waits until nothing has gone in for a while; returns whether there was more to write."""
        deadline = time.monotonic() + tap.seconds(timeout)
        before = -1
        while before != self.count:
            if time.monotonic() > deadline:
                raise AssertionError(f"the writer never was held back; it wrote {self.count} bytes")
            before = self.count
            self.join(tap.seconds(STALLED_SECONDS))
        return self.is_alive()


class Data(peers.HubTest):
    limit = 150

    def launch_receiver(self, pad, reader, target="alice"):
        receiver = self.launch(
            "receiver",
            f"conicsrc name=r target-id={target}  r.{pad} ! fdsink fd={reader.fd}",
            pass_fds=(reader.fd,),
        )
        reader.start()
        return receiver

    def write_file(self, name, content):
        path = self.path(name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def send_lines(self, lines, properties=""):
        path = self.write_file("lines.txt", "".join(lines).encode())
        with open(path, "rb") as file:
            sender = self.launch(
                "sender",
                f"fdsrc ! s.data_chat  conicsink name=s client-id=alice {properties}",
                stdin=file,
            )
        return sender

    def test_lines(self):
        """10,000 lines arrive complete, in order, byte for byte, and both sides end by themselves"""
        lines = make_lines()
        sender = self.send_lines(lines)
        reader = Reader(keep=True)
        receiver = self.launch_receiver("data_chat", reader)
        self.addCleanup(lambda: print(f"# {reader.count} bytes arrived"))
        self.assertEqual(sender.wait_exit(20), 0)
        reader.finish(30)
        self.assertEqual(receiver.wait_exit(20), 0)
        got = b"".join(reader.kept)
        self.assertEqual(len(got), len("".join(lines).encode()))
        self.assertEqual(got, "".join(lines).encode())

    def collect(self):
        receiver = self.probe(
            "receiver",
            "conicsrc name=r target-id=alice  r.data_chat ! appsink name=chat sync=false",
        )
        receiver.wait_event("eos", 60)
        return receiver.of_kind("sample", sink="chat")

    def test_text(self):
        """What is UTF-8 is sent as text messages, cut only between characters"""
        lines = make_lines()
        sender = self.send_lines(lines)
        messages = self.collect()
        self.assertEqual(sender.wait_exit(20), 0)
        self.assertEqual({m["media"] for m in messages}, {"text/x-raw"})
        self.assertEqual({m["format"] for m in messages}, {"utf8"})
        self.assertEqual(
            [m["n"] for m in messages if m["text"] is None], [], "messages cut within a character"
        )
        self.assertEqual("".join(m["text"] for m in messages), "".join(lines))

    def test_one_message_a_line(self):
        """With lines=true each line is one message, even an empty one and a last one without an end"""
        lines = make_lines() + ["ended by two\r\n", "not ended"]
        sender = self.send_lines(lines, "data_chat::lines=true")
        messages = self.collect()
        self.assertEqual(sender.wait_exit(20), 0)
        self.assertEqual([m["media"] for m in messages if m["media"] != "text/x-raw"], [])
        self.assertEqual(len(messages), len(lines))
        self.assertEqual([m["text"] for m in messages], lines)

    def test_text_on_the_wire(self):
        """Another WebRTC peer sees text messages for text and binary ones for bytes"""
        peer = self.probe(
            "peer",
            "webrtcbin name=rtc bundle-policy=max-bundle "
            " conicsignaller webrtc=rtc client-id=peer",
        )
        text = self.write_file("text", "".join(make_lines()[1:400]).encode())
        noise = b"".join(make_bytes(300_000))
        blob = self.write_file("blob", noise)
        self.launch(
            "sender",
            "conicsink name=s target-id=peer"
            f"  filesrc location={text} ! s.data_chat"
            f"  filesrc location={blob} ! application/octet-stream ! s.data_blob",
        )

        def amount(label, size):
            return sum(size(e) for e in peer.of_kind("channel-message", label=label))

        size = os.path.getsize(text)
        peer.wait_until(
            lambda: amount("chat", lambda e: len(e.get("text", "").encode())) >= size,
            40,
            "all the text",
        )
        peer.wait_until(
            lambda: amount("blob", lambda e: e.get("size", 0)) >= len(noise), 40, "all the bytes"
        )
        chat = peer.of_kind("channel-message", label="chat")
        with open(text, encoding="utf-8") as file:
            self.assertEqual("".join(e["text"] for e in chat), file.read())
        self.assertEqual({e["form"] for e in chat}, {"text"})
        self.assertEqual(
            {e["form"] for e in peer.of_kind("channel-message", label="blob")}, {"binary"}
        )

    def test_links(self):
        """gst-launch-1.0 links data pads alone and beside a sound without saying that it failed"""
        sender = self.launch(
            "sender",
            "conicsink name=s client-id=alice  audiotestsrc is-live=true !"
            " s.audio_0  fdsrc ! s.data_chat",
            stdin=subprocess.PIPE,
        )
        for pads in ("", "  r.audio_0 ! fakesink"):
            with self.subTest(pads=pads):
                receiver = self.launch(
                    "receiver", f"conicsrc name=r target-id=alice  r.data_chat ! fdsink{pads}"
                )
                receiver.wait_message("conic-session-started")
                sender.stdin.write(b"linked\n")
                sender.stdin.flush()
                receiver.wait_line("linked$")
                receiver.stop()
                self.assertFalse(receiver.has_line("Delayed linking failed"))

    def test_large(self):
        """100 MB through a binary pad arrive with the same SHA-256 and with bounded memory"""
        size = tap.scaled(100, 20) * 1_000_000
        path, digest = self.path("blob"), hashlib.sha256()
        with open(path, "wb") as file:
            for piece in make_bytes(size):
                file.write(piece)
                digest.update(piece)
        sender = self.launch(
            "sender",
            f"filesrc location={path} ! application/octet-stream ! s.data_blob"
            "  conicsink name=s client-id=alice",
        )
        reader = Reader()
        receiver = self.launch_receiver("data_blob", reader)
        receiver.wait_message("conic-session-started")
        started = time.monotonic()
        memory = MemoryWatch(sender, receiver)
        self.assertEqual(sender.wait_exit(90), 0)
        reader.finish(30)
        took = time.monotonic() - started
        self.assertEqual(receiver.wait_exit(20), 0)
        growth = memory.growth()
        self.assertEqual(reader.count, size)
        self.assertEqual(reader.digest.hexdigest(), digest.hexdigest())
        for name, grown in growth.items():
            self.assertLess(grown, GROWTH_BYTES, f"the {name} grew")
        print(
            f"# {size / 1e6:.0f} MB in {took:.1f} s = {size * 8 / took / 1e6:.0f} Mbit/s; "
            + ", ".join(f"{name} +{grown / MIB:.0f} MiB" for name, grown in growth.items())
        )

    def test_slow_reader(self):
        """A receiver that stops reading holds the sender back; nothing is lost and nothing grows"""
        size = tap.scaled(120, 80) * MIB
        sender = self.launch(
            "sender",
            "fdsrc ! application/octet-stream ! s.data_blob  conicsink name=s client-id=alice",
            stdin=subprocess.PIPE,
        )
        reader = Reader()
        reader.pause_at = MIB
        receiver = self.launch_receiver("data_blob", reader)
        receiver.wait_message("conic-session-started")
        memory = MemoryWatch(sender, receiver)
        # Enough to run into every limit on the way, and to notice if there is none.
        writer = Writer(sender.stdin, make_bytes(size))
        self.assertTrue(
            writer.wait_stalled(90), f"all {writer.count} bytes went in though nobody read them"
        )
        self.assertFalse(
            reader.allowed.is_set(), f"the reader had only {reader.count} bytes when it stalled"
        )
        underway = writer.count - reader.count
        self.assertLess(underway, UNDERWAY_BYTES, "too much is under way")
        reader.allowed.set()
        self.assertEqual(sender.wait_exit(90), 0, writer.failure)
        reader.finish(30)
        self.assertEqual(receiver.wait_exit(20), 0)
        self.assertEqual(reader.count, size)
        self.assertEqual(reader.digest.hexdigest(), writer.digest.hexdigest())
        growth = memory.growth()
        for name, grown in growth.items():
            self.assertLess(grown, GROWTH_BYTES, f"the {name} grew")
        print(
            f"# held back with {underway / MIB:.1f} MiB under way; "
            + ", ".join(f"{name} +{grown / MIB:.0f} MiB" for name, grown in growth.items())
        )

    def test_reader_leaves(self):
        """A receiver that leaves before it has handed on everything doesn't keep the sender from its end"""
        sender = self.launch(
            "sender",
            "fdsrc ! application/octet-stream ! s.data_blob  conicsink name=s client-id=alice",
            stdin=subprocess.PIPE,
            env={"GST_DEBUG": "conicdatasink:5"},
        )
        Writer(sender.stdin, make_bytes(MIB // 2))
        reader = Reader()
        reader.pause_at = 0
        receiver = self.launch_receiver("data_blob", reader)
        sender.wait_line("waits for it to arrive", 40)
        self.assertEqual(receiver.stop(), 0)
        self.assertEqual(sender.wait_exit(20), 0)

    def test_silence(self):
        """Pads that have had no message yet don't keep a picture waiting; what comes later comes"""
        sender = self.launch(
            "sender",
            "conicsink name=s client-id=alice  videotestsrc is-live=true !"
            " s.video_0  fdsrc ! tee name=t  t. ! text/x-raw,format=utf8 ! s.data_chat"
            "  t. ! queue ! application/octet-stream ! s.data_bytes",
            stdin=subprocess.PIPE,
        )
        receiver = self.probe(
            "receiver",
            "conicsrc name=r target-id=alice  r.video_0 ! appsink name=seen"
            "  r.data_chat ! appsink name=chat"
            "  r.data_bytes ! application/octet-stream ! appsink name=bytes",
        )
        for pad in ("data_chat", "data_bytes"):
            receiver.wait_event("pad-added", pad=pad)
        receiver.wait_event("sample", 40, sink="seen", n=30)
        receiver.wait_event("reached", state="PLAYING")
        self.assertEqual(receiver.of_kind("sample", sink="chat"), [])
        sender.stdin.write(b"later\n")
        sender.stdin.flush()
        for sink, media in (("chat", "text/x-raw"), ("bytes", "application/octet-stream")):
            message = receiver.wait_event("sample", sink=sink)
            self.assertEqual((message["text"], message["media"]), ("later\n", media))


if __name__ == "__main__":
    tap.main()
