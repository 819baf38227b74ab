#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a TURN server holds for a session, when that is over.

Shows, with a real coturn and paths over nothing but it, that both sides give their allocations back
within a second of the end of the session, with the elements that have media as with conicsignaller,
whether the pipeline ends or goes on; and that a server which is dead keeps nobody: neither a
pipeline that stops, for more than about a second, nor others that are watching.
"""

import os
import signal
import time

from conictest import peers, tap
from conictest.coturn import Coturn

# How long an allocation may outlive its session.
RELEASE_SECONDS = 1
# How long a pipeline may take to stop when its relay is dead; beside it, what a busy machine needs.
STOP_SECONDS = 2.5
ENOUGH = 30


class Relay(peers.HubTest):
    def setUp(self):
        super().setUp()
        self.coturn = Coturn(self)
        self.relayed = (
            "ice-transport-policy=relay local-addresses=<127.0.0.1>"
            f' turn-servers=<\\"{self.coturn.uri}\\">'
        )

    def camera(self):
        return self.probe(
            "camera",
            f"videotestsrc is-live=true ! conicsink name=c client-id=camera {self.relayed}",
        )

    def viewer(self, name="viewer"):
        viewer = self.probe(
            name, f"conicsrc name=c target-id=camera {self.relayed} ! appsink name=seen sync=false"
        )
        viewer.wait_event("sample", 40, n=ENOUGH)
        return viewer

    def plain(self, properties, name):
        """A webrtcbin with conicsignaller that sends pictures, and reports what comes."""
        return self.probe(
            name,
            "webrtcbin name=rtc bundle-policy=max-bundle"
            f" conicsignaller name=c webrtc=rtc {self.relayed} {properties}"
            " videotestsrc is-live=true ! vp8enc deadline=1 ! rtpvp8pay ! rtc."
            " rtc. ! rtpvp8depay ! appsink name=seen sync=false",
        )

    def check_released(self, since):
        self.coturn.wait_live(0)
        took = self.coturn.released_at() - since
        print(f"# the last allocation was given back {took:.2f} s after the end")
        self.assertLess(took, RELEASE_SECONDS * tap.PATIENCE)
        self.coturn.wait_gone()

    def test_released(self):
        """Viewer and camera give their allocations back when the viewer stops; the camera goes on"""
        camera = self.camera()
        viewer = self.viewer()
        self.assertGreaterEqual(len(self.coturn.live()), 2)
        since = time.monotonic()
        self.assertEqual(viewer.stop(), 0)
        camera.wait_event("message", name="conic-session-ended")
        self.check_released(since)
        self.viewer("viewer again")

    def test_signaller(self):
        """So do two webrtcbins with conicsignaller, of which one stops and one goes on"""
        bob = self.plain("client-id=bob", "bob")
        alice = self.plain("target-id=bob", "alice")
        for peer in (alice, bob):
            peer.wait_event("sample", 40, n=ENOUGH)
        self.assertGreaterEqual(len(self.coturn.live()), 2)
        since = time.monotonic()
        self.assertEqual(alice.stop(), 0)
        bob.wait_event("message", name="conic-session-ended")
        self.check_released(since)
        self.assertTrue(bob.running)

    def check_stops(self, peer):
        since = time.monotonic()
        self.assertEqual(peer.stop(), 0)
        took = time.monotonic() - since
        print(f"# {peer.name} stopped within {took:.2f} s")
        self.assertLess(took, STOP_SECONDS * tap.PATIENCE)

    def test_dead_server(self):
        """With a dead server pipelines stop just so, and a camera goes on serving others"""
        camera = self.camera()
        viewer = self.viewer()
        bob = self.plain("client-id=bob", "bob")
        alice = self.plain("target-id=bob", "alice")
        for peer in (alice, bob):
            peer.wait_event("sample", 40, n=ENOUGH)
        os.kill(self.coturn.pid, signal.SIGSTOP)
        try:
            self.check_stops(viewer)
            camera.wait_event("message", name="conic-session-ended")
            direct = self.probe(
                "direct", "conicsrc target-id=camera session-timeout=3 ! appsink name=seen"
            )
            # The camera answers, and has only the relay to offer.
            direct.wait_event("message", 30, name="conic-session-failed")
            self.check_stops(direct)
            self.check_stops(alice)
            self.check_stops(camera)
            self.check_stops(bob)
        finally:
            os.kill(self.coturn.pid, signal.SIGCONT)


if __name__ == "__main__":
    tap.main()
