#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Frames that RFC 6455 forbids, and those it allows though few send them, against a running conicd.

What is broken is closed with 1002, bad UTF-8 with 1007, what is too big with 1009, and that before memory
is spent on it. What is only unusual works: any fragmentation, control frames between fragments, frames cut
into single bytes, empty fragments.
"""

import socket
import struct

from conictest import tap
from conictest.peers import Conicd
from conictest.process import status
from rawsocket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Client, Closed, frame

LIMIT = 512 * 1024
LIST = b'{"type":"list_request","id":"l"}'


class AbuseTest(tap.TestCase):
    def setUp(self):
        super().setUp()
        self.hub = Conicd(self)

    def client(self, **kwargs):
        client = Client(self, self.hub.port, **kwargs)
        client.register()
        return client

    def closes(self, expected, data):
        """These bytes have the connection closed with that status, and its id is free."""
        client = Client(self, self.hub.port)
        client.register("victim")
        client.send_bytes(data)
        self.assertEqual(client.closed(), expected)
        client.socket.close()

    def works(self, client):
        client.send(LIST)
        self.assertEqual(client.receive_json()["type"], "list_response")

    def test_broken_frames(self):
        """Frames without a mask, with reserved bits, of unknown opcodes: 1002"""
        self.closes(1002, frame(TEXT, LIST, mask=None))
        for rsv in (1, 2, 4, 7):
            self.closes(1002, frame(TEXT, LIST, rsv=rsv))
            self.closes(1002, frame(PING, b"", rsv=rsv))
        for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
            self.closes(1002, frame(opcode, b"x"))
            self.closes(1002, bytes([0x80 | opcode]))

    def test_control_frames(self):
        """Control frames that are long or fragmented: 1002; of 125 bytes: answered"""
        for opcode in (CLOSE, PING, PONG):
            self.closes(1002, frame(opcode, b"x" * 126))
            self.closes(1002, frame(opcode, b"", fin=False))
        client = self.client()
        for payload in (b"", b"x", b"\xff\xfe", b"p" * 125):
            client.send_frame(PING, payload)
            self.assertEqual(client.receive_frame(), (True, PONG, payload))
        client.send_frame(PONG, b"nobody asked")
        self.works(client)

    def test_pings_in_order(self):
        """Ten pings at once are answered, in order"""
        client = self.client()
        client.send_bytes(b"".join(frame(PING, b"%d" % i) for i in range(10)))
        for i in range(10):
            self.assertEqual(client.receive_frame(), (True, PONG, b"%d" % i))

    def test_lengths(self):
        """Lengths that aren't in their shortest form, or beyond 63 bits: 1002"""
        self.closes(1002, b"\x81\xfe\x00\x05" + b"\0" * 9)
        self.closes(1002, b"\x81\xff" + struct.pack("!Q", 65535) + b"\0" * 9)
        self.closes(1002, b"\x81\xff" + struct.pack("!Q", 1 << 63) + b"\0" * 4)

    def test_fragments(self):
        """Messages in fragments, with control frames between them, and cut anywhere"""
        client = self.client()
        text = '{"type":"list_request","id":"☎"}'.encode()
        for cut in range(len(text) + 1):
            client.send_frame(TEXT, text[:cut], fin=False)
            client.send_frame(PING, b"between")
            client.send_frame(CONTINUATION, text[cut:])
            self.assertEqual(client.receive_frame(), (True, PONG, b"between"))
            self.assertEqual(client.receive_json()["reply_to"], "☎")
        client.send_frame(TEXT, b"", fin=False)
        for byte in text:
            client.send_frame(CONTINUATION, bytes([byte]), fin=False)
        client.send_frame(CONTINUATION, b"")
        self.assertEqual(client.receive_json()["reply_to"], "☎")

    def test_single_bytes(self):
        """Every byte in a segment of its own, and many frames in one"""
        client = self.client()
        data = frame(TEXT, LIST) + frame(PING, b"p") + frame(TEXT, LIST[:9], fin=False) \
            + frame(PONG) + frame(CONTINUATION, LIST[9:])
        for byte in data:
            client.send_bytes(bytes([byte]))
        for _ in range(2):
            self.assertEqual(client.receive_json()["reply_to"], "l")
        client.send_bytes(data * 50)
        for _ in range(100):
            self.assertEqual(client.receive_json()["reply_to"], "l")

    def test_fragment_order(self):
        """A continuation of nothing, and a message inside another: 1002"""
        self.closes(1002, frame(CONTINUATION, LIST))
        self.closes(1002, frame(CONTINUATION, LIST, fin=False))
        self.closes(1002, frame(TEXT, LIST[:5], fin=False) + frame(TEXT, LIST))
        self.closes(1002, frame(TEXT, LIST[:5], fin=False) + frame(BINARY, LIST))
        self.closes(1002, frame(TEXT, LIST) + frame(CONTINUATION, LIST))

    def test_utf8(self):
        """Bad UTF-8, also where fragments cut it: 1007; good UTF-8 wherever it is cut: fine"""
        bad = (b"\xff", b"\xc0\x80", b"\xe0\x80\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80",
               b"\x80", b"\xe2\x98", b"\xf0\x9f\x98", b"\xe2\x28\xa1")
        for sequence in bad:
            text = b'{"type":"list_request","id":"' + sequence + b'"}'
            self.closes(1007, frame(TEXT, text))
            middle = text.index(sequence) + len(sequence) // 2
            self.closes(1007, frame(TEXT, text[:middle], fin=False) + frame(PING) + frame(CONTINUATION, text[middle:]))
        client = self.client()
        good = "é☎😀\U0010ffff\ud7ff\ue000".encode()
        text = b'{"type":"list_request","id":"' + good + b'"}'
        start = text.index(good)
        for cut in range(start, start + len(good) + 1):
            client.send_frame(TEXT, text[:cut], fin=False)
            client.send_frame(CONTINUATION, text[cut:])
            self.assertEqual(client.receive_json()["reply_to"].encode(), good)

    def test_close_frames(self):
        """Bad close frames: 1002 or 1007; good ones are answered with their own status"""
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535):
            self.closes(1002, frame(CLOSE, struct.pack("!H", code)))
        self.closes(1002, frame(CLOSE, b"\x03"))
        self.closes(1007, frame(CLOSE, b"\x03\xe8\xff"))
        for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 4999):
            self.closes(code, frame(CLOSE, struct.pack("!H", code) + b"bye"))
        self.closes(1000, frame(CLOSE, struct.pack("!H", 1000)) + frame(TEXT, b"\xff"))

    def test_too_big(self):
        """A message over the limit, announced by a header or by fragments: 1009; at the limit: fine"""
        self.closes(1009, frame(TEXT, b"", length=LIMIT + 1))
        self.closes(1009, frame(TEXT, b"", length=(1 << 62)))
        self.closes(1009, frame(BINARY, b"", length=LIMIT + 1))
        self.closes(1009, frame(TEXT, b"", fin=False, length=LIMIT + 1))
        self.closes(1009, frame(TEXT, b"x" * 1000, fin=False) + frame(CONTINUATION, b"", length=LIMIT - 999))
        client = self.client()
        client.send(b'{"type":"list_request","x":"' + b"y" * (LIMIT - 30) + b'"}')
        self.assertEqual(client.receive_json()["type"], "list_response")

    def test_memory(self):
        """Headers that announce the largest message, and endless fragments, cost no memory"""
        before = status(self.hub.pid)["rss"]
        clients = [self.client() for _ in range(100)]
        for client in clients:
            client.send_bytes(frame(TEXT, b"{", length=LIMIT))
        self.works(self.client())
        grown = status(self.hub.pid)["rss"] - before
        self.assertLess(grown, 20 << 20, "memory was spent on what headers announced")

        endless = self.client()
        endless.send_frame(TEXT, b"", fin=False)
        for _ in range(20):
            endless.send_bytes(frame(CONTINUATION, b"", fin=False) * 5000)
        endless.send_frame(PING, b"still there")
        self.assertEqual(endless.receive_frame(), (True, PONG, b"still there"))
        self.assertLess(status(self.hub.pid)["rss"] - before, 25 << 20)

    def test_answers_unread(self):
        """A client that asks without end and reads nothing is let go, and costs a bounded queue"""
        path = self.path("conicd.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write("[timeouts]\nslow-seconds=0.5\nclose-seconds=0.5\n")
        hub = Conicd(self, arguments=("--config", path), name="impatient")
        client = Client(self, hub.port, receive_buffer=4096)
        client.register("greedy")
        before = status(hub.pid)["rss"]
        client.socket.settimeout(tap.seconds(20))
        data = (frame(TEXT, LIST) + frame(PING, b"x" * 125) + frame(TEXT, b"bad")) * 100
        with self.assertRaises((BrokenPipeError, ConnectionResetError)):
            while True:
                client.send_bytes(data)
        self.assertLess(status(hub.pid)["rss"] - before, 25 << 20)
        self.assertTrue(Client(self, hub.port).register("greedy")["data"]["success"])

    def test_garbage_after_failure(self):
        """Who goes on after a failure still reads why, whatever else it sent"""
        client = self.client()
        client.send_bytes(frame(TEXT, LIST, rsv=1) + b"\xff" * 100_000)
        with self.assertRaises(Closed) as caught:
            client.receive()
        self.assertEqual(caught.exception.code, 1002)

    def test_bad_requests(self):
        """Requests that aren't HTTP, and heads that are too long, are answered and closed"""
        for data in (b"\x16\x03\x01" + b"\0" * 100 + b"\r\n\r\n", b"GARBAGE\r\n\r\n", b"GET /ws\r\n\r\n",
                     b"GET /ws HTTP/1.1\r\nX: " + b"y" * 9000):
            with socket.create_connection(("127.0.0.1", self.hub.port)) as connection:
                connection.settimeout(tap.seconds(15))
                connection.sendall(data)
                try:
                    while connection.recv(65536):
                        pass
                except ConnectionResetError:
                    pass
        self.works(self.client())


if __name__ == "__main__":
    tap.main()
