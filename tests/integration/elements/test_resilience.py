#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Peers, hubs and links that go away, and come back.

Shows that a session never outlives its peer, however that went (killed, stopped, behind a link that
is down), and ends within session-timeout with a reason; that a negotiation which gets stuck on any of
its steps ends just so; that a session which died is made again, in either direction, as soon as the
other side is there again, and pictures go on; that a hub which is killed costs the sessions that
run not a single frame, while those who come after it was started again are served; and that a side which
is paused for longer than session-timeout keeps its session, and goes on at once.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time

from conictest import media, peers, tap, wire
from conictest.media import COLOUR_TOLERANCE, RATE

# A part of the cases runs again in a network namespace of its own, where the link can be taken down.
INSIDE = "CONIC_TEST_IN_NAMESPACE"

TIMEOUT_SECONDS = 3
# Beyond it: a beat of the session's, and what a busy machine needs.
SLACK_SECONDS = 3
# Enough for a busy machine to make two certificates, and go on until the handshake.
HANDSHAKE_SECONDS = 8
# Longer than a session may be silent, by far.
PAUSE_SECONDS = 6
# Until then, each side has heard the other answer.
TALKING_FRAMES = 4 * RATE
RED, BLUE = (255, 0, 0), (0, 0, 255)


def colour(frame):
    """The mean colour of a picture."""
    return tuple(media.rgb(frame, media.WIDTH, media.HEIGHT).mean(axis=(0, 1)))


def is_colour(wanted):
    """Whether the last picture has that colour."""
    return lambda frames: bool(frames) and (
        media.colour_error([frames[-1][1]], [wanted]) < COLOUR_TOLERANCE
    )


