#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""One client must not harm another, and what comes and goes must leave nothing, in a running conicd.

A client that doesn't read has its queue filled and is let go, and nobody else notices; clients that flood
the hub don't keep another one waiting; after a thousand connections of every kind of ending, memory and
descriptors are where they were; without a free descriptor the newcomer gets 503 and service goes on.
"""

import json
import random
import resource
import socket
import statistics
import struct
import threading
import time

from conictest import tap
from conictest.peers import Conicd
from conictest.process import MemoryWatch, status
from rawsocket import CLOSE, TEXT, Client, Closed, frame

# The time that issue of a message and its echo may take beside four flooders.
FAIR_SECONDS = 0.020


def sdp(target, text):
    return json.dumps({"id": "m", "type": "sdp", "data": {
        "to_id": target, "session_description": {"type": "offer", "sdp": text}}}).encode()


class LoadTest(tap.TestCase):
    limit = 120

    def conicd(self, text="", **kwargs):
        path = self.path("conicd.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return Conicd(self, arguments=("--config", path), **kwargs)

    def client(self, hub, client_id, **kwargs):
        client = Client(self, hub.port, **kwargs)
        client.register(client_id)
        return client

    def test_slow_reader(self):
        """Who doesn't read: its senders hear peer_slow, it is closed with 4008, memory stays flat"""
        hub = self.conicd("[timeouts]\nslow-seconds=1\nclose-seconds=5\n")
        sender, other = self.client(hub, "sender"), self.client(hub, "other")
        slow = self.client(hub, "slow", receive_buffer=4096)
        watch = MemoryWatch(hub)
        message = sdp("slow", "x" * 20_000)
        refused = delivered = 0
        while refused < 2000:
            # The list_response tells that the message before it was delivered or refused.
            sender.send_bytes(frame(TEXT, message) + frame(TEXT, b'{"id":"l","type":"list_request"}'))
            answer = sender.receive_json()
            if answer["type"] == "error":
                code = answer["data"]["code"]
                sender.receive_json()
                if code == "peer_not_found":
                    break
                self.assertEqual((code, answer["data"]["to_id"]), ("peer_slow", "slow"))
                refused += 1
            else:
                delivered += 1
            if refused:
                other.send(sdp("other", "hello"))
                self.assertEqual(other.receive_json()["data"]["session_description"]["sdp"], "hello")
        self.assertGreater(refused, 0)
        self.assertGreater(delivered, 10)
        # What it reads now is what the kernel has, and why it was closed.
        self.assertEqual(slow.closed(), 4008)
        self.assertLess(watch.growth()["conicd"], 12 << 20)
        self.assertTrue(Client(self, hub.port).register("slow")["data"]["success"])

    def test_slow_reader_recovers(self):
        """Who reads again before its time is over stays, and has lost only what was refused"""
        hub = self.conicd("[timeouts]\nslow-seconds=60\n")
        sender = self.client(hub, "sender")
        slow = self.client(hub, "slow", receive_buffer=4096)
        accepted = []
        for n in range(100_000):
            sender.send_bytes(frame(TEXT, sdp("slow", f"{n} " + "x" * 20_000))
                              + frame(TEXT, b'{"id":"l","type":"list_request"}'))
            if sender.receive_json()["type"] == "error":
                sender.receive_json()
                break
            accepted.append(n)
        for n in accepted:
            text = slow.receive_json()["data"]["session_description"]["sdp"]
            self.assertEqual(text.split()[0], str(n))
        sender.send(sdp("slow", "again"))
        self.assertEqual(slow.receive_json()["data"]["session_description"]["sdp"], "again")

    def flood(self, hub, make, stop):
        """Threads that send as fast as they can, and read what comes back."""
        threads = []
        for number in range(4):
            client = self.client(hub, f"flooder{number}")
            client.socket.settimeout(None)
            data = make(f"flooder{number}")

            def send(client=client, data=data):
                try:
                    while not stop.is_set():
                        client.socket.sendall(data)
                    client.socket.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

            def read(client=client):
                try:
                    while client.socket.recv(1 << 20):
                        pass
                except OSError:
                    pass

            threads += [threading.Thread(target=send), threading.Thread(target=read)]
        for thread in threads:
            thread.start()
        return threads

    def test_flooders(self):
        """Four clients that flood: a fifth one's round trip stays short"""
        floods = {
            "small messages": lambda own: frame(TEXT, sdp("nobody", "")) * 200,
            "to themselves": lambda own: frame(TEXT, sdp(own, "x" * 1500)) * 50,
            "garbage": lambda own: frame(TEXT, b"[") * 1000,
            "large messages": lambda own: frame(TEXT, sdp("nobody", "x" * 400_000)),
            "pings": lambda own: frame(9, b"p") * 1000,
        }
        for name, make in floods.items():
            with self.subTest(name):
                hub = Conicd(self, name=name.replace(" ", "-"))
                fifth = self.client(hub, "fifth")
                stop = threading.Event()
                threads = self.flood(hub, make, stop)
                times = []
                for n in range(200):
                    started = time.monotonic()
                    fifth.send(sdp("fifth", str(n)))
                    self.assertEqual(fifth.receive_json()["data"]["session_description"]["sdp"], str(n))
                    times.append(time.monotonic() - started)
                stop.set()
                hub.kill()
                for thread in threads:
                    thread.join()
                # The median: this machine's other programs are not the hub's.
                self.assertLess(statistics.median(times), tap.seconds(FAIR_SECONDS),
                                f"{name}: {sorted(times)[::20]}")

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
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            elif ending == 4:  # in the middle of a message
                client.send_frame(TEXT, b"x" * 1000, length=300_000)
            elif ending == 5:
                client.send_frame(TEXT, b"x", rsv=1)
                client.closed()
            elif ending == 6:
                client.send_frame(CLOSE, b"\x03\xe8")
            client.socket.close()

    def settle(self, hub):
        """Waits until nobody but the asking client is there; returns what the daemon has open."""
        watcher = self.client(hub, "watcher")
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
        hub = self.conicd("[timeouts]\nclose-seconds=0.2\nhandshake-seconds=0.2\nregister-seconds=0.2\n")
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

    def test_descriptors_used_up(self):
        """Without a free descriptor a newcomer gets 503, nothing spins, and service goes on"""
        hub = self.conicd()
        first = self.client(hub, "first")
        used = status(hub.pid)["fds"]
        resource.prlimit(hub.pid, resource.RLIMIT_NOFILE, (used + 12, used + 12))
        clients = []
        with self.assertRaisesRegex(AssertionError, "503"):
            for n in range(100):
                clients.append(self.client(hub, f"c{n}"))
        self.assertGreater(len(clients), 5)

        def cpu():
            with open(f"/proc/{hub.pid}/stat", encoding="ascii") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            return int(fields[11]) + int(fields[12])

        begun = cpu()
        for n in range(20):
            with self.assertRaises((AssertionError, Closed, ConnectionResetError)):
                Client(self, hub.port)
            first.send(sdp("first", str(n)))
            self.assertEqual(first.receive_json()["data"]["session_description"]["sdp"], str(n))
        self.assertLess(cpu() - begun, 100, "it spins")
        for client in clients:
            client.close()
            client.ended()
        self.assertTrue(Client(self, hub.port).register("late")["data"]["success"])


if __name__ == "__main__":
    tap.main()
