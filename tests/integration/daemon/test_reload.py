#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""SIGHUP to a running conicd: what is in order is taken over and drops nobody but those whose ids are
denied by it, what isn't changes nothing.

A certificate is replaced as certbot does it, in the same files. Old connections go on, new ones see the new
one. A configuration with anything wrong is refused as a whole, by the name of what is wrong.
"""

import os
import re
import shutil
import signal
import ssl
import threading
import urllib.request

from certificates import Certificate
from conictest import tap
from conictest.peers import CONICD, Conicd
from conictest.process import Process
from rawsocket import Client, Closed


class ReloadTest(tap.TestCase):
    limit = 90

    def setUp(self):
        super().setUp()
        self.first, self.second = Certificate(self, "first"), Certificate(self, "second")
        self.live = self.path("live.crt"), self.path("live.key")
        self.deploy(self.first)

    def deploy(self, certificate):
        shutil.copy(certificate.certificate, self.live[0])
        shutil.copy(certificate.key, self.live[1])

    def configure(self, text="", tls=True):
        path = self.path("conicd.conf")
        files = f"[tls]\ncertificate={self.live[0]}\nkey={self.live[1]}\n" if tls else ""
        with open(path, "w", encoding="utf-8") as file:
            file.write(files + text)
        return path

    def conicd(self, text="", **kwargs):
        return Conicd(self, arguments=("--config", self.configure(text, **kwargs)))

    def reload(self, hub, expected):
        start = len(hub.lines)
        os.kill(hub.pid, signal.SIGHUP)
        return hub.wait_line(expected, start=start).group(0)

    def served(self, hub):
        """The name in the certificate that a newcomer is shown."""
        context = ssl.create_default_context()
        context.load_verify_locations(self.first.certificate)
        context.load_verify_locations(self.second.certificate)
        client = Client(self, hub.port, tls=context)
        return dict(pair[0] for pair in client.socket.getpeercert()["subject"])["commonName"]

    def metrics(self, hub):
        """Whether the last reload succeeded, and when one did that."""
        with urllib.request.urlopen(f"http://127.0.0.1:{hub.port}/metrics", timeout=tap.seconds(10)) as answer:
            text = answer.read().decode()
        return tuple(float(re.search(f"^conicd_config_last_reload_{name} (.*)$", text, re.MULTILINE).group(1))
                     for name in ("successful", "success_timestamp_seconds"))

    def echoes(self, client):
        """The connection works both ways."""
        client.send({"type": "bye", "data": {"to_id": client.id, "reason": "echo"}})
        self.assertEqual(client.receive_json()["data"]["reason"], "echo")

    def test_certificate(self):
        """A new certificate is shown to newcomers, who is there goes on"""
        hub = self.conicd()
        old = Client(self, hub.port, tls=self.first.context())
        old.register("old")
        self.assertEqual(self.served(hub), "first")
        self.deploy(self.second)
        # Nothing happens by itself.
        self.assertEqual(self.served(hub), "first")
        self.reload(hub, "was reloaded")
        self.assertEqual(self.served(hub), "second")
        new = Client(self, hub.port, tls=self.second.context())
        new.register("new")
        for _ in range(3):
            self.echoes(old)
            self.echoes(new)
            self.reload(hub, "was reloaded")
        with self.assertRaises(ssl.SSLCertVerificationError):
            Client(self, hub.port, tls=self.first.context())
        self.assertEqual(old.close(), 1000)

    def test_bad_certificate(self):
        """A certificate that is no good is refused by name, the old one stays, and a good one is taken later"""
        hub = self.conicd()
        client = Client(self, hub.port, tls=self.first.context())
        client.register("client")
        for spoil, expected in (
                (lambda: os.unlink(self.live[0]), r"stays as it was: .*live\.crt: No such file"),
                (lambda: shutil.copy(self.second.certificate, self.live[0]), r"stays as it was: .*live\.key: .*not the key"),
                (lambda: os.truncate(self.live[0], 100), r"stays as it was: .*live\.crt: .*certificate"),
                (lambda: os.truncate(self.live[1], 0), r"stays as it was: .*live\.key: .*private key")):
            self.deploy(self.first)
            spoil()
            self.reload(hub, expected)
            self.assertEqual(self.served(hub), "first")
            self.echoes(client)
        self.deploy(self.second)
        self.reload(hub, "was reloaded")
        self.assertEqual(self.served(hub), "second")
        self.echoes(client)

    def test_all_or_nothing(self):
        """One thing that is wrong keeps everything as it was: limits, level, certificate"""
        hub = self.conicd("[limits]\nmessage-bytes=2000\n")
        self.deploy(self.second)
        keys = self.path("nowhere.key")
        for text, expected in (
                ("[limits]\nmessage-bytes=5000\n[timeouts]\nping-seconds=never\n", r"conicd\.conf:7: .*ping-seconds"),
                ("[limits]\nmessage-bytes=5000\nmessage-bites=1\n", r"conicd\.conf:6: .*message-bites"),
                (f"[limits]\nmessage-bytes=5000\n[auth]\nkeys={keys}\n", r"nowhere\.key"),
                (f"[limits]\nmessage-bytes=5000\n[ice]\nturn-uris=turn:x:1\nturn-secret={keys}\n", r"nowhere\.key")):
            with self.subTest(text):
                self.configure(text)
                self.assertRegex(self.reload(hub, "stays as it was.*"), expected)
                self.assertEqual(self.served(hub), "first")
                client = Client(self, hub.port, tls=self.first.context())
                client.send("x" * 3000)
                self.assertEqual(client.closed(), 1009)
        os.unlink(self.path("conicd.conf"))
        self.reload(hub, r"stays as it was: .*conicd\.conf: ")
        self.configure("[limits]\nmessage-bytes=5000\n")
        self.reload(hub, "was reloaded")
        self.assertEqual(self.served(hub), "second")
        client = Client(self, hub.port, tls=self.second.context())
        client.register("big")
        client.send("x" * 3000)
        self.assertEqual(client.error()[0], "bad_message")

    def test_limits(self):
        """Limits and the log's level are new for those who are connected, too"""
        hub = self.conicd("[limits]\nmessage-bytes=2000\nclients=2\n", tls=False)
        client = Client(self, hub.port)
        client.register("client")
        self.configure("[daemon]\nlog-level=info\n[limits]\nmessage-bytes=1024\nclients=1\n", tls=False)
        self.reload(hub, "was reloaded")
        with self.assertRaisesRegex(AssertionError, "HTTP/1.1 503"):
            Client(self, hub.port)
        client.send("x" * 1500)
        self.assertEqual(client.closed(), 1009)
        hub.wait_line("info: Client “client” .*left")

    def test_resume(self):
        """Ids that are held for lost clients are held no longer than a new configuration says"""
        hub = self.conicd("[timeouts]\nresume-seconds=3600\n[daemon]\nlog-level=info\n", tls=False)
        client = Client(self, hub.port)
        client.register("lost")
        client.reset()
        hub.wait_line("Client “lost” .*left")
        self.assertFalse(Client(self, hub.port).register("lost")["data"]["success"])
        self.configure("[timeouts]\nresume-seconds=0\n", tls=False)
        self.reload(hub, "was reloaded")
        self.assertTrue(Client(self, hub.port).register("lost")["data"]["success"])

    def test_deny(self):
        """Who has an id that is denied is disconnected, and kept out until it is denied no more; others stay"""
        hub = self.conicd("[daemon]\nlog-level=info\n", tls=False)
        thief, camera, stay = (Client(self, hub.port) for _ in range(3))
        for client, name in ((thief, "thief"), (camera, "cam.1"), (stay, "stay")):
            client.register(name)
        self.configure("[daemon]\nlog-level=info\n[auth]\ndeny=thief; cam.*\n", tls=False)
        self.reload(hub, "2 clients are disconnected, for their ids are denied")
        self.assertEqual([client.closed() for client in (thief, camera)], [4004, 4004])
        hub.wait_line("info: Client “thief” .*left: 4004 .denied.")
        self.echoes(stay)
        thief = Client(self, hub.port)
        thief.send({"id": "r", "type": "register_request", "data": {"client_id": "thief"}})
        self.assertEqual(thief.error()[0], "unauthorized")
        stay.send({"type": "bye", "data": {"to_id": "thief"}})
        self.assertEqual(stay.error()[0], "peer_not_found")
        self.configure("[auth]\ndeny=two*stars*\n", tls=False)
        started = self.metrics(hub)
        self.reload(hub, "stays as it was: “deny”: “two.stars.” is neither")
        self.assertEqual(self.metrics(hub), (0, started[1]))
        self.configure(tls=False)
        self.reload(hub, "was reloaded")
        success, at = self.metrics(hub)
        self.assertEqual((started[0], success), (1, 1))
        self.assertGreater(at, started[1])
        self.assertTrue(thief.register("thief")["data"]["success"])
        # From the start as well.
        self.configure("[auth]\ndeny=*\n", tls=False)
        closed = Client(self, Conicd(self, arguments=("--config", self.path("conicd.conf")), name="closed").port)
        closed.send({"type": "register"})
        self.assertEqual(closed.error()[0], "unauthorized")

    def test_no_downgrade(self):
        """TLS is neither lost nor found by a reload"""
        secured, plain = self.conicd(), None
        self.configure(tls=False)
        self.reload(secured, "stays as it was: .*TLS")
        self.assertEqual(self.served(secured), "first")
        plain = Conicd(self, arguments=("--config", self.path("conicd.conf")), name="plain")
        self.configure()
        self.reload(plain, "stays as it was: .*TLS")
        Client(self, plain.port).register("plain")

    def test_command_line(self):
        """What the command line says still holds after a reload"""
        path = self.configure("[limits]\nmessage-bytes=1024\n", tls=False)
        hub = Process(self, "conicd", [CONICD, "--listen", "127.0.0.1:0", "--config", path, "--message-bytes", "3000"])
        port = int(hub.wait_line(r"ws://127\.0\.0\.1:(\d+)").group(1))
        self.reload(hub, "was reloaded")
        client = Client(self, port)
        client.register("client")
        client.send("x" * 2900)
        self.assertEqual(client.error()[0], "bad_message")
        client.send("x" * 3100)
        self.assertEqual(client.closed(), 1009)

    def test_storm(self):
        """Reloads in the middle of everything drop nobody"""
        hub = self.conicd("[limits]\nmessages-per-second=0\n")
        stay = [Client(self, hub.port, tls=self.first.context()) for _ in range(10)]
        for number, client in enumerate(stay):
            client.register(f"s{number}")
        done = threading.Event()
        troubles = []

        def come():
            while not done.is_set():
                try:
                    client = Client(self, hub.port, tls=self.first.context())
                    client.register()
                    client.close()
                    client.socket.close()
                except (OSError, AssertionError, Closed) as error:
                    troubles.append(error)

        thread = threading.Thread(target=come)
        thread.start()
        try:
            for _ in range(20):
                self.reload(hub, "was reloaded")
                for client in stay:
                    self.echoes(client)
        finally:
            done.set()
            thread.join()
        self.assertEqual(troubles, [])


if __name__ == "__main__":
    tap.main()