class Resilience(peers.HubTest):
    def camera(self, properties="", source="videotestsrc is-live=true", name="camera"):
        return self.probe(
            name, f"{source} ! conicsink name=s session-timeout={TIMEOUT_SECONDS} {properties}"
        )

    def screen(self, properties, name="viewer"):
        return self.watch(
            name,
            f"conicsrc session-timeout={TIMEOUT_SECONDS} {properties} ! {media.RGB}",
            examine=colour,
        )

    def wait_talking(self, probe):
        """Waits until the two sides of the session have measured the way between them."""
        probe.wait_stats("s", lambda session: session["round-trip-time"] >= 0)

    def packets_in(self, probe):
        """Packets that its only session has taken in."""
        (session,) = probe.sessions("s")
        return session["packets-in"]

    def wait_gone(self, probe, since, peer):
        """Waits for the end of the session with that peer; returns how long it took."""
        over = ("conic-session-ended", "conic-session-failed")
        ended = probe.wait_event("message", 30, start=since[0], name=lambda name: name in over)
        self.assertEqual(ended["fields"]["peer-id"], peer)
        self.assertTrue(ended["fields"]["reason"])
        while "webrtcbin" in probe.ask("factories")["names"]:
            pass
        return ended["time"] - since[1]

    def test_peer_killed(self):
        """A viewer that was killed is gone within session-timeout"""
        camera = self.camera("client-id=camera")
        viewer, pipe = self.screen("client-id=viewer target-id=camera")
        pipe.wait_frames(RATE, 30)
        self.wait_talking(camera)
        since = len(camera.events), time.monotonic()
        viewer.kill()
        took = self.wait_gone(camera, since, "viewer")
        print(f"# noticed after {took:.1f} s")
        self.assertLess(took, TIMEOUT_SECONDS + SLACK_SECONDS * tap.PATIENCE)

    def test_peer_stopped(self):
        """A viewer that hangs is gone within session-timeout; when it goes on it sees pictures again"""
        camera = self.camera("client-id=camera")
        viewer, pipe = self.screen("client-id=viewer target-id=camera")
        pipe.wait_frames(RATE, 30)
        self.wait_talking(camera)
        since = len(camera.events), time.monotonic()
        os.kill(viewer.pid, signal.SIGSTOP)
        try:
            took = self.wait_gone(camera, since, "viewer")
        finally:
            os.kill(viewer.pid, signal.SIGCONT)
        print(f"# noticed after {took:.1f} s")
        self.assertLess(took, TIMEOUT_SECONDS + SLACK_SECONDS * tap.PATIENCE)
        camera.wait_event("message", 40, start=len(camera.events), name="conic-session-started")
        pipe.wait_frames(len(pipe.frames) + RATE, 20)

    def test_paused(self):
        """Viewer and camera are paused for longer than session-timeout, lose nothing, and go on in time"""
        camera = self.camera("client-id=camera")
        viewer = self.probe(
            "viewer",
            f"conicsrc name=s session-timeout={TIMEOUT_SECONDS} target-id=camera !"
            " appsink name=seen",
        )
        viewer.wait_event("sample", 40, n=2 * RATE)
        self.wait_talking(camera)
        other = self.camera("client-id=other", name="other")
        for paused in (viewer, camera):
            self.assertNotEqual(paused.ask("state", state="PAUSED")["result"], "async")
            came = self.packets_in(viewer)
            _, clock = self.screen("target-id=other", f"clock while {paused.name} is paused")
            clock.wait_frames(PAUSE_SECONDS * RATE, 40)
            # Nothing piles up: each picture has a packet at least, and statistics are a second old.
            self.assertLess(self.packets_in(viewer) - came, PAUSE_SECONDS * RATE)
            before = viewer.of_kind("sample")[-1]
            paused.ask("state", state="PLAYING")
            viewer.wait_event("sample", n=before["n"] + 2)
            after = viewer.wait_event("sample", 40, n=before["n"] + 2 * RATE)
            passed = (after["pts"] - before["pts"]) / 1e9
            print(f"# {paused.name}: {2 * RATE} pictures in {passed:.1f} s of the viewer's time")
            if paused is viewer:
                # Its own time stood still.
                self.assertLess(passed, 2 + PAUSE_SECONDS)
        for probe in (camera, viewer):
            self.assertEqual(probe.of_kind("message", name="conic-session-failed"), [])
            self.assertEqual(probe.of_kind("message", name="conic-session-ended"), [])
        other.stop()

    def test_camera_restarts(self):
        """A camera that is killed and started again is seen again, by a viewer that knows of nothing"""
        first = self.camera("client-id=camera", "videotestsrc is-live=true pattern=red")
        viewer, pipe = self.screen("target-id=camera")
        pipe.wait(is_colour(RED), 30, "a red picture")
        pipe.wait_frames(TALKING_FRAMES, 20)
        first.kill()
        viewer.wait_line("WARNING: from element", 30)
        self.camera("client-id=camera", "videotestsrc is-live=true pattern=blue", "camera again")
        pipe.wait(is_colour(BLUE), 40, "a blue picture")

    def test_camera_leaves(self):
        """A camera that leaves with a goodbye and comes again is seen again by who wants to reconnect"""
        first = self.camera("client-id=camera", "videotestsrc is-live=true pattern=red")
        viewer, pipe = self.screen("target-id=camera reconnect=true")
        pipe.wait(is_colour(RED), 30, "a red picture")
        self.assertEqual(first.stop(), 0)
        viewer.wait_message("conic-session-ended", 30)
        self.camera("client-id=camera", "videotestsrc is-live=true pattern=blue", "camera again")
        pipe.wait(is_colour(BLUE), 40, "a blue picture")

    def test_camera_leaves_early(self):
        """A camera that leaves before it has shown anything is called again: there is no end to come to"""
        nothing = "videotestsrc is-live=true ! valve drop=true drop-mode=forward-sticky-events"
        first = self.camera("client-id=camera", nothing)
        viewer, pipe = self.screen("target-id=camera")
        first.wait_event("message", 30, name="conic-session-started")
        self.assertEqual(first.stop(), 0)
        viewer.wait_message("conic-session-ended", 30)
        self.camera("client-id=camera", "videotestsrc is-live=true pattern=blue", "camera again")
        pipe.wait(is_colour(BLUE), 40, "a blue picture")

    def test_screen_restarts(self):
        """A screen that is killed and started again is called again by its camera"""
        screen, pipe = self.screen("client-id=screen", "screen")
        screen.wait_message("conic-registered")
        camera = self.camera("target-id=screen", "videotestsrc is-live=true pattern=red")
        pipe.wait(is_colour(RED), 30, "a red picture")
        pipe.wait_frames(TALKING_FRAMES, 20)
        screen.kill()
        camera.wait_event("message", 30, name="conic-session-failed")
        _, again = self.screen("client-id=screen", "screen again")
        again.wait(is_colour(RED), 40, "a red picture")

    def test_screen_leaves(self):
        """A screen that leaves with a goodbye is called again by its camera"""
        screen, pipe = self.screen("client-id=screen", "screen")
        screen.wait_message("conic-registered")
        camera = self.camera("target-id=screen", "videotestsrc is-live=true pattern=red")
        pipe.wait(is_colour(RED), 30, "a red picture")
        self.assertEqual(screen.stop(), 0)
        camera.wait_event("message", 30, name="conic-session-ended")
        _, again = self.screen("client-id=screen", "screen again")
        again.wait(is_colour(RED), 40, "a red picture")
        self.assertEqual(camera.of_kind("error"), [])

    def test_hub_killed(self):
        """A hub that is killed and started again costs no frame, and serves those who come then"""
        video = self.path("counter.i420")
        media.write_counter_video(video, 60 * RATE)
        camera = self.camera(
            "client-id=camera", f"filesrc location={video} ! {media.COUNTER_PARSE} ! clocksync"
        )

        def watch(name):
            # What a busy machine sends late isn't lost.
            return self.watch(
                name,
                f"conicsrc target-id=camera client-id={name} latency=1000 ! {media.COUNTER_I420}",
                media.COUNTER_FRAME_BYTES,
                media.read_counter,
            )

        viewer, pipe = watch("viewer")
        pipe.wait_frames(2 * RATE, 40)
        before = len(camera.events), len(viewer.lines)
        self.hub.kill()
        camera.wait_event("notify", start=before[0], property="connected", value=False)
        pipe.wait_frames(len(pipe.frames) + 2 * RATE, 20)
        peers.Conicd(self, self.hub.port, name="conicd again")
        camera.wait_event("notify", 40, start=before[0], property="connected", value=True)
        camera.wait_event(
            "message",
            start=before[0],
            name="conic-registered",
            fields=lambda fields: fields["client-id"] == "camera",
        )
        viewer.wait_message("conic-registered", 40, before[1], **{"client-id": "viewer"})
        # Another viewer that starts may cost frames on a busy machine, so these are looked at before.
        numbers = pipe.values()[RATE:]
        _, late = watch("late")
        late.wait_frames(RATE, 40)
        self.assertEqual(media.missed(numbers), [], "frames were lost")
        self.assertEqual(numbers, sorted(set(numbers)), "frames out of order or twice")
        self.assertEqual(camera.of_kind("message", name="conic-session-ended"), [])
        self.assertEqual(camera.of_kind("message", name="conic-session-failed"), [])

    def call_bob(self, hub_uri, timeout=TIMEOUT_SECONDS):
        """Somebody who calls `bob`, and a function that waits until that failed and returns why."""
        since = time.monotonic()
        viewer = peers.Probe(
            self,
            "alice",
            f"conicsrc client-id=alice target-id=bob session-timeout={timeout} uri={hub_uri} !"
            " fakesink",
        )

        def failure():
            failed = viewer.wait_event("message", 30, name="conic-session-failed")
            self.assertLess(failed["time"] - since, timeout + SLACK_SECONDS * tap.PATIENCE)
            self.assertEqual(viewer.of_kind("error"), [])
            return failed["fields"]["reason"]

        return failure

    def test_never_answered(self):
        """An offer that nobody answers fails, and is made again"""
        bob = wire.BarePeer(self, self.hub.uri, "bob")
        failure = self.call_bob(self.hub.uri)
        first = bob.wait("sdp")
        self.assertRegex(failure(), "answer")
        self.assertEqual(bob.wait("bye")["data"]["to_id"], "bob")
        second = bob.wait("sdp", 30)
        self.assertNotEqual(first["data"]["session_id"], second["data"]["session_id"])

    def test_never_connected(self):
        """An answer from where there is nobody fails for want of a path"""
        bob = wire.BarePeer(self, self.hub.uri, "bob")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
            deaf.bind(("127.0.0.1", 0))
            failure = self.call_bob(self.hub.uri)
            offer = bob.wait("sdp")["data"]
            session = {"to_id": "alice", "session_id": offer["session_id"]}
            sdp = offer["session_description"]["sdp"]
            sdp = sdp.replace("a=setup:actpass", "a=setup:active").replace("recvonly", "sendonly")
            sdp = re.sub(r"(a=ice-(ufrag|pwd):)\S{4}", r"\1abcd", sdp)
            bob.send("sdp", session_description={"type": "answer", "sdp": sdp}, **session)
            port = deaf.getsockname()[1]
            bob.send(
                "candidate",
                candidate={
                    "candidate": f"candidate:1 1 UDP 2015363327 127.0.0.1 {port} typ host",
                    "sdpMLineIndex": 0,
                },
                **session,
            )
            self.assertRegex(failure(), "path")

    def test_never_secured(self):
        """Two sides that each wait for the other to begin the handshake: that has its deadline, too"""

        def rewrite(client_id, text):
            # Bob is told that Alice begins, and Alice that Bob does.
            return text.replace("setup:actpass", "setup:active").replace(
                "setup:passive", "setup:active"
            )

        hub = wire.MeddlingHub(self, self.hub.uri, rewrite)
        bob = peers.Launch(
            self, "bob", f"videotestsrc is-live=true ! conicsink client-id=bob uri={hub.uri}"
        )
        bob.wait_message("conic-registered")
        failure = self.call_bob(hub.uri, HANDSHAKE_SECONDS)
        self.assertRegex(failure(), "DTLS")


