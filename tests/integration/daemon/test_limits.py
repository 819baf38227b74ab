#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""There are only so many connections in a running conicd, and what comes and goes leaves nothing.

An address has as many as it may, whatever way they end; without a free descriptor a newcomer gets 503 or
waits, nothing spins, and service goes on; after a thousand connections of every kind of ending, memory,
descriptors and ids are where they were.
"""

import os
import random
import resource
import select
import signal
import socket
import time

import hub as hubs
from conictest import tap
from conictest.process import status
from hub import cpu_seconds, join, round_trip
from rawsocket import CLOSE, REQUEST, TEXT, Client

# Descriptors that a daemon without connections has at least.
FEWEST_DESCRIPTORS = 5


class LimitsTest(tap.TestCase):
    limit = 120

    def connect(self, hub, **kwargs):
        """Half of a handshake."""
        connection = socket.create_connection(("127.0.0.1", hub.port), timeout=tap.seconds(10), **kwargs)
        self.addCleanup(connection.close)
        connection.sendall(b"GET /ws HTTP/1.1\r\n")
        return connection

    def refused(self, status_line, hub, **kwargs):
        """A connection more is refused with that status, and let go."""
        with socket.create_connection(("127.0.0.1", hub.port), timeout=tap.seconds(10), **kwargs) as connection:
            self.assertIn(status_line, connection.recv(1000).decode())
            self.assertEqual(connection.recv(1000), b"")

    def gets_in(self, hub, **kwargs):
        """A client of that address gets in as soon as there is room for it."""
        until = time.monotonic() + tap.seconds(5)
        while True:
            try:
                return Client(self, hub.port, **kwargs)
            except AssertionError as error:
                self.assertIn(" 429 ", str(error))
                self.assertLess(time.monotonic(), until, "there is no room")

    def test_per_address(self):
        """An address has as many connections as it may, handshakes included; others have their own"""
        hub = hubs.start(self, clients_per_address=3)
        join(self, hub, "a")
        gone = join(self, hub, "gone")
        half = self.connect(hub)
        self.assertEqual(select.select([half], [], [], 0.1)[0], [])
        for _ in range(5):
            self.refused(" 429 ", hub)
        # The loopback has more addresses than one.
        for number in range(3):
            join(self, hub, f"other{number}", source="127.0.0.2")
        self.refused(" 429 ", hub, source_address=("127.0.0.2", 0))
        # Whoever is refused doesn't count, even if it stays; there is room as soon as somebody has left.
        deaf = self.connect(hub)
        self.assertIn(b" 429 ", deaf.recv(1000))
        gone.close()
        gone.ended()
        gone = Client(self, hub.port)
        half.close()
        self.gets_in(hub)

    def test_per_address_families(self):
        """IPv6 addresses are counted as well, each family by itself"""
        hub = hubs.start(self, clients_per_address=1, listen="[::1]:0")
        port = int(hub.wait_line(r"\[::1\]:(\d+)").group(1))
        join(self, hub, "four")
        client = Client(self, port, host="::1")
        client.register("six")
        self.refused(" 429 ", hub)
        with self.assertRaisesRegex(AssertionError, " 429 "):
            Client(self, port, host="::1")
        client.close()
        self.assertTrue(client.ended())
        client.socket.close()
        for _ in range(100):
            try:
                Client(self, port, host="::1").register("six")
                return
            except AssertionError as error:
                self.assertIn(" 429 ", str(error))
        self.fail("there is no room")

    def endings(self, hub):
        """Every way in which a connection ends, by name."""
        address = ("127.0.0.1", hub.port)

        def request(text):
            def ending():
                with socket.create_connection(address, timeout=tap.seconds(10)) as connection:
                    connection.sendall(text)
                    while connection.recv(65536):
                        pass
            return ending

        def client(last, path="/ws"):
            def ending():
                client = self.gets_in(hub, path=path)
                last(client)
                client.socket.close()
            return ending

        def abandon(text):
            def ending():
                with socket.create_connection(address) as connection:
                    connection.sendall(text)
            return ending

        handshake = REQUEST.format(path="/ws?x", port=hub.port, key="dGhlIHNhbXBsZSBub25jZQ==", extra="")
        absolute = f"http://127.0.0.1:{hub.port}/ws"
        return {
            "nothing said": abandon(b""),
            "half of a request": abandon(b"GET /ws HTTP/1.1\r\nHost:"),
            "gone with a whole request": abandon(handshake.encode()),
            "gone with a request for libsoup": abandon(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"),
            "handshake too late": request(b"GET /ws HTTP/1.1\r\nHost:"),
            "head too long": request(b"GET /ws HTTP/1.1\r\nX: " + b"y" * 9000),
            "answered by libsoup": request(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"),
            "refused by libsoup": request(handshake.replace("Version: 13", "Version: 12").encode()),
            "no HTTP": request(b"\x16\x03\x01\r\n\r\n"),
            "closed": client(lambda c: (c.close(), c.ended())),
            "closed, through libsoup": client(lambda c: (c.close(), c.ended()), absolute),
            "gone": client(lambda c: None),
            "reset": client(lambda c: c.reset()),
            "reset, through libsoup": client(lambda c: c.reset(), absolute),
            "never registered": client(lambda c: c.closed()),
            "broken frame": client(lambda c: (c.send_frame(TEXT, b"x", rsv=1), c.closed())),
            "broken frame, and then silence": client(lambda c: (c.send_frame(TEXT, b"x", rsv=1), c.ended())),
            "no answer to a close": client(lambda c: c.ended()),
            "no answer to a ping": client(lambda c: (c.register(), c.ended())),
        }

    def test_per_address_endings(self):
        """Whatever way a connection ends, there is room for the next of its address"""
        hub = hubs.start(self, clients_per_address=1, handshake_seconds=0.3, register_seconds=0.3, ping_seconds=0.3,
                         pong_seconds=0.3, close_seconds=0.3)
        for name, ending in self.endings(hub).items():
            with self.subTest(name):
                ending()
                ending()
                client = self.gets_in(hub)
                client.close()
                client.ended()
                client.socket.close()
        # What is counted is still counted right.
        self.gets_in(hub).register("a")
        self.refused(" 429 ", hub)

    def test_per_address_reload(self):
        """SIGHUP changes how many an address may have"""
        path = self.path("conicd.conf")

        def write(limit):
            with open(path, "w", encoding="utf-8") as file:
                file.write(f"[limits]\nclients-per-address={limit}\n")

        write(0)
        hub = hubs.start(self, config=path)
        for number in range(3):
            join(self, hub, f"c{number}")
        for limit, fits in ((3, False), (4, True), (4, False), (0, True)):
            write(limit)
            lines = len(hub.lines)
            os.kill(hub.pid, signal.SIGHUP)
            hub.wait_line("reloaded", start=lines)
            if fits:
                join(self, hub, f"more{limit}")
            else:
                self.refused(" 429 ", hub)

    def test_refused_are_few(self):
        """Clients that are refused and don't leave use up no descriptors"""
        hub = hubs.start(self, clients_per_address=1)
        first = join(self, hub, "first")
        before = status(hub.pid)["fds"]
        deaf = []
        for _ in range(600):
            connection = socket.create_connection(("127.0.0.1", hub.port))
            self.addCleanup(connection.close)
            deaf.append(connection)
        round_trip(first)
        self.assertLess(status(hub.pid)["fds"] - before, 300)
        for connection in deaf:
            connection.close()

    def test_descriptors_used_up(self):
        """Without a free descriptor a newcomer gets 503, nothing spins, and service goes on"""
        hub = hubs.start(self)
        first = join(self, hub, "first")
        used = status(hub.pid)["fds"]
        resource.prlimit(hub.pid, resource.RLIMIT_NOFILE, (used + 12, used + 12))
        clients = []
        with self.assertRaisesRegex(AssertionError, " 503 "):
            for n in range(100):
                clients.append(join(self, hub, f"c{n}"))
        self.assertGreater(len(clients), 5)

        begun = cpu_seconds(hub)
        for _ in range(20):
            self.refused(" 503 ", hub)
            round_trip(first)
        # One that doesn't leave has the reserve for a second; those behind it wait.
        deaf = [self.connect(hub) for _ in range(3)]
        for connection in deaf:
            self.assertIn(b" 503 ", connection.recv(1000))
            round_trip(first)
        self.assertLess(cpu_seconds(hub) - begun, 0.5, "it spins")
        clients.pop().close()
        until = time.monotonic() + tap.seconds(5)
        while True:
            try:
                join(self, hub, "late")
                break
            except AssertionError as error:
                self.assertIn(" 503 ", str(error))
                self.assertLess(time.monotonic(), until, "service doesn't go on")

    def test_no_descriptor_at_all(self):
        """Without even a reserve newcomers wait, nothing spins, and they are served when that is over"""
        hub = hubs.start(self)
        first = join(self, hub, "first")
        limits = resource.prlimit(hub.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(hub.pid, resource.RLIMIT_NOFILE, (FEWEST_DESCRIPTORS, limits[1]))
        begun = cpu_seconds(hub)
        waiting = [self.connect(hub) for _ in range(10)]
        # Longer than the listener's pause, so that it is taken more than once.
        self.assertEqual(select.select(waiting, [], [], 2.5)[0], [])
        round_trip(first)
        self.assertLess(cpu_seconds(hub) - begun, 0.2, "it spins")
        resource.prlimit(hub.pid, resource.RLIMIT_NOFILE, limits)
        rest = REQUEST.format(path="/ws", port=hub.port, key="dGhlIHNhbXBsZSBub25jZQ==", extra="").split("\r\n", 1)[1]
        for connection in waiting:
            connection.sendall(rest.encode())
            self.assertIn(b" 101 ", connection.recv(1000))
        # The reserve is there again.
        used = status(hub.pid)["fds"]
        resource.prlimit(hub.pid, resource.RLIMIT_NOFILE, (used, limits[1]))
        self.refused(" 503 ", hub)

    def churn(self, hub, generator, count):
        """Connections that end in every way there is."""
        for n in range(count):
            ending = generator.randrange(7)
            if ending == 0:  # half of a request
                with socket.create_connection(("127.0.0.1", hub.port)) as connection:
                    connection.sendall(b"GET /ws HTTP/1.1\r\nHost:")
                continue
            client = Client(self, hub.port)
            if ending > 1:
                client.register(f"c{n}")
            if ending == 2:
                client.close()
                client.ended()
            elif ending == 3:
                client.reset()
            elif ending == 4:  # in the middle of a message
                client.send_frame(TEXT, b"x" * 1000, length=300_000)
            elif ending == 5:
                client.send_frame(TEXT, b"x", rsv=1)
                client.closed()
            elif ending == 6:
                client.send_frame(CLOSE, b"\x03\xe8")
            client.socket.close()

    def settle(self, hub):
        """Waits until nobody but the asking client is there."""
        watcher = join(self, hub, "watcher")
        while True:
            watcher.send({"id": "l", "type": "list_request"})
            if len(watcher.receive_json()["data"]["clients"]) == 1:
                break
        watcher.close()
        watcher.ended()
        watcher.socket.close()

    def test_churn(self):
        """After 1,000 connections memory, descriptors and ids are where they were"""
        generator = random.Random(1)
        hub = hubs.start(self, close_seconds=0.2, handshake_seconds=0.2, register_seconds=0.2)
        self.churn(hub, generator, 300)  # what allocators and libraries keep once they have it
        self.settle(hub)
        before = status(hub.pid)
        self.churn(hub, generator, 1000)
        self.settle(hub)
        deadline = time.monotonic() + tap.seconds(10)
        while status(hub.pid)["fds"] > before["fds"] and time.monotonic() < deadline:
            # Each of these is a turn of the daemon's loop; what lingers has a deadline there.
            self.settle(hub)
        after = status(hub.pid)
        self.assertLessEqual(after["fds"], before["fds"])
        self.assertLess(after["rss"] - before["rss"], 2 << 20 if not tap.SANITIZED else 30 << 20)


if __name__ == "__main__":
    tap.main()
