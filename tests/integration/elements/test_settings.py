#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What an element is told about the hub and the network.

Shows that a hub's certificate is verified, with `tls-ca` as without, and that pictures come over
wss:// and a conics:// URI; that `token` lets a peer in, and that neither it nor a password of a TURN
server is in the log; that `min-port`, `max-port` and `local-addresses` limit
the candidates, `ice-transport-policy` leaves none without a relay; and that the STUN and TURN servers
that the hub recommends are asked, with new credentials before the old ones expire.
"""

import json
import os
import socket
import subprocess
import sys
import time

from conictest import media, peers, tap, wire

sys.path.append(os.path.join(peers.ROOT, "tests", "integration", "daemon"))
from certificates import Certificate  # noqa: E402  pylint: disable=wrong-import-position

MIN_PORT, MAX_PORT = 41000, 41099
# Seconds for which a relay's credentials last; a second is the least that a Unix time can tell.
LIFETIME = 2
PASSWORD = "opensesame"
STUN_BINDING, TURN_ALLOCATE = b"\x00\x01", b"\x00\x03"

# Seconds for a session that comes to nothing; before they are over it has to have begun.
PATIENCE = int(tap.seconds(2))


class Settings(peers.HubTest):
    def check_refused(self, pipeline, pattern):
        launch = peers.Launch(self, "refused", self.at_hub(pipeline))
        launch.wait_line(pattern, 20)
        self.assertNotEqual(launch.wait_exit(20), 0)

    def test_tls(self):
        """Over TLS with a certificate of one's own pictures come; without it the hub isn't believed"""
        trusted, other = Certificate(self), Certificate(self, "other")
        self.hub = peers.Conicd(self, arguments=trusted.options)
        self.hub.uri = f"wss://localhost:{self.hub.port}/ws"
        trust = f"tls-ca={trusted.certificate}"
        self.launch("camera", f"videotestsrc is-live=true ! conicsink client-id=camera {trust}")
        _, pipe = self.watch("viewer", f"conicsrc target-id=camera {trust} ! {media.RGB}")
        self.check_bars(pipe)

        for trust in ("", f"tls-ca={other.certificate}"):
            self.check_refused(f"conicsrc {trust} ! fakesink", "certificate.*Set tls-ca")
        self.check_refused(
            f"conicsrc tls-ca={self.path('nothing')} ! fakesink", "nothing.*can't be read"
        )
        self.check_refused(
            f"uridecodebin uri=conics://localhost:{self.hub.port}/camera ! fakesink", "Set tls-ca"
        )

    def token(self, key, name):
        done = subprocess.run(
            [peers.CONICD, "token", "--key", key, "--sub", name, "--expires", "600"],
            capture_output=True,
            text=True,
            timeout=tap.seconds(20),
            check=True,
        )
        return done.stdout.strip()

    def test_token(self):
        """With a token one is let in, as whom it says; it is in no log"""
        key = self.path("secret")
        with open(key, "w", encoding="utf-8") as file:
            file.write("0123456789abcdef" * 4)
        self.hub = peers.Conicd(self, arguments=("--auth-key", key))
        token = self.token(key, "camera")
        camera = self.launch(
            "camera",
            f"videotestsrc is-live=true ! conicsink token={token} client-id=camera",
            env={"GST_DEBUG": "*conic*:9"},
        )
        camera.wait_message("conic-registered", **{"client-id": "camera"})
        self.assertEqual(camera.stop(), 0)
        signature = token.rsplit(".", 1)[1]
        said = [line.text for line in camera.lines if signature in line.text]
        self.assertEqual(said, [], "the token is in the log")

        self.check_refused("conicsrc ! fakesink", "wants a token")
        self.check_refused(f"conicsrc token={token[:-4]}AAAA ! fakesink", "wants a token")
        self.check_refused(f"conicsrc token={token} client-id=other ! fakesink", "token")

    def call(self, properties):
        """A camera that calls a peer which is nothing but a WebSocket, and the candidates it tells."""
        bare = wire.BarePeer(self, self.hub.uri, "bare")
        camera = self.probe(
            "camera",
            "videotestsrc is-live=true !"
            f" conicsink target-id=bare session-timeout={PATIENCE} {properties}",
        )
        bare.wait("sdp", 30)
        # All of its candidates have come by then.
        camera.wait_event("warning", 30, text=lambda text: f"within {PATIENCE} s" in text)
        found = []
        while not bare.received.empty():
            message = bare.received.get()
            if message["type"] == "candidate":
                fields = message["data"]["candidate"]["candidate"].split()
                found.append((fields[2].lower(), fields[4], int(fields[5])))
        return camera, found

    def test_ports(self):
        """Candidates keep to the ports and the addresses that are allowed"""
        _, found = self.call(f"min-port={MIN_PORT} max-port={MAX_PORT} local-addresses=<127.0.0.1>")
        datagrams = [(address, port) for kind, address, port in found if kind == "udp"]
        self.assertTrue(datagrams)
        for address, port in datagrams:
            self.assertEqual(address, "127.0.0.1")
            self.assertTrue(MIN_PORT <= port <= MAX_PORT, port)

    def test_wrong_network(self):
        """What can't be is said, without its secrets, and the call is made all the same"""
        camera, found = self.call(
            "min-port=5000 max-port=4000 local-addresses=<nonsense> stun-server=example.invalid:3478"
            f' turn-servers="<\\"http://u:{PASSWORD}@127.0.0.1\\">"'
        )
        for text in (
            "min-port 5000 is above max-port 4000",
            "nonsense",
            "“example.invalid:3478” is not a STUN server",
            "Entry 1 of turn-servers",
        ):
            camera.wait_event("warning", text=lambda said, text=text: text in said)
        self.assertTrue(found)
        said = [
            line.text for line in camera.lines if PASSWORD in line.text and "conic" in line.text
        ]
        self.assertEqual(said, [], "the password is in the log")

    def test_relay_only(self):
        """Only relays, and there is none: no address is told"""
        _, found = self.call("ice-transport-policy=relay")
        self.assertEqual(found, [])

    def test_hub_servers(self):
        """The STUN and TURN servers that the hub recommends are asked"""
        sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
            one.settimeout(tap.seconds(20))
            self.addCleanup(one.close)
        stun, turn = (one.getsockname()[1] for one in sockets)
        secret = self.path("turn-secret")
        with open(secret, "w", encoding="utf-8") as file:
            file.write("0123456789abcdef0123456789abcdef")
        self.hub = peers.Conicd(
            self,
            arguments=(
                "--stun-uri",
                f"stun:127.0.0.1:{stun}",
                "--turn-uri",
                f"turn:127.0.0.1:{turn}?transport=udp",
                "--turn-secret",
                secret,
            ),
        )
        wire.BarePeer(self, self.hub.uri, "bare")
        self.probe(
            "camera",
            "videotestsrc is-live=true ! conicsink target-id=bare local-addresses=<127.0.0.1>",
        )
        self.assertEqual(sockets[0].recv(2048)[:2], STUN_BINDING)
        self.assertEqual(sockets[1].recv(2048)[:2], TURN_ALLOCATE)

    def test_renewal(self):
        """Credentials for relays are renewed before they expire, and nothing is lost meanwhile"""

        def rewrite(_client, text):
            message = json.loads(text)
            if message["type"] == "register_response":
                expiry = int(time.time()) + LIFETIME
                message["data"]["ice_servers"] = [
                    {
                        "urls": ["turn:127.0.0.1:9"],
                        "username": f"{expiry}:camera",
                        "credential": "x",
                    }
                ]
            return json.dumps(message)

        camera = peers.Probe(
            self,
            "camera",
            "videotestsrc is-live=true ! conicsink client-id=camera"
            f" uri={wire.MeddlingHub(self, self.hub.uri, rewrite).uri}",
        )
        for _ in range(2):
            start = len(camera.events)
            camera.wait_event(
                "message", 20, start, name="conic-registered", fields={"client-id": "camera"}
            )
        self.assertEqual(camera.of_kind("warning"), [])
        self.assertEqual(camera.of_kind("notify", property="connected", value=False), [])


if __name__ == "__main__":
    tap.main()
