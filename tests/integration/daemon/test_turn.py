#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The ICE servers that a running conicd hands out, and a real coturn that takes what it says.

Each client gets credentials of its own with its registration, by coturn's REST scheme. coturn's own client
sends data through the relay with them; with a changed password, a changed name, or after their time it gets
no allocation.
"""

import base64
import hashlib
import hmac
import os
import re
import signal
import socket
import subprocess
import time

from conictest import netns, tap
from conictest.peers import CONICD, Conicd
from conictest.process import Process
from rawsocket import Client

SECRET = "north"


def credential(username, secret=SECRET):
    """What coturn expects as the password of a user name."""
    return base64.b64encode(hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()).decode()


class Coturn(Process):
    """A TURN server on the loopback address, in the case's directory."""

    def __init__(self, case):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
            holder.bind(("127.0.0.1", 0))
            self.port = holder.getsockname()[1]
        config = case.path("turnserver.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(
                f"listening-ip=127.0.0.1\nrelay-ip=127.0.0.1\nlistening-port={self.port}\nallow-loopback-peers\n"
                f"use-auth-secret\nstatic-auth-secret={SECRET}\nrealm=conic.test\nno-tls\nno-dtls\nno-cli\nverbose\n"
                f"log-file=stdout\nuserdb={case.path('turndb')}\npidfile={case.path('turn.pid')}\n")
        super().__init__(case, "turnserver", ["turnserver", "-c", config])
        self.wait_line(rf"UDP listener opened on\s*:\s*127\.0\.0\.1:{self.port}")
        self.uri = f"turn:127.0.0.1:{self.port}?transport=udp"

    def relay(self, username, password):
        """Has coturn's own client send messages through the relay; returns its output."""
        done = subprocess.run(
            ["turnutils_uclient", "-c", "-y", "-n", "3", "-u", username, "-w", password, "-p", str(self.port),
             "127.0.0.1"], capture_output=True, text=True, timeout=tap.seconds(30), check=False)
        return done.stdout + done.stderr


class TurnTest(tap.TestCase):
    def file(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def hub(self, *uris, arguments=()):
        options = [word for uri in uris for word in (f"--{uri[:4]}-uri", uri)]
        return Conicd(self, arguments=[*options, "--turn-secret", self.file("secret", SECRET + "\n"), *arguments])

    def servers(self, hub, client_id="alice"):
        """What a new client is told; it leaves then."""
        client = Client(self, hub.port)
        data = client.register(client_id)["data"]
        client.close()
        return data.get("ice_servers")

    def test_relay(self):
        """Data goes through coturn's relay with what a client was told, and not with anything else"""
        coturn = Coturn(self)
        hub = self.hub(coturn.uri)
        (server,) = self.servers(hub)
        username, password = server["username"], server["credential"]
        self.assertEqual(server["urls"], [coturn.uri])
        self.assertRegex(coturn.relay(username, password), r"tot_recv_msgs=6[\s\S]*Total lost packets 0 ")
        expired = f"{int(time.time()) - 60}:alice"
        for user, secret in ((username, credential(username, "south")), (username.replace("alice", "bob"), password),
                             (username.replace(username[:1], "9"), password), (expired, credential(expired))):
            with self.subTest(user=user):
                self.assertIn("Cannot complete Allocation", coturn.relay(user, secret))
        self.assertTrue(coturn.has_line("Cannot find credentials of user"))

    def test_servers(self):
        """STUN has no credentials; TURN has each client's own, for as long as is configured"""
        hub = self.hub("stun:stun.example:3478", "stun:[::1]", "turn:turn.example", "turns:turn.example:5349?transport=tcp",
                       arguments=["--turn-seconds", "600"])
        before = int(time.time())
        stun, turn = self.servers(hub)
        self.assertEqual(stun, {"urls": ["stun:stun.example:3478", "stun:[::1]"]})
        self.assertEqual(turn["urls"], ["turn:turn.example", "turns:turn.example:5349?transport=tcp"])
        expires = int(re.fullmatch(r"(\d+):alice", turn["username"])[1])
        self.assertTrue(before + 600 <= expires <= time.time() + 600)
        self.assertEqual(turn["credential"], credential(turn["username"]))

        assigned = Client(self, hub.port).register()["data"]
        self.assertTrue(assigned["ice_servers"][1]["username"].endswith(":" + assigned["client_id"]))
        self.assertNotEqual(assigned["ice_servers"][1]["credential"], turn["credential"])
        self.assertIsNone(self.servers(Conicd(self)))

    def test_refusal(self):
        """Who isn't registered is told of no server"""
        hub = self.hub("turn:turn.example")
        Client(self, hub.port).register("alice")
        second = Client(self, hub.port)
        second.send({"id": "r", "type": "register_request", "data": {"client_id": "alice"}})
        code, message = second.error()
        self.assertEqual(code, "id_taken")
        self.assertNotIn("ice_servers", message["data"])

    def test_bad_configuration(self):
        """A URI that is none, or a secret that can't be read, is a refusal to start that names it"""
        secret = ["--turn-secret", self.file("secret", SECRET)]
        for options, why in (
            (["--stun-uri", "stun://stun.example"], "“stun://stun.example” is not the URI of a STUN server"),
            (["--stun-uri", "turn:turn.example"], "“turn:turn.example” is not"),
            (["--turn-uri", "turn:turn.example?transport=sctp", *secret], "sctp” is not the URI of a TURN server"),
            (["--turn-uri", "turn:user:password@turn.example", *secret], "turn.example” is not"),
            (["--turn-uri", "turn:turn.example"], "turn-secret"),
            (["--turn-uri", "turn:turn.example", "--turn-secret", "/nonexistent/secret"], "/nonexistent/secret"),
            (["--turn-uri", "turn:turn.example", "--turn-secret", self.file("empty", "\n")], "empty"),
        ):
            for check in ([], ["--check-config"]):
                with self.subTest(options, check=check):
                    daemon = Process(self, "conicd", [CONICD, "-l", "127.0.0.1:0", *options, *check])
                    self.assertIn(daemon.wait_exit(), (1, 2))
                    self.assertTrue(daemon.has_line(re.escape(why)), daemon.transcript())

    def test_reload(self):
        """SIGHUP takes over servers and secret; what is wrong leaves the old ones in force"""
        secret = self.file("secret", SECRET)
        config = self.file("conicd.conf", f"[ice]\nturn-uris=turn:one.example\nturn-secret={secret}\n")
        hub = Conicd(self, arguments=["--config", config])

        def reload(line):
            start = len(hub.lines)
            os.kill(hub.pid, signal.SIGHUP)
            hub.wait_line(line, start=start)

        self.assertEqual(self.servers(hub)[0]["urls"], ["turn:one.example"])
        self.file("secret", "south")
        self.file("conicd.conf", f"[ice]\nturn-uris=turn:two.example\nturn-secret={secret}\n")
        reload("was reloaded")
        (server,) = self.servers(hub)
        self.assertEqual(server["urls"], ["turn:two.example"])
        self.assertEqual(server["credential"], credential(server["username"], "south"))
        for text in (f"[ice]\nturn-uris=turn//x\nturn-secret={secret}\n", "[ice]\nturn-uris=turn:three.example\n",
                     "[ice]\nturn-uris=turn:three.example\nturn-secret=/nonexistent/secret\n"):
            self.file("conicd.conf", text)
            reload("stays as it was")
            self.assertEqual(self.servers(hub)[0]["urls"], ["turn:two.example"])
        self.file("conicd.conf", "")
        reload("was reloaded")
        self.assertIsNone(self.servers(hub))


if __name__ == "__main__":
    netns.main()
