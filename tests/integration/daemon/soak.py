#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Everything at once against one conicd, for as long as one likes: what comes and goes must leave nothing.

    PYTHONPATH=tests/support tests/integration/daemon/soak.py [--seconds N]      (1800 by default)

Clients that come and go in every way, floods, clients that are killed, clients that don't read, bad input,
half-open and drip-fed requests, all in processes of their own, while a pair of well-behaved clients exchanges
messages all the time. All of it runs for a while first, for what allocators and libraries keep once they have it.
Afterwards memory, descriptors and ids have to be where they were, no client of the pair may have been closed or
kept waiting, and the daemon may have logged nothing critical. Prints how it stands once a minute.
"""

import argparse
import json
import multiprocessing
import os
import random
import re
import signal
import socket
import struct
import sys
import time
import traceback
import urllib.request

from conictest import tap
from conictest.peers import Conicd
from conictest.process import status
from rawsocket import BINARY, CLOSE, CONTINUATION, PING, REQUEST, TEXT, Client, Closed, Refused, frame
from test_bad_input import BODIES, TEXTS, as_text, envelope

# What the run may leave behind: pages that an allocator keeps, not what a client costs.
RSS_BYTES = (4 << 20) if not tap.SANITIZED else (40 << 20)
# The longest that the well-behaved pair may have to wait for a round trip, on a machine that is busy.
STALL_SECONDS = 5
CONFIG = """[timeouts]
handshake-seconds=1
register-seconds=1
slow-seconds=1
close-seconds=1
ping-seconds=5
pong-seconds=5

