#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whoever leaves a running conicd waiting has so much time and no more, and an id is free when it should be.

A handshake, a registration and a farewell have absolute deadlines, which no trickle of bytes puts off; a
client that is dead is found out by pings that don't go to everybody at once; a lost client's id is held for it
if that is configured, its resume token takes the id over, and whoever takes its leave frees the id at once.
"""

import select
import socket
import struct
import threading
import time

import hub as hubs
from conictest import tap
from conictest.process import status
from hub import join, round_trip, sdp, sdp_text
from rawsocket import CLOSE, PING, PONG, REQUEST, TEXT, Client, Closed, frame

# How much later than its deadline something may happen on a busy machine.
LATE = 2


class DeadlinesTest(tap.TestCase):
    def drip(self, connection, data):
        """Sends single bytes until the daemon has had enough; returns what it says then."""
        stop = threading.Event()

        def feed():
            # Paced by the event, so that what ends it is the daemon and not the end of the request.
            for byte in data:
                if stop.wait(0.02):
                    return
                try:
                    connection.send(bytes([byte]))
                except OSError:
                    return

        feeder = threading.Thread(target=feed)
        feeder.start()
        try:
            return connection.recv(1000)
        finally:
            stop.set()
            feeder.join()

    def on_time(self, started, seconds):
        """It is that many seconds since `started`, no less and not much more."""
        passed = time.monotonic() - started
        self.assertGreater(passed, seconds - 0.01)
        self.assertLess(passed, tap.seconds(seconds + LATE))

    def test_handshake(self):
        """Half-open connections and drip-fed handshakes are closed after their time"""
        hub = hubs.start(self, handshake_seconds=0.5)
        fds = status(hub.pid)["fds"]
        request = REQUEST.format(path="/ws", port=1, key="x", extra="X: y\r\n" * 100).encode()
        for name, act in (("silent", lambda connection: connection.recv(1000)),
                          ("half", lambda connection: connection.sendall(request[:20]) or connection.recv(1000)),
                          ("drip", lambda connection: self.drip(connection, request))):
            # Its time begins when it is accepted, which may be before this process goes on.
            started = time.monotonic()
            with self.subTest(name), socket.create_connection(("127.0.0.1", hub.port)) as connection:
                connection.settimeout(tap.seconds(10))
                self.assertIn(b" 408 ", act(connection))
                self.on_time(started, 0.5)
        join(self, hub, "a").close()
        self.assertLessEqual(status(hub.pid)["fds"], fds + 1)

    def test_registration(self):
        """Who never registers is closed after its time, whatever else it says; who registers stays"""
        hub = hubs.start(self, register_seconds=0.5)
        member = join(self, hub, "member")
        started = time.monotonic()
        silent, talker = Client(self, hub.port), Client(self, hub.port)
        with self.assertRaises(Closed) as caught:
            while True:
                talker.send({"type": "list_request"})
                talker.send_frame(PING)
                self.assertEqual(talker.error()[0], "not_registered")
                self.assertEqual(talker.receive_frame()[1], PONG)
                select.select([talker.socket], [], [], 0.02)
        self.assertEqual(caught.exception.code, 1008)
        self.on_time(started, 0.5)
        self.assertEqual(silent.closed(), 1008)
        round_trip(member)
        # Who gives its id up has that time again, and no more.
        started = time.monotonic()
        member.send({"type": "unregister_request"})
        self.assertEqual(member.receive_json()["type"], "unregister_response")
        self.assertEqual(member.closed(), 1008)
        self.on_time(started, 0.5)

    def test_closing(self):
        """Who doesn't answer a close frame is let go all the same"""
        hub = hubs.start(self, register_seconds=0.3, close_seconds=0.5)
        client = Client(self, hub.port)
        self.assertEqual(client.receive_frame()[1], CLOSE)
        started = time.monotonic()
        self.assertTrue(client.ended())
        self.on_time(started, 0.5)

    def test_dead_peer(self):
        """Who answers no ping is let go after its time, and its id is free; who answers stays"""
        hub = hubs.start(self, ping_seconds=0.4, pong_seconds=0.4)
        alive = join(self, hub, "alive")
        started = time.monotonic()
        dead = join(self, hub, "dead")
        pings = 0
        while True:
            # Its answers keep it alive; that it asks at each of them keeps it busy enough.
            _, opcode, payload = alive.receive_frame()
            self.assertEqual(opcode, PING)
            pings += 1
            alive.send_frame(PONG, payload)
            if time.monotonic() - started > 0.35:
                alive.send({"type": "list_request"})
                if "dead" not in str(alive.receive_json()):
                    break
        # A ping comes after three quarters of its interval at the earliest.
        self.on_time(started, 0.3 + 0.4)
        self.assertGreater(pings, 0)
        join(self, hub, "dead")
        self.assertEqual(dead.closed(), 1006)

    def test_jitter(self):
        """Clients that came together aren't pinged together"""
        hub = hubs.start(self, ping_seconds=1)
        clients, joined, times = [], {}, []
        poll = select.poll()
        for number in range(64):
            clients.append(join(self, hub, f"c{number}"))
            joined[clients[-1].socket.fileno()] = time.monotonic()
            poll.register(clients[-1].socket, select.POLLIN)
        while len(times) < len(clients):
            for fd, _ in poll.poll(tap.seconds(10) * 1000):
                poll.unregister(fd)
                times.append(time.monotonic() - joined[fd])
        times.sort()
        for client in clients:
            self.assertEqual(client.receive_frame()[1], PING)
        print(f"# pings after {times[0]:.2f} to {times[-1]:.2f} s", flush=True)
        self.assertGreater(times[0], 0.5)
        self.assertGreater(times[-1] - times[0], 0.15)
        # No tenth of the time has half of them.
        self.assertLess(max(sum(start <= t < start + 0.025 for t in times) for start in times), len(clients) / 2)

    def test_throttled_is_not_dead(self):
        """Who isn't read because it sends too much isn't taken for dead"""
        hub = hubs.start(self, ping_seconds=0.2, pong_seconds=0.2, messages_per_second=2, messages_burst=2)
        client = join(self, hub, "a")
        started = time.monotonic()
        client.send_bytes(b"".join(frame(TEXT, sdp("a", str(n))) for n in range(5)))
        texts = []
        while len(texts) < 5:
            answer = client.receive_json()
            if answer["type"] == "sdp":
                texts.append(sdp_text(answer))
        self.assertEqual(texts, ["0", "1", "2", "3", "4"])
        self.assertGreater(time.monotonic() - started, 1.5)


