#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""conicd as a process: its command line, its configuration, its addresses, its signals, its HTTP side."""

import os
import re
import socket
import threading
import time
import urllib.error
import urllib.request

from conictest import tap
from conictest.peers import CONICD, ROOT, Conicd
from conictest.process import Process
from rawsocket import REQUEST, Client, Closed


class ProcessTest(tap.TestCase):
    def conicd(self, *arguments, name="conicd"):
        return Process(self, name, [CONICD, *arguments])

    def ends(self, expected, pattern, *arguments):
        """conicd with these arguments ends with that status, and says why."""
        process = self.conicd(*arguments, name="refused")
        self.assertEqual(process.wait_exit(), expected)
        text = "\n".join(line.text for line in process.lines)
        self.assertRegex(text, pattern)

    def file(self, text):
        path = self.path("conicd.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def test_version(self):
        """--version prints the version, --help the options"""
        self.ends(0, r"^conicd \d+\.\d+\.\d+$", "--version")
        self.ends(0, r"--listen=ADDR:PORT", "--help")

    def test_usage(self):
        """What makes no sense on the command line is named, status 2"""
        self.ends(2, "--sing", "--sing")
        self.ends(2, "extra", "extra")
        self.ends(2, "loud.*error, warning, message, info or debug", "--log-level", "loud")
        for address in ("", "3000", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "::1:3000",
                        "[::1]", "example.org:3000", "[127.0.0.1:3000", "127.0.0.1:3000x"):
            self.ends(2, "not an address to listen on", "--listen", address)

    def test_configuration(self):
        """A key file is read; what is wrong in it is named with its line, status 2"""
        self.ends(2, "nowhere.conf", "--config", self.path("nowhere.conf"))
        cases = (
            ("[daemon]\nlisten=127.0.0.1:0\n\n# x\nlisen=1\n", r"conicd.conf:5: .*lisen"),
            ("[limits]\nclients=5\n[demon]\n", r"conicd.conf:3: .*demon"),
            ("[limits]\nclients=none\n", r"conicd.conf:2: .*clients.*none"),
            ("[limits]\nclients=1.5\n", r"conicd.conf:2: .*whole number.*1\.5"),
            ("[limits]\nmessage-bytes=0\n", r"conicd.conf:2: .*message-bytes"),
            ("[timeouts]\nping-seconds=nan\n", r"conicd.conf:2: .*ping-seconds"),
            ("[timeouts]\nping-seconds=-1\n", r"conicd.conf:2: .*ping-seconds"),
            ("[daemon]\nlisten=127.0.0.1\n", r"conicd.conf:2: .*127\.0\.0\.1"),
            ("[daemon]\nlog-level=loud\n", r"conicd.conf:2: .*loud"),
            ("listen=1\n", r"conicd.conf"),
            ("[daemon\n", r"conicd.conf"),
        )
        for text, pattern in cases:
            self.ends(2, pattern, "--config", self.file(text))
        path = self.file("[daemon]\nlisten=127.0.0.1:0;[::1]:0\n[limits]\nmessage-bytes=2000\n")
        process = self.conicd("--config", path)
        port = process.wait_line(r"ws://127\.0\.0\.1:(\d+)/ws ws://\[::1\]:\d+/ws$").group(1)
        client = Client(self, int(port))
        client.send("x" * 2001)
        self.assertEqual(client.closed(), 1009)

    def test_example_configuration(self):
        """The example configuration is taken with every key in it, none of them commented out"""
        with open(os.path.join(ROOT, "data", "conicd.conf"), encoding="utf-8") as file:
            text = re.sub(r"(?m)^#([a-z-]+=)", r"\1", file.read())
        self.assertGreater(len(re.findall(r"(?m)^[a-z-]+=", text)), 20)
        process = self.conicd("--config", self.file(text.replace(":3000\n", ":0\n")))
        process.wait_line("listening")

    def test_addresses(self):
        """Several addresses, IPv6 among them, and ports of the kernel's choice"""
        process = self.conicd("--listen", "127.0.0.1:0", "--listen", "[::1]:0", "--listen", "localhost:0")
        found = process.wait_line(
            r"^conicd \S+ listening on ws://127\.0\.0\.1:(\d+)/ws ws://\[::1\]:(\d+)/ws ws://127\.0\.0\.1:(\d+)/ws$")
        ports = [int(port) for port in found.groups()]
        # The second is of another address family, and may have the number of either.
        self.assertNotEqual(ports[0], ports[2])
        a, b = Client(self, ports[0]), Client(self, ports[2])
        a.register("a")
        b.register("b")
        a.send({"type": "bye", "data": {"to_id": "b"}})
        self.assertEqual(b.receive_json()["data"]["from_id"], "a")
        with urllib.request.urlopen(f"http://[::1]:{ports[1]}/healthz", timeout=10) as response:
            self.assertEqual(response.status, 200)

    def test_default_address(self):
        """Without options it listens on 127.0.0.1:3000, or says that another program has that"""
        process = self.conicd()
        process.wait_line(r"127\.0\.0\.1:3000")

    def test_taken(self):
        """An address that is taken is named, status 1"""
        with socket.create_server(("127.0.0.1", 0)) as holder:
            port = holder.getsockname()[1]
            self.ends(1, rf"127\.0\.0\.1:{port}.*another program", "--listen", f"127.0.0.1:{port}")
            self.ends(1, rf"127\.0\.0\.1:{port}.*another program", "--listen", "127.0.0.1:0",
                      "--listen", f"127.0.0.1:{port}")
        self.ends(1, r"192\.0\.2\.1:3000", "--listen", "192.0.2.1:3000")

    def test_restart(self):
        """A port is free for the next daemon as soon as one has stopped"""
        first = Conicd(self)
        client = Client(self, first.port)
        client.register("a")
        first.stop()
        second = Conicd(self, port=first.port, name="second")
        self.assertTrue(Client(self, second.port).register("a")["data"]["success"])

    def stops(self, number):
        hub = Conicd(self, arguments=("--config", self.file("[timeouts]\nclose-seconds=1\ndrain-seconds=2\n")))
        clients = [Client(self, hub.port) for _ in range(20)]
        for i, client in enumerate(clients):
            (client.register if i % 2 else client.register_readme)(f"c{i}")
        Client(self, hub.port)  # connected, never registers
        half_open = socket.create_connection(("127.0.0.1", hub.port))
        half_open.sendall(b"GET /ws HT")
        deaf = clients.pop()  # doesn't read its close frame
        hub.stop_signal = number
        started = time.monotonic()
        stopping = threading.Thread(target=hub.stop)
        stopping.start()
        for client in clients:
            self.assertEqual(client.error()[0], "shutting_down")
            with self.assertRaises(Closed) as caught:
                client.receive()
            self.assertEqual(caught.exception.code, 1001)
        stopping.join()
        half_open.close()
        self.assertEqual(hub.returncode, 0)
        self.assertLess(time.monotonic() - started, tap.seconds(5))
        self.assertEqual(deaf.error()[0], "shutting_down")

    def test_sigterm(self):
        """On SIGTERM everyone hears shutting_down and 1001, and it ends in time with status 0"""
        self.stops(15)

    def test_sigint(self):
        """The same on SIGINT"""
        self.stops(2)

    def test_sigterm_idle(self):
        """Without a client it ends at once"""
        hub = Conicd(self)
        self.assertEqual(hub.stop(), 0)

    def ask(self, hub, path, data=None, headers=None, method=None):
        request = urllib.request.Request(f"http://127.0.0.1:{hub.port}{path}", data, headers or {}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=tap.seconds(10)) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def test_http(self):
        """/healthz is well, other paths aren't there, /ws asks for an upgrade, bodies are refused"""
        hub = Conicd(self)
        self.assertEqual(self.ask(hub, "/healthz"), (200, b"ok\n"))
        self.assertEqual(self.ask(hub, "/nothing")[0], 404)
        self.assertEqual(self.ask(hub, "/ws/x")[0], 404)
        self.assertEqual(self.ask(hub, "/ws")[0], 426)
        self.assertEqual(self.ask(hub, "/healthz", b"x")[0], 413)
        self.assertEqual(self.ask(hub, "/healthz", method="DELETE")[0], 405)
        self.assertEqual(self.ask(hub, "/ws", headers={"Upgrade": "websocket", "Connection": "Upgrade"})[0], 400)
        self.assertEqual(self.ask(hub, "/healthz"), (200, b"ok\n"))

    def test_handshake(self):
        """No extension is negotiated; what is sent before the answer to the handshake is not lost"""
        hub = Conicd(self)
        # The first is answered by the daemon itself, the others by libsoup.
        for path in ("/ws", "/ws?token=x", f"http://127.0.0.1:{hub.port}/ws"):
            with self.subTest(path):
                client = Client(self, hub.port, extra="Sec-WebSocket-Extensions: permessage-deflate\r\n",
                                early=b"\x81\x80abcd\x89\x85\0\0\0\0early", path=path)
                self.assertNotIn("Extensions", client.response)
                self.assertEqual(client.error()[0], "bad_message")
                self.assertEqual(client.receive_frame(), (True, 10, b"early"))
                self.assertTrue(client.register()["data"]["success"])
                self.assertEqual(client.close(), 1000)
                self.assertTrue(client.ended())

    def test_bad_handshakes(self):
        """A handshake that is not one is refused, and says so"""
        hub = Conicd(self)
        good = REQUEST.format(path="/ws", port=hub.port, key="dGhlIHNhbXBsZSBub25jZQ==", extra="")
        for old, new, status_code in (
                ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 12", "4"),
                ("dGhlIHNhbXBsZSBub25jZQ==", "short", "400"),
                ("Sec-WebSocket-Key", "X-Key", "400"),
                ("GET /ws", "POST /ws", "405"),
                ("GET /ws", "GET /other", "404"),
                ("Connection: Upgrade", "Connection: Upgrade\r\nContent-Length: 5", "413"),
                ("Upgrade: websocket", "Upgrade: h2c", "426")):
            with self.subTest(new), socket.create_connection(("127.0.0.1", hub.port)) as connection:
                connection.settimeout(tap.seconds(10))
                connection.sendall(good.replace(old, new).encode() + b"12345")
                answer = connection.recv(65536).decode()
                self.assertRegex(answer, rf"^HTTP/1\.1 {status_code}", new)

    def test_clients_limit(self):
        """One client more than the limit is answered with 503, and the next gets in when one left"""
        hub = Conicd(self, arguments=("--config", self.file("[limits]\nclients=2\n")))
        a, b = Client(self, hub.port), Client(self, hub.port)
        a.register("a")
        b.register("b")
        with self.assertRaisesRegex(AssertionError, "503"):
            Client(self, hub.port)
        a.close()
        a.ended()
        self.assertTrue(Client(self, hub.port).register("a")["data"]["success"])


if __name__ == "__main__":
    tap.main()
