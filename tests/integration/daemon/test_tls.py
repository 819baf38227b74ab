#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""TLS in a running conicd: what a client with it can do, and what nobody can do with it.

With a certificate every address speaks TLS and nothing else, to curl, to openssl and to two WebSocket
clients; without a good one the daemon doesn't start, and says which file is at fault. Messages come and go
whole however they lie in TLS's records; who doesn't read, doesn't finish, breaks off or talks nonsense is
let go as it is without TLS, and harms nobody.
"""

import asyncio
import ctypes
import json
import os
import re
import select
import signal
import socket
import ssl
import statistics
import struct
import subprocess
import threading
import time
import urllib.request
import warnings

import websockets

from certificates import Certificate
from conictest import tap
from conictest.peers import CONICD, Conicd
from conictest.process import MemoryWatch, Process, status
from hub import cpu_seconds, sdp
from rawsocket import PING, REQUEST, TEXT, Client, Closed, frame

CLIENTS = 200
STORM = 300

# What each of so many idle clients may cost, of which OpenSSL has the most.
IDLE = 100
IDLE_BYTES = 20_000

# What a client's round trip may take beside another that floods.
FAIR_SECONDS = 0.020

KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def registration(client_id):
    return json.dumps({"id": "r", "type": "register_request", "data": {"client_id": client_id}}).encode()


class KeyUpdater:
    """A TLS 1.3 client on a connected socket that can change its keys, which Python's own can't."""

    def __init__(self, connection):
        self._ssl = ctypes.CDLL("libssl.so.3")
        for name in ("TLS_client_method", "SSL_CTX_new", "SSL_new", "BIO_s_mem", "BIO_new"):
            getattr(self._ssl, name).restype = ctypes.c_void_p
        context = ctypes.c_void_p(self._ssl.SSL_CTX_new(ctypes.c_void_p(self._ssl.TLS_client_method())))
        self._session = ctypes.c_void_p(self._ssl.SSL_new(context))
        self._ssl.SSL_set_fd(self._session, connection.fileno())
        os.set_blocking(connection.fileno(), True)
        assert self._ssl.SSL_connect(self._session) == 1
        self._memory = None

    def write(self, data):
        """Sends a record."""
        assert self._ssl.SSL_write(self._session, data, len(data)) == len(data)

    def encrypt(self, data):
        """The bytes of a record, not sent; nor is anything from then on."""
        if self._memory is None:
            self._memory = ctypes.c_void_p(self._ssl.BIO_new(ctypes.c_void_p(self._ssl.BIO_s_mem())))
            self._ssl.SSL_set0_wbio(self._session, self._memory)
        if data:
            self.write(data)
        buffer = ctypes.create_string_buffer(1 << 20)
        length = self._ssl.BIO_read(self._memory, buffer, len(buffer))
        return buffer.raw[: max(length, 0)]

    def crumbs(self, data):
        """The same of a record for each byte."""
        self.encrypt(b"")
        for byte in data:
            self.write(bytes([byte]))
        return self.encrypt(b"")

    def updates(self, number):
        """The bytes of so many changes of keys."""
        self.encrypt(b"")
        for _ in range(number):
            assert self._ssl.SSL_key_update(self._session, 0) == 1
            assert self._ssl.SSL_do_handshake(self._session) == 1
        return self.encrypt(b"")


class TlsTest(tap.TestCase):
    limit = 90

    def setUp(self):
        super().setUp()
        self.certificate = Certificate(self)
        self.context = self.certificate.context()

    def conicd(self, text="", *arguments):
        path = self.path("conicd.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return Conicd(self, arguments=("--config", path, *self.certificate.options, "--log-level", "debug", *arguments))

    def client(self, hub, client_id=None, **kwargs):
        client = Client(self, hub.port, tls=kwargs.pop("tls", self.context), **kwargs)
        if client_id:
            self.assertTrue(client.register(client_id)["data"]["success"])
        return client

    def connect(self, hub):
        """A connection before its TLS handshake."""
        connection = socket.create_connection(("127.0.0.1", hub.port))
        connection.settimeout(tap.seconds(10))
        self.addCleanup(connection.close)
        return connection

    def ends(self, connection):
        """Reads until the other side has closed."""
        try:
            while connection.recv(65536):
                pass
        except (ConnectionResetError, ssl.SSLError):
            pass

    def works(self, hub, client_id="works"):
        """Somebody else is served as if nothing were the matter."""
        client = self.client(hub, client_id)
        client.send(sdp(client_id, "hello"))
        self.assertEqual(client.receive_json()["data"]["session_description"]["sdp"], "hello")
        self.assertEqual(client.close(), 1000)

    def handshake(self, *arguments):
        """openssl's client; returns (status, what it printed)."""
        done = subprocess.run(["openssl", "s_client", "-CAfile", self.certificate.certificate, "-verify_return_error",
                               "-servername", "localhost", *arguments], input=b"", capture_output=True, check=False,
                              timeout=tap.seconds(20))
        return done.returncode, (done.stdout + done.stderr).decode()

    def test_clients(self):
        """curl, openssl and python3-websockets come in by TLS 1.2 and 1.3, with HTTP/1.1, and by nothing older"""
        hub = self.conicd()
        hub.wait_line(rf"wss://127\.0\.0\.1:{hub.port}/ws$")
        url = f"https://localhost:{hub.port}"
        for version in ("--tlsv1.2", "--tlsv1.3"):
            done = subprocess.run(["curl", "-sS", "-v", "--cacert", self.certificate.certificate, version, f"{url}/healthz"],
                                  capture_output=True, check=True, text=True, timeout=tap.seconds(20))
            self.assertEqual(done.stdout, "ok\n")
            self.assertRegex(done.stderr, "accepted http/1.1|ALPN: server accepted http/1.1")

        port = f"localhost:{hub.port}"
        code, text = self.handshake("-connect", port, "-alpn", "http/1.1")
        self.assertEqual(code, 0, text)
        self.assertRegex(text, "ALPN protocol: http/1.1")
        for refused in (("-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"), ("-alpn", "h2"),
                        ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256")):
            code, text = self.handshake("-connect", port, *refused)
            self.assertRegex(text, "alert", refused)
            self.assertNotEqual(code, 0, text)

        async def talk():
            async with websockets.connect(f"wss://localhost:{hub.port}/ws", ssl=self.context) as a:
                async with websockets.connect(f"wss://127.0.0.1:{hub.port}/ws", ssl=self.context) as b:
                    for socket_, name in ((a, "a"), (b, "b")):
                        await socket_.send(registration(name).decode())
                        self.assertTrue(json.loads(await socket_.recv())["data"]["success"])
                    await a.send(sdp("b", "x" * 300_000).decode())
                    return json.loads(await b.recv())

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            message = asyncio.run(asyncio.wait_for(talk(), tap.seconds(20)))
        self.assertEqual(len(message["data"]["session_description"]["sdp"]), 300_000)

    def test_plain(self):
        """Whoever speaks plain HTTP to it is let go without a word of HTTP, which is logged for who wants to know"""
        hub = self.conicd()
        connection = self.connect(hub)
        connection.sendall(REQUEST.format(path="/ws", port=hub.port, key=KEY, extra="").encode())
        answer = b""
        try:
            while data := connection.recv(4096):
                answer += data
        except ConnectionResetError:
            pass
        self.assertNotIn(b"HTTP", answer)
        hub.wait_line("TLS handshake .*failed: http request")
        garbage = self.connect(hub)
        garbage.sendall(bytes(range(256)) * 10)
        self.ends(garbage)
        hub.wait_line("TLS handshake .*failed: (?!http)")
        self.works(hub)

    def test_refusals(self):
        """A certificate or key that is missing, unreadable, nonsense, locked or another's: no start, the file is named"""
        good = self.certificate
        other, locked = Certificate(self, "other"), Certificate(self, "locked", passphrase="secret")
        foreign = Certificate(self, "foreign", key="rsa")
        nonsense = self.path("nonsense.pem")
        with open(nonsense, "w", encoding="utf-8") as file:
            file.write("-----BEGIN CERTIFICATE-----\nTm9uc2Vuc2U=\n-----END CERTIFICATE-----\n")
        empty = self.path("empty.pem")
        open(empty, "w", encoding="utf-8").close()
        nowhere = self.path("nowhere.pem")
        cases = (
            (nowhere, good.key, r"nowhere\.pem: No such file"),
            (good.certificate, nowhere, r"nowhere\.pem: No such file"),
            (self.directory, good.key, rf"{self.directory}: "),
            (good.certificate, self.directory, rf"{self.directory}: "),
            (nonsense, good.key, r"nonsense\.pem: .*certificate"),
            (empty, good.key, r"empty\.pem: .*certificate"),
            (good.certificate, nonsense, r"nonsense\.pem: .*private key"),
            (good.certificate, empty, r"empty\.pem: .*private key"),
            (good.key, good.certificate, r"hub\.key: .*certificate"),
            (good.certificate, other.key, r"other\.key: .*not the key of .*hub\.crt"),
            (good.certificate, foreign.key, r"foreign\.key: .*not the key of .*hub\.crt"),
            (locked.certificate, locked.key, r"locked\.key: .*passphrase"),
        )
        for certificate, key, pattern in cases:
            with self.subTest(pattern):
                arguments = ("--listen", "127.0.0.1:0", "--tls-certificate", certificate, "--tls-key", key)
                for more, expected in (((), 1), (("--check-config",), 2)):
                    process = Process(self, "refused", [CONICD, *arguments, *more])
                    self.assertEqual(process.wait_exit(), expected)
                    text = "\n".join(line.text for line in process.lines)
                    self.assertRegex(text, pattern)
                    self.assertNotIn("listening", text)
        for alone in (("--tls-certificate", good.certificate), ("--tls-key", good.key)):
            process = Process(self, "refused", [CONICD, *alone])
            self.assertEqual(process.wait_exit(), 2)
            self.assertRegex(process.lines[0].text, "needs a certificate and its key")
        process = Process(self, "checked", [CONICD, *good.options, "--check-config"])
        self.assertEqual(process.wait_exit(), 0)

    def test_expired(self):
        """A certificate that has expired is served, for it may be the only one, with a warning that names it"""
        self.certificate.expire()
        process = Process(self, "checked", [CONICD, *self.certificate.options, "--check-config"])
        self.assertEqual(process.wait_exit(), 0)
        self.assertIn(f"conicd: warning: {self.certificate.certificate}: the certificate has expired",
                      [line.text for line in process.lines])
        hub = self.conicd()
        hub.wait_line(r"warning: .*hub\.crt: the certificate has expired")
        with self.assertRaisesRegex(ssl.SSLCertVerificationError, "expired"):
            self.client(hub, tls=self.certificate.context())

    def test_records(self):
        """Messages are whole, however they lie in records: many in one, one in many, a byte in each"""
        hub = self.conicd()
        a, b = self.client(hub, "a"), self.client(hub, "b")
        # As many as one record holds, so that only the first of them can wake the daemon.
        many = b"".join(frame(TEXT, sdp("b", str(i))) for i in range(120))
        self.assertLess(len(many), 16_384)
        a.send_bytes(many)
        for i in range(120):
            self.assertEqual(b.receive_json()["data"]["session_description"]["sdp"], str(i))
        for part in frame(TEXT, sdp("b", "bytewise")):
            a.send_bytes(bytes([part]))
        self.assertEqual(b.receive_json()["data"]["session_description"]["sdp"], "bytewise")
        # More frames than one turn acts on, in one record, and nothing after it.
        a.send_bytes(frame(PING, b"") * 1000 + frame(TEXT, sdp("b", "last")))
        self.assertEqual(b.receive_json()["data"]["session_description"]["sdp"], "last")
        for size in (16_300, 16_384, 33_000, 500_000):
            text = "y" * size
            a.send(sdp("b", text))
            self.assertEqual(b.receive_json()["data"]["session_description"]["sdp"], text)

    def test_heads(self):
        """The request may be cut anywhere and be followed at once by messages; libsoup's way is open as well"""
        hub = self.conicd()
        for name, extra in (("swift", ""), ("soup", "Content-Length: 0\r\n")):
            # All in one record, after which nothing comes that could wake the daemon.
            client = self.client(hub, extra=extra, early=frame(TEXT, registration(name)))
            self.assertEqual(client.receive_json()["data"]["client_id"], name)
            self.assertEqual(client.close(), 1000)
            early = frame(TEXT, registration(name)) + frame(TEXT, sdp(name, "z" * 40_000))
            client = self.client(hub, extra=extra, early=early)
            self.assertEqual(client.receive_json()["data"]["client_id"], name)
            self.assertEqual(client.receive_json()["data"]["session_description"]["sdp"], "z" * 40_000)
            self.assertEqual(client.close(), 1000)
        connection = self.context.wrap_socket(self.connect(hub), server_hostname="localhost")
        for part in REQUEST.format(path="/ws", port=hub.port, key=KEY, extra="").encode():
            connection.sendall(bytes([part]))
        self.assertTrue(connection.recv(4096).startswith(b"HTTP/1.1 101 "))
        for request, answer in ((b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 404"),
                                (b"POST /ws HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 405"),
                                (b"GET /ws HTTP/1.1\r\nX: " + b"y" * 20_000, b"HTTP/1.1 431")):
            connection = self.context.wrap_socket(self.connect(hub), server_hostname="localhost")
            connection.sendall(request)
            self.assertTrue(connection.recv(4096).startswith(answer), answer)
            self.ends(connection)
        # An empty line is where a head ends, so libsoup gets this one, and has to wait for the rest.
        connection = self.context.wrap_socket(self.connect(hub), server_hostname="localhost")
        connection.sendall(b"\r\n\r\nGET /healthz HTTP/1.1\r\n")
        self.client(hub).register("between")
        connection.sendall(b"Host: x\r\n\r\n")
        self.assertTrue(connection.recv(4096).startswith(b"HTTP/1.1 200"))

    def test_stop_amid_handshakes(self):
        """SIGTERM while connections are in every state of theirs: it ends at once, and nothing is left over"""
        hub = self.conicd("[timeouts]\nhandshake-seconds=60\n")
        waiting = [self.connect(hub) for _ in range(9)]
        for connection in waiting[:3]:
            connection.sendall(b"\x16\x03\x01\x02\x00\x01")
        for part in (b"GET /ws HT", b"\r\n\r\nGET /ws HTTP/1.1\r\n", b"\r\n\r\n"):
            connection = self.context.wrap_socket(self.connect(hub), server_hostname="localhost")
            connection.sendall(part)
            waiting.append(connection)
        client = self.client(hub)
        client.register("client")
        hub.ended_by_us = True
        os.kill(hub.pid, hub.stop_signal)
        self.assertEqual(client.error()[0], "shutting_down")
        os.kill(hub.pid, signal.SIGHUP)
        self.assertEqual(client.close(), 1001)
        self.assertEqual(hub.wait_exit(), 0)
        self.assertFalse(hub.has_line("reloaded"))
        self.assertFalse(hub.has_line("took too long"))

    def hello(self):
        """A client's first words."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        try:
            self.context.wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
        except ssl.SSLWantReadError:
            pass
        return outgoing.read()

    def test_storm(self):
        """Three hundred who all at once want a handshake, with the slower kind of key, keep nobody waiting long"""
        self.certificate = Certificate(self, "slow", key="rsa")
        self.context = self.certificate.context()
        hub = self.conicd("[limits]\nmessages-per-second=0\n")
        other = self.client(hub, "other")
        hello = self.hello()
        storm = [self.connect(hub) for _ in range(STORM)]
        self.works(hub)
        used = cpu_seconds(hub)
        for connection in storm:
            connection.sendall(hello)
        trips = []
        waiting = set(storm)
        while waiting:
            started = time.monotonic()
            other.send(sdp("other", "trip"))
            other.receive_json()
            trips.append(time.monotonic() - started)
            waiting -= set(select.select(list(waiting), [], [], 0)[0])
        used = cpu_seconds(hub) - used
        common = statistics.median(trips)
        print(f"# {used / STORM * 1000:.2f} ms of processor time for a handshake, {len(trips)} round trips meanwhile, "
              f"half within {common * 1000:.1f} ms, all within {max(trips) * 1000:.1f} ms")
        self.assertGreater(len(trips), 20)
        self.assertLess(common, tap.seconds(FAIR_SECONDS))

    def test_crumbs(self):
        """A request that comes in records of a byte each is read in many turns, and others get theirs between"""
        hub = self.conicd()
        other = self.client(hub, "other")
        crumbs = [self.context.wrap_socket(self.connect(hub), server_hostname="localhost") for _ in range(8)]
        self.works(hub)
        os.kill(hub.pid, signal.SIGSTOP)
        for connection in crumbs:
            for _ in range(5000):
                connection.send(b"x")
        used = cpu_seconds(hub)
        os.kill(hub.pid, signal.SIGCONT)
        for _ in range(20):
            other.send(sdp("other", "trip"))
            other.receive_json()
        used = cpu_seconds(hub) - used
        print(f"# {used * 1000:.0f} ms of processor time for twenty round trips")
        # All crumbs are more than 100 ms.
        self.assertLess(used, tap.seconds(0.05))
        # What was left for another turn isn't forgotten.
        crumbs[0].sendall(b"y" * 4000)
        self.assertTrue(crumbs[0].recv(4096).startswith(b"HTTP/1.1 431"))

    def test_throttled(self):
        """What comes faster than the limit, in one record, is acted on later, and all of it"""
        hub = self.conicd("[limits]\nmessages-per-second=100\nmessages-burst=20\n")
        client, other = self.client(hub, "client"), self.client(hub, "other")
        client.send_bytes(b"".join(frame(TEXT, sdp("other", str(i))) for i in range(80)))
        for i in range(80):
            self.assertEqual(other.receive_json()["data"]["session_description"]["sdp"], str(i))
        self.assertEqual(client.error()[0], "rate_limited")

    def test_unfinished(self):
        """Who never finishes the TLS handshake is closed at its deadline, keeps nobody waiting until then"""
        hub = self.conicd("[timeouts]\nhandshake-seconds=2\n")
        hello = self.hello()
        started = time.monotonic()
        half = [self.connect(hub) for _ in range(60)]
        for i, connection in enumerate(half):
            if i % 3:
                connection.sendall(hello if i % 3 == 1 else hello[:50])
        begun = time.monotonic()
        self.works(hub)
        self.assertLess(time.monotonic() - begun, tap.seconds(1))
        # A drop now and then is no reason to stay.
        drip = self.connect(hub)
        stop = threading.Event()

        def drop():
            for part in hello:
                if stop.wait(0.2):
                    return
                try:
                    drip.sendall(bytes([part]))
                except OSError:
                    return

        thread = threading.Thread(target=drop)
        thread.start()
        for connection in half:
            self.ends(connection)
        self.assertGreater(time.monotonic() - started, 1.5)
        self.ends(drip)
        self.assertLess(time.monotonic() - started, tap.seconds(5))
        stop.set()
        thread.join()

    def test_slow_reader(self):
        """Who doesn't read: the sender hears peer_slow, it is closed with 4008, memory stays flat"""
        hub = self.conicd("[timeouts]\nslow-seconds=1\nclose-seconds=5\n")
        sender = self.client(hub, "sender")
        slow = self.client(hub, "slow", receive_buffer=4096)
        watch = MemoryWatch(hub)
        message = sdp("slow", "x" * 20_000)
        code = None
        refused = 0
        while code != "peer_not_found":
            sender.send_bytes(frame(TEXT, message) + frame(TEXT, b'{"id":"l","type":"list_request"}'))
            answer = sender.receive_json()
            if answer["type"] == "error":
                code = answer["data"]["code"]
                refused += code == "peer_slow"
                sender.receive_json()
        self.assertGreater(refused, 0)
        # Everything up to the close frame is whole: what was begun is finished, what waited is dropped.
        self.assertEqual(slow.closed(), 4008)
        self.assertLess(watch.growth()["conicd"], 12 << 20)
        self.works(hub)

    def test_stalled_writer(self):
        """Who reads in fits and starts gets every byte of what was sent, in order"""
        hub = self.conicd("[limits]\nqueue-bytes=30000000\nbytes-per-second=0\n")
        sender = self.client(hub, "sender")
        lazy = self.client(hub, "lazy", receive_buffer=4096)
        # More than the kernel keeps for it.
        lengths = [i * 371 % 60_000 for i in range(300)]
        self.assertGreater(sum(lengths), 8_000_000)
        for i, length in enumerate(lengths):
            sender.send(sdp("lazy", f"{i} " + "w" * length))
        sender.send(b'{"id":"l","type":"list_request"}')
        self.assertEqual(sender.receive_json()["type"], "list_response")
        for i, length in enumerate(lengths):
            self.assertEqual(lazy.receive_json()["data"]["session_description"]["sdp"], f"{i} " + "w" * length)

    def test_half_closed(self):
        """close_notify, the end of the stream and a reset each end it, and its id is free at once"""
        hub = self.conicd()

        def notify(client):
            client.socket.settimeout(tap.seconds(5))
            client.socket.unwrap()

        def shut(client):
            client.socket.shutdown(socket.SHUT_WR)

        def reset(client):
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.socket.close()

        for end in (notify, shut, reset):
            with self.subTest(end.__name__):
                client = self.client(hub, "brief")
                start = len(hub.lines)
                end(client)
                hub.wait_line("Client “brief” .*left", start=start)
                self.works(hub, "brief")

    def test_broken(self):
        """Garbage in the middle of a session ends that session and no other"""
        hub = self.conicd()
        bystander = self.client(hub, "bystander")
        client = self.client(hub, "broken")
        start = len(hub.lines)
        os.write(client.socket.fileno(), b"\x17\x03\x03\x00\x40" + b"\xaa" * 64)
        hub.wait_line("Client “broken” .*left: 1006", start=start)
        self.ends(client.socket)
        # Frames are judged as without TLS, and who sends on reads why it was closed.
        client = self.client(hub, "rude")
        client.send_bytes(frame(TEXT, b"{}", rsv=1) + b"\xff" * 100_000)
        with self.assertRaises(Closed) as caught:
            client.receive()
        self.assertEqual(caught.exception.code, 1002)
        bystander.send(sdp("bystander", "still"))
        self.assertEqual(bystander.receive_json()["data"]["session_description"]["sdp"], "still")

    def speak(self, hub, command, *arguments):
        """A client that openssl makes, and that does what a line of `command` has it do in the middle."""
        process = Process(self, "s_client", ["openssl", "s_client", "-connect", f"localhost:{hub.port}", *arguments],
                          stdin=subprocess.PIPE)
        request = REQUEST.format(path="/ws", port=hub.port, key=KEY, extra="").replace("\r\n", "\n")
        process.stdin.write(request.encode())
        process.stdin.flush()
        process.wait_line("101 Switching Protocols")
        # It takes a line that begins with a letter of its own for a command, if it is read by itself.
        process.stdin.write(command)
        process.stdin.flush()
        return process

    def test_key_update(self):
        """TLS 1.3's change of keys goes unnoticed, TLS 1.2's renegotiation is refused"""
        hub = self.conicd()
        process = self.speak(hub, b"K\n", "-tls1_3", "-crlf")
        process.wait_line("KEYUPDATE")
        process.stdin.write(frame(TEXT, registration("updated")))
        process.stdin.flush()
        hub.wait_line("Client “updated” .*registered")
        process.kill()
        process = self.speak(hub, b"R\n", "-tls1_2", "-crlf")
        process.wait_line("RENEGOTIATING")
        process.wait_line("no renegotiation")
        process.wait_exit()
        self.works(hub)

    def test_update_flood(self):
        """Ten thousand changes of keys at once keep nobody else waiting, and use no memory"""
        hub = self.conicd("[limits]\nmessages-per-second=0\nbytes-per-second=0\n")
        connection = self.connect(hub)
        flooder = KeyUpdater(connection)
        flooder.write(REQUEST.format(path="/ws", port=hub.port, key=KEY, extra="").encode())
        flooder.write(frame(TEXT, registration("flooder")))
        hub.wait_line("Client “flooder” .*registered")
        other = self.client(hub, "other")
        flood = flooder.updates(10_000) + flooder.encrypt(frame(TEXT, sdp("other", "through")))
        before, used = status(hub.pid)["rss"], cpu_seconds(hub)
        sending = threading.Thread(target=connection.sendall, args=(flood,))
        sending.start()
        trips = []
        while True:
            started = time.monotonic()
            other.send(sdp("other", "trip"))
            text = other.receive_json()["data"]["session_description"]["sdp"]
            if text == "through":
                break
            trips.append(time.monotonic() - started)
        sending.join()
        used = cpu_seconds(hub) - used
        # Not the longest: the machine has other things to do.
        common = statistics.median(trips or [0])
        print(f"# {used:.2f} s of processor time, {len(trips)} round trips meanwhile, half within {common * 1000:.1f} ms")
        self.assertGreater(len(trips), 10)
        self.assertLess(common, tap.seconds(FAIR_SECONDS))
        self.assertLess(status(hub.pid)["rss"] - before, 12 << 20)

    def test_paid(self):
        """Bytes of which each is a record, and changes of keys, count for what they cost, so that they are limited"""
        hub = self.conicd("[limits]\nbytes-per-second=100000\nbytes-burst=100000\n", "--metrics-listen", "127.0.0.1:0")
        metrics = hub.wait_line(r"http://127\.0\.0\.1:\d+/metrics").group(0)

        def throttled():
            with urllib.request.urlopen(metrics, timeout=tap.seconds(10)) as answer:
                return int(re.search(rb"^conicd_throttled_total (\d+)$", answer.read(), re.MULTILINE)[1])

        for number, make in enumerate((lambda client: client.updates(1000),
                                       lambda client: client.crumbs(frame(TEXT, b"x" * 5000, length=500_000)))):
            connection = self.connect(hub)
            client = KeyUpdater(connection)
            client.write(REQUEST.format(path="/ws", port=hub.port, key=KEY, extra="").encode())
            client.write(frame(TEXT, registration(f"c{number}")))
            hub.wait_line(f"Client “c{number}” .*registered")
            before = throttled()
            connection.sendall(make(client))
            until = time.monotonic() + tap.seconds(5)
            while throttled() == before:
                self.assertLess(time.monotonic(), until, "it is read as fast as it comes")
            connection.close()
            hub.wait_line(f"Client “c{number}” .*left")
            self.works(hub)

    def test_idle(self):
        """Clients that come one after another and stay idle take little memory"""
        # What many handshakes at a time leave behind is fragments, and a matter of chance.
        hub = self.conicd()
        idle = [self.client(hub, "first")]
        before = status(hub.pid)["rss"]
        for number in range(IDLE):
            idle.append(self.client(hub, f"c{number}"))
        each = (status(hub.pid)["rss"] - before) / IDLE
        print(f"# {each / 1024:.1f} KiB for an idle client with TLS")
        if not tap.SANITIZED:
            self.assertLess(each, IDLE_BYTES)

    def test_many(self):
        """Two hundred come at once, talk in pairs, and are told when the daemon stops"""
        hub = self.conicd()
        loaded = self.client(hub, "first")
        clients = [None] * CLIENTS

        def come(number):
            clients[number] = self.client(hub, f"c{number}", timeout=30)

        threads = [threading.Thread(target=come, args=(i,)) for i in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for i, client in enumerate(clients):
            client.send(sdp(f"c{i ^ 1}", str(i)))
        for i, client in enumerate(clients):
            self.assertEqual(client.receive_json()["data"]["session_description"]["sdp"], str(i ^ 1))
        stopping = threading.Thread(target=hub.stop)
        stopping.start()
        for client in [loaded, *clients]:
            self.assertEqual(client.error()[0], "shutting_down")
            self.assertEqual(client.closed(), 1001)
        stopping.join()
        self.assertEqual(hub.returncode, 0)


if __name__ == "__main__":
    tap.main()