class ResumeTest(tap.TestCase):
    def take(self, hub, client_id, **data):
        """The error that registering as that id meets, or None, and the client."""
        client = Client(self, hub.port)
        answer = client.register(client_id, **data)["data"]
        if answer["success"]:
            client.token = answer["resume_token"]
            return None, client
        return answer["error"]["code"], client

    def seen(self, client, client_id, expected):
        """Waits until the others see that id, or see it no more; returns when that was."""
        until = time.monotonic() + tap.seconds(10)
        while time.monotonic() < until:
            client.send({"type": "list_request"})
            if ({"client_id": client_id} in client.receive_json()["data"]["clients"]) == expected:
                return time.monotonic()
        raise AssertionError(f"{client_id} is {'not ' if expected else ''}there")

    def reaches(self, sender, client_id):
        sender.send(sdp(client_id, "hello"))
        return sender.error()

    def test_take_over(self):
        """A resume token takes an id over from a connection that is still there: 4001 for that"""
        for window in (0, 5):
            with self.subTest(window=window):
                hub = hubs.start(self, name=f"window{window}", resume_seconds=window)
                other, old = join(self, hub, "other"), join(self, hub, "a")
                self.assertEqual(self.take(hub, "a")[0], "id_taken")
                self.assertEqual(self.take(hub, "a", resume_token="x" * len(old.token))[0], "id_taken")
                self.assertEqual(self.take(hub, "a", resume_token=other.token)[0], "id_taken")
                error, new = self.take(hub, "a", resume_token=old.token)
                self.assertIsNone(error)
                self.assertEqual(old.closed(), 4001)
                other.send(sdp("a", "for the new one"))
                self.assertEqual(sdp_text(new.receive_json()), "for the new one")
                # Each connection has a token of its own.
                self.assertNotEqual(new.token, old.token)
                self.assertEqual(self.take(hub, "a", resume_token=old.token)[0], "id_taken")
                self.assertTrue(old.ended())
                round_trip(new)

    def test_hold(self):
        """A lost client's id is held for its token as long as configured, then it is free"""
        hub = hubs.start(self, resume_seconds=1.5)
        other = join(self, hub, "other")
        for lose in (lambda client: client.reset(), lambda client: client.socket.close(),
                     lambda client: client.send_frame(TEXT, b"x", rsv=1)):
            client = join(self, hub, "a")
            lose(client)
            self.seen(other, "a", False)
            self.assertEqual(self.reaches(other, "a")[0], "peer_not_found")
            self.assertEqual(self.take(hub, "a")[0], "id_taken")
            error, client = self.take(hub, "a", resume_token=client.token)
            self.assertIsNone(error)
            other.send(sdp("a", "again"))
            self.assertEqual(sdp_text(client.receive_json()), "again")
            client.close()
        client = join(self, hub, "a")
        client.reset()
        lost = self.seen(other, "a", False)
        while self.take(hub, "a")[0] == "id_taken":
            self.assertLess(time.monotonic() - lost, tap.seconds(1.5 + LATE))
        self.assertGreater(time.monotonic() - lost, 1.3)

    def test_hold_the_dead(self):
        """The id of a client that answers no ping is held as well"""
        hub = hubs.start(self, resume_seconds=60, ping_seconds=0.3, pong_seconds=0.3)
        dead = join(self, hub, "a")
        self.assertEqual(dead.receive_frame()[1], PING)
        self.assertTrue(dead.ended())
        self.assertEqual(self.take(hub, "a")[0], "id_taken")
        self.assertIsNone(self.take(hub, "a", resume_token=dead.token)[0])

    def test_leave(self):
        """Who takes its leave frees its id at once, and so does everybody where nothing is held"""
        def unregister(client):
            client.send({"type": "unregister_request"})
            self.assertEqual(client.receive_json()["type"], "unregister_response")

        leaves = {
            "1000": lambda client: client.close(),
            "1001": lambda client: client.send_frame(CLOSE, struct.pack("!H", 1001)) or client.closed(),
            "no status": lambda client: client.send_frame(CLOSE) or client.closed(),
            "unregistered": unregister,
            "unregistered and lost": lambda client: unregister(client) or client.reset(),
        }
        hub = hubs.start(self, resume_seconds=60)
        for name, leave in leaves.items():
            with self.subTest(name):
                leave(join(self, hub, "a"))
                error, client = self.take(hub, "a")
                self.assertIsNone(error)
                client.close()

        # Without a window the id is free once the daemon knows of the loss, which the list tells.
        hub = hubs.start(self, name="without", resume_seconds=0)
        other, client = join(self, hub, "other"), join(self, hub, "a")
        client.reset()
        self.seen(other, "a", False)
        self.assertIsNone(self.take(hub, "a")[0])


if __name__ == "__main__":
    tap.main()
