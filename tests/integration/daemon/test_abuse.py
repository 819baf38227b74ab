#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clients that want to cost a running conicd more than they are worth: in memory, or in time.

What a header announces, fragments without end and answers that nobody reads cost no more than a bound; and
who is thrown out, or is no WebSocket client at all, still reads why. What RFC 6455 forbids frame by frame is in
test_websocket.py.
"""

import os
import socket

import hub as hubs
from conictest import tap
from conictest.peers import Conicd
from conictest.process import status
from rawsocket import CONTINUATION, PING, PONG, TEXT, Client, Closed, frame

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

    def works(self, client):
        client.send(LIST)
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
        hub = hubs.start(self, name="impatient", slow_seconds=0.5, close_seconds=0.5, **hubs.UNLIMITED)
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

    def test_unfinished_requests(self):
        """A request that isn't whole waits as one descriptor and no more, whatever it begins with; a body isn't waited for"""
        self.works(self.client())
        before = len(os.listdir(f"/proc/{self.hub.pid}/fd"))
        waiting = []
        for data in (b"\r\n\r\n", b"\r\n\r\nGET /healthz HTTP/1.1\r\n", b"\r\nPOST / HTTP/1.1\r\nContent-Length: 9\r\n") * 20:
            connection = socket.create_connection(("127.0.0.1", self.hub.port), tap.seconds(10))
            self.addCleanup(connection.close)
            connection.sendall(data)
            waiting.append(connection)
        self.works(self.client())
        # One for each, and one for that client.
        self.assertEqual(len(os.listdir(f"/proc/{self.hub.pid}/fd")), before + len(waiting) + 1)
        for connection, status_line in zip(waiting[1:3], (b"HTTP/1.1 200 ", b"HTTP/1.1 413 ")):
            connection.sendall(b"Host: x\r\n\r\n")
            self.assertEqual(connection.recv(13, socket.MSG_WAITALL), status_line)
        for body in (b"Content-Length: 100000\r\n", b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: x\r\n"):
            with socket.create_connection(("127.0.0.1", self.hub.port), tap.seconds(10)) as connection:
                connection.sendall(b"POST /ws HTTP/1.1\r\nHost: x\r\n" + body + b"\r\n")
                self.assertEqual(connection.recv(13, socket.MSG_WAITALL), b"HTTP/1.1 413 ")

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