[limits]
bytes-per-second=20000000
bytes-burst=20000000
queue-bytes=300000
"""

processes = multiprocessing.get_context("fork")


class Nobody:
    """Where a Client expects a test case: actors close their clients themselves."""

    def addCleanup(self, *_):
        pass


class Actor:
    """Plays one part in a process of its own until it is told to stop, and hands back what it has to say."""

    def __init__(self, play, port, seed):
        self.name = f"{play.__name__}-{seed}"
        self.stopped = processes.Event()
        self._results, results = processes.Pipe(False)
        self._process = processes.Process(target=self._run, args=(play, port, seed, results), daemon=True)
        self._process.start()
        results.close()

    def _run(self, play, port, seed, results):
        signal.setitimer(signal.ITIMER_REAL, 0)
        said = {"rounds": 0, "turned away": 0, "failure": None}
        generator = random.Random(seed)
        try:
            if play is pair:
                pair(port, self.stopped, said)
            while play is not pair and not self.stopped.wait(generator.random() / 20):
                try:
                    play(port, generator, self.stopped)
                    said["rounds"] += 1
                # A machine this busy may keep a client from sending its request within the second it has.
                except (Closed, Refused, OSError):
                    said["turned away"] += 1
        except BaseException:
            said["failure"] = traceback.format_exc()
        results.send(said)

    def stop(self):
        self.stopped.set()
        said = self._results.recv() if self._results.poll(tap.seconds(30)) else {"failure": f"{self.name} hangs"}
        self._process.kill()
        self._process.join()
        return said


def join(port, name, **kwargs):
    client = Client(Nobody(), port, **kwargs)
    if name:
        client.register(name)
    return client


def sdp(target, text):
    return {"id": "m", "type": "sdp", "data": {"to_id": target, "session_description": {"type": "offer", "sdp": text}}}


def pair(port, stopped, said):
    """Two clients as they should be; how long each round trip took."""
    a, b = join(port, "pair-a"), join(port, "pair-b")
    said["times"] = times = []
    while not stopped.wait(0.02):
        started = time.monotonic()
        a.send(sdp("pair-b", str(started)))
        b.send(sdp("pair-a", json.loads(b.receive())["data"]["session_description"]["sdp"]))
        assert json.loads(a.receive())["data"]["session_description"]["sdp"] == str(started)
        times.append(time.monotonic() - started)
        said["rounds"] += 1
    a.close()
    b.close()


def churn(port, generator, _stopped):
    """Connections that end in every way there is."""
    ending = generator.randrange(7)
    client = join(port, "" if ending == 0 else f"churn-{generator.getrandbits(60)}")
    if ending == 1:
        client.close()
        client.ended()
    elif ending == 2:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    elif ending == 3:
        client.send_frame(TEXT, b"x" * 1000, length=300_000)
    elif ending == 4:
        client.send_frame(CLOSE, b"\x03\xe8")
    elif ending == 5:
        client.send({"id": "u", "type": "unregister_request"})
        client.receive()
    client.socket.close()


def flood(port, generator, stopped):
    """As much as the hub takes for half a second, of what costs it most; answers are read or not."""
    name = f"flood-{generator.getrandbits(60)}"
    client = join(port, name, timeout=2)
    data = generator.choice((frame(TEXT, b"[]") * 500, frame(PING, b"p") * 1000,
                             frame(TEXT, json.dumps(sdp(name, "x" * 1400)).encode()) * 30,
                             frame(TEXT, json.dumps(sdp("pair-a-not", "x" * 100_000)).encode()),
                             frame(TEXT, b"", fin=False) + frame(CONTINUATION, b"", fin=False) * 1000))
    client.socket.settimeout(0.05)
    until = time.monotonic() + 0.5
    reads = generator.random() < 0.7
    while time.monotonic() < until and not stopped.is_set():
        try:
            client.send_bytes(data)
            while reads and client.socket.recv(1 << 16):
                pass
        except TimeoutError:
            pass
        # What was sent in part only is a broken stream now, which is as good as any.
    client.socket.close()


def kill(port, generator, _stopped):
    """A client that is killed in the middle of what it says."""
    name = f"kill-{generator.getrandbits(60)}"
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            client = join(port, name)
            client.send_frame(TEXT, b"x" * generator.randrange(5000), length=100_000)
        finally:
            os.write(write_end, b"x")
            signal.pause()
    os.read(read_end, 1)
    os.close(read_end)
    os.close(write_end)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def deaf(port, generator, stopped):
    """A client that doesn't read, and one that talks to it until it hears peer_slow and then peer_not_found."""
    name = f"deaf-{generator.getrandbits(60)}"
    listener, talker = join(port, name, receive_buffer=4096), join(port, "")
    talker.register()
    heard = set()
    while "peer_not_found" not in heard and not stopped.is_set():
        talker.send(sdp(name, "x" * 200_000))
        talker.send({"id": "l", "type": "list_request"})
        while (message := talker.receive_json())["type"] == "error":
            heard.add(message["data"]["code"])
        stopped.wait(0.01)
    assert stopped.is_set() or "peer_slow" in heard, heard
    talker.socket.close()
    listener.socket.close()


def bad(port, generator, _stopped):
    """Bad messages, which are answered, then a bad frame, which ends it."""
    client = join(port, "")
    readme = generator.random() < 0.5
    (client.register_readme if readme else client.register)(f"bad-{generator.getrandbits(60)}")
    for _ in range(10):
        if generator.random() < 0.5:
            client.send(generator.choice(list(TEXTS.values())))
        else:
            kind, body, _ = generator.choice(list(BODIES.values()))
            client.send((as_text if readme else envelope)(kind, body))
        client.receive()
    client.send_bytes(generator.choice((
        frame(TEXT, b"\xff"), frame(TEXT, b"{}", rsv=4), frame(11), frame(CONTINUATION), frame(TEXT, mask=None),
        frame(BINARY, length=1 << 40), frame(CLOSE, b"\x00"), frame(PING, b"x" * 126), generator.randbytes(200) + b"\xff" * 2000)))
    client.closed()
    client.socket.close()


