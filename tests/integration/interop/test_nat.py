#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two peers behind two routers that translate addresses.

Shows that they reach each other directly where there is nothing between them, through holes in
routers that keep a port for all destinations, and through a relay (coturn) where both routers take
another port for each: each path is what the sessions' statistics say, and what the routers' own
counters say. What arrives is looked at after decoding.

    left ── gate-l ── world (conicd, coturn) ── gate-r ── right
"""

import base64
import hashlib
import hmac
import json
import time

from conictest import media, netns, peers, tap
from conictest.process import Process

WIDTH, HEIGHT = 320, 240
ENOUGH = 30
COLOUR_TOLERANCE = 40
BARS = f"videotestsrc is-live=true ! video/x-raw,width={WIDTH},height={HEIGHT},framerate=30/1"

# The networks between the world (.1) and the routers (.2).
OUTSIDE_L, OUTSIDE_R = "203.0.113", "198.51.100"
WORLD = f"{OUTSIDE_L}.1"
STUN_PORT, SECRET = 3478, "between the two of us"

# A router that lets in only answers, and keeps the port of a flow, whoever it is to.
NAT = """
table ip nat {{
  chain out {{
    type nat hook postrouting priority srcnat;
    oifname "world" {how}
  }}
}}
table ip filter {{
  counter direct {{ }}
  chain in {{
    type filter hook input priority filter;
    iifname "world" drop
  }}
  chain through {{
    type filter hook forward priority filter;
    iifname "world" ct state {{ new, invalid }} drop
    iifname "world" ip protocol udp ip saddr {other} counter name direct
  }}
}}
"""
PORT_RESTRICTED = "masquerade"
# A port of its own for each destination, at random.
SYMMETRIC = "masquerade fully-random"


class Coturn(Process):
    """A STUN and TURN server with a secret that it shares with the hub."""

    def __init__(self, case, address, within):
        # fmt: off
        argv = [
            "stdbuf", "-oL", "turnserver", "-n", "--log-file=stdout", "--simple-log", "--no-cli", "--no-tls",
            "--no-dtls", "--realm=conic", "--use-auth-secret", f"--static-auth-secret={SECRET}",
            f"--listening-ip={address}", f"--relay-ip={address}", f"--listening-port={STUN_PORT}",
            f"--pidfile={case.path('coturn.pid')}", f"--userdb={case.path('coturn.db')}",
        ]
        # fmt: on
        super().__init__(case, "coturn", argv, within=within)
        self.wait_line("Total General servers", 10)


def turn_uri(address):
    """The URI of the relay with credentials that its secret gives for an hour."""
    user = f"{int(time.time()) + 3600}:test"
    password = base64.b64encode(hmac.digest(SECRET.encode(), user.encode(), hashlib.sha1)).decode()
    quoted = [
        part.replace("/", "%2F").replace("+", "%2B").replace("=", "%3D").replace(":", "%3A")
        for part in (user, password)
    ]
    return f"turn://{quoted[0]}:{quoted[1]}@{address}:{STUN_PORT}"


class Nat(tap.TestCase):
    limit = 60

    def setUp(self):
        super().setUp()
        bed = netns.Bed(self)
        self.world, self.left, self.right = (bed.machine(n) for n in ("world", "left", "right"))
        self.gates = [bed.machine("gate-l"), bed.machine("gate-r")]
        self.bed = bed

    def connect(self, how):
        """Lays the cables, with routers of that kind."""
        self.world.forward()
        # What is for a private address is lost on the way, as on the Internet, and not refused: coturn
        # gives up an allocation whose packets can't be sent.
        self.bed.cable(self.world, self.bed.machine("beyond"), "192.0.2")
        self.world.ip("route", "add", "default", "via", "192.0.2.2")
        for gate, inside, subnet, outside, other in (
            (self.gates[0], self.left, "10.1.0", OUTSIDE_L, OUTSIDE_R),
            (self.gates[1], self.right, "10.2.0", OUTSIDE_R, OUTSIDE_L),
        ):
            self.bed.cable(self.world, gate, outside)
            self.bed.cable(gate, inside, subnet)
            gate.ip("route", "add", "default", "via", f"{outside}.1")
            inside.ip("route", "add", "default", "via", f"{subnet}.1")
            gate.forward()
            gate.nft(NAT.format(how=how, other=f"{other}.2"))
        self.hub = peers.Conicd(self, address=WORLD, within=self.world.enter)
        Coturn(self, WORLD, self.world.enter)

    def direct_packets(self):
        """Packets that each router let in from the other, and not from the relay; the smaller number."""
        found = []
        for gate in self.gates:
            text = netns.run(*gate.enter, "nft", "-j", "list", "counter", "ip", "filter", "direct")
            found += [
                item["counter"]["packets"]
                for item in json.loads(text)["nftables"]
                if "counter" in item
            ]
        return min(found)

    def meet(self, properties=""):
        """A camera on the left, a viewer on the right; returns the path they found."""
        camera = peers.Probe(
            self,
            "camera",
            f"conicsink name=c client-id=camera uri={self.hub.uri} {properties} {BARS} ! c.video_0",
            within=self.left.enter,
        )
        camera.wait_event("message", name="conic-registered")
        raw = self.path("seen.rgb")
        viewer = peers.Probe(
            self,
            "viewer",
            f"conicsrc name=c target-id=camera uri={self.hub.uri} {properties} c. ! videoconvert !"
            " video/x-raw,format=RGB ! appsink name=seen sync=false",
            dump={"seen": raw},
            within=self.right.enter,
        )
        viewer.wait_event("sample", 40, n=ENOUGH)
        with open(raw, "rb") as file:
            file.seek(ENOUGH * WIDTH * HEIGHT * 3)
            picture = media.rgb(file.read(WIDTH * HEIGHT * 3), WIDTH, HEIGHT)
        self.assertLess(media.smpte_error(picture), COLOUR_TOLERANCE, "not the test bars")
        return [
            probe.wait_stats("c", lambda session: session["path"] != "unknown")["path"]
            for probe in (camera, viewer)
        ]

    def test_host(self):
        """Side by side, they meet at their own addresses"""
        self.bed.cable(self.left, self.right, "10.3.0")
        self.hub = peers.Conicd(self, address="10.3.0.1", within=self.left.enter)
        self.assertEqual(self.meet(), ["host", "host"])

    def test_reflexive(self):
        """Behind routers that keep a flow's port, they meet at the addresses that STUN tells them"""
        self.connect(PORT_RESTRICTED)
        paths = self.meet(f"stun-server=stun://{WORLD}:{STUN_PORT}")
        self.assertTrue(set(paths) <= {"srflx", "prflx"}, paths)
        self.assertGreater(self.direct_packets(), ENOUGH)

    def test_relay(self):
        """Behind routers with a port for each destination, they meet at the relay"""
        self.connect(SYMMETRIC)
        paths = self.meet(
            f"stun-server=stun://{WORLD}:{STUN_PORT}" f' turn-servers=<\\"{turn_uri(WORLD)}\\">'
        )
        self.assertEqual(paths, ["relay", "relay"])
        self.assertEqual(self.direct_packets(), 0)

    def test_relay_is_needed(self):
        """Without the relay they don't meet there, and the application is told why"""
        self.connect(SYMMETRIC)
        properties = f"session-timeout=4 stun-server=stun://{WORLD}:{STUN_PORT}"
        camera = peers.Launch(
            self,
            "camera",
            f"{BARS} ! conicsink client-id=camera uri={self.hub.uri} {properties}",
            within=self.left.enter,
        )
        camera.wait_message("conic-registered")
        viewer = peers.Launch(
            self,
            "viewer",
            f"conicsrc target-id=camera uri={self.hub.uri} {properties} ! fakesink",
            within=self.right.enter,
        )
        viewer.wait_line(
            r"No path to “camera” was found within 4 s: set stun-server or turn-servers"
        )


if __name__ == "__main__":
    netns.main()