class Link(tap.TestCase):
    """Runs the case that takes the link down where that is nobody else's."""

    def test_link_down(self):
        """A link that is down ends the session on both sides; once it is up pictures go on"""
        inside = subprocess.run(
            ["unshare", "-rn", "sh", "-c", 'ip link set lo up && exec "$0" "$@"', sys.executable]
            + [os.path.abspath(__file__), "Inside"],
            env={**os.environ, INSIDE: "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.assertEqual(inside.returncode, 0, inside.stdout)


class Inside(peers.HubTest):
    def test_link_down(self):
        """In a namespace of its own: the link goes down and up"""

        def link(state):
            subprocess.run(["ip", "link", "set", "lo", state], check=True)

        camera = self.probe(
            "camera",
            "videotestsrc is-live=true ! conicsink client-id=camera"
            f" session-timeout={TIMEOUT_SECONDS}",
        )
        viewer, pipe = self.watch(
            "viewer", f"conicsrc target-id=camera session-timeout={TIMEOUT_SECONDS} ! {media.RGB}"
        )
        pipe.wait_frames(TALKING_FRAMES, 40)
        link("down")
        camera.wait_event("message", 30, name="conic-session-failed")
        viewer.wait_message("conic-session-failed", 30)
        seen = len(pipe.frames)
        link("up")
        pipe.wait_frames(seen + 2 * RATE, 40)
        self.assertLess(max(pipe.values()[seen + RATE :]), COLOUR_TOLERANCE)


# The one is run by the other.
if INSIDE in os.environ:
    del Link, Resilience
else:
    del Inside

if __name__ == "__main__":
    tap.main()