def half(port, generator, stopped):
    """Requests that never end, some of them fed octet by octet, and clients that never register."""
    request = REQUEST.format(path="/ws", port=port, key="dGhlIHNhbXBsZSBub25jZQ==", extra="").encode()
    held = {}
    for number in range(10):
        connection = socket.create_connection(("127.0.0.1", port), timeout=10)
        connection.sendall(request if number < 3 else request[:generator.randrange(len(request) - 1)])
        connection.setblocking(False)
        held[connection] = b"x" if number >= 6 else b""
    while held and not stopped.wait(0.1):
        for connection, drop in list(held.items()):
            try:
                connection.send(drop)
                if connection.recv(4096):
                    continue
            except BlockingIOError:
                continue
            except OSError:
                pass
            connection.close()
            del held[connection]
    for connection in held:
        connection.close()


class SoakTest(tap.TestCase):
    seconds = 1800
    cast = ((pair, 1), (churn, 3), (flood, 2), (kill, 1), (deaf, 2), (bad, 2), (half, 2))

    def setUp(self):
        self.warm_up = min(60, max(4, self.seconds / 4))
        self.limit = self.seconds + self.warm_up + 120
        super().setUp()

    def connections(self):
        """How many connections the daemon itself says that it has, beside the one that asks."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.hub.port}/metrics", timeout=10) as response:
            text = response.read().decode()
        return sum(map(int, re.findall(r'(?m)^conicd_connections\{state="(?!handshake)\w+"\} (\d+)$', text)))

    def play(self, seconds, seed):
        """Everybody plays for that long; what each has to say."""
        actors = [Actor(part, self.hub.port, seed + n) for part, count in self.cast for n in range(count)]
        started, told = time.monotonic(), 0
        stop = processes.Event()
        while time.monotonic() - started < seconds and self.hub.running:
            stop.wait(min(1, seconds))
            minute = int((time.monotonic() - started) / 60)
            if minute > told:
                told = minute
                now = status(self.hub.pid)
                print(f"# {minute} min: {now['rss'] >> 10} KiB, {now['fds']} descriptors", flush=True)
        return {actor.name: actor.stop() for actor in actors}

    def settle(self, fds):
        """Waits until nobody is left but the asking client; returns what the daemon has then."""
        deadline = time.monotonic() + tap.seconds(30)
        while True:
            watcher = join(self.hub.port, "watcher")
            watcher.send({"id": "l", "type": "list_request"})
            ids = [client["client_id"] for client in watcher.receive_json()["data"]["clients"]]
            watcher.close()
            watcher.ended()
            watcher.socket.close()
            now = status(self.hub.pid)
            left = self.connections()
            if ids == ["watcher"] and left == 0 and now["fds"] <= fds:
                return now
            self.assertLess(time.monotonic(), deadline, f"left behind: {ids}, {left} connections, {now['fds']} descriptors")

    def test_soak(self):
        """Everything at once: memory, descriptors and ids return to where they were, and a pair goes on all the time"""
        path = self.path("conicd.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(CONFIG)
        self.hub = Conicd(self, arguments=("--config", path))
        fds = status(self.hub.pid)["fds"]
        self.play(self.warm_up, 0)
        before = self.settle(fds)
        said = self.play(self.seconds, 1000)
        after = self.settle(fds)
        print(f"# before: {before['rss'] >> 10} KiB, {before['fds']} descriptors; "
              f"after: {after['rss'] >> 10} KiB, {after['fds']} descriptors")
        for name, words in said.items():
            self.assertIsNone(words["failure"], name)
            self.assertGreater(words["rounds"], 0, name)
            print(f"# {name}: {words['rounds']} rounds, {words['turned away']} cut short")
        times = sorted(said["pair-1000"]["times"])
        print(f"# round trips of the pair: p50 {times[len(times) // 2] * 1e3:.1f} ms, "
              f"p99 {times[len(times) * 99 // 100] * 1e3:.1f} ms, longest {times[-1] * 1e3:.1f} ms")
        self.assertLess(times[-1], tap.seconds(STALL_SECONDS))
        self.assertLess(after["rss"] - before["rss"], RSS_BYTES)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=SoakTest.seconds)
    SoakTest.seconds = parser.parse_args().seconds
    del sys.argv[1:]
    tap.main()
