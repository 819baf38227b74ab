#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A connection to the hub that dies without a word.

In a network of its own, where everything to and from the hub is dropped for a while, so that no end
learns of it. Shows that the elements notice that by themselves, come back under their own ids, be it that
the hub still holds the old connection for alive, has held the id for its resume token, or has
forgotten it; and that a session that runs meanwhile goes on as if nothing were.

    home (peers) ── world (hubs)
"""

import time

from conictest import media, netns, peers, tap
from conictest.media import RATE

# The time of the kernel's questions, and what a busy machine needs.
NOTICE_SECONDS, SLACK_SECONDS = 25, 5
ADDRESS = "203.0.113.2"
CUT = """
table ip cut {
  chain in { type filter hook input priority filter; ip protocol tcp drop; }
  chain out { type filter hook output priority filter; ip protocol tcp drop; }
}
"""
QUICK_PINGS = ("--ping-seconds", "1", "--pong-seconds", "1")
# What each hub makes of a connection that is silent.
HUBS = {
    "held for alive": (),
    "held for its token": (*QUICK_PINGS, "--resume-seconds", "120"),
    "forgotten": QUICK_PINGS,
}


class Reconnect(tap.TestCase):
    limit = 90

    def setUp(self):
        super().setUp()
        bed = netns.Bed(self)
        self.home, self.world = bed.machine("home"), bed.machine("world")
        bed.cable(self.home, self.world, "203.0.113")

    def hub(self, name, arguments):
        return peers.Conicd(
            self,
            arguments=arguments,
            name=f"conicd, {name}",
            address=ADDRESS,
            within=self.world.enter,
        )

    def camera(self, hub, name):
        camera = peers.Probe(
            self,
            f"camera, {name}",
            f"videotestsrc is-live=true ! conicsink client-id=camera uri={hub.uri}",
            within=self.home.enter,
        )
        camera.wait_event("message", name="conic-registered")
        return camera

    def watch(self, hub, name):
        return peers.watch_video(
            self,
            name,
            f"conicsrc target-id=camera client-id={name} uri={hub.uri} ! {media.RGB}",
            media.FRAME_BYTES,
            len,
            within=self.home.enter,
        )

    def test_dead_connection(self):
        """Cut off from their hubs for a while, elements come back, and pictures never stop"""
        hubs = {name: self.hub(name, arguments) for name, arguments in HUBS.items()}
        seen = "held for its token"
        cameras = {name: self.camera(hub, name) for name, hub in hubs.items()}
        viewer, pipe = self.watch(hubs[seen], "viewer")
        pipe.wait_frames(RATE, 40)

        starts = {name: len(camera.events) for name, camera in cameras.items()}
        lines = len(viewer.lines)
        before = len(pipe.frames)
        since = time.monotonic()
        self.world.nft(CUT)
        for name, camera in cameras.items():
            lost = camera.wait_event("notify", 40, starts[name], property="connected", value=False)
            print(f"# {name}: noticed after {lost['time'] - since:.1f} s")
            self.assertLess(lost["time"] - since, NOTICE_SECONDS + SLACK_SECONDS * tap.PATIENCE)
        # They have come all the time, and go on.
        self.assertGreater(len(pipe.frames), before + 2 * RATE)
        seen_before = len(pipe.frames)
        netns.run(*self.world.enter, "nft", "delete", "table", "ip", "cut")
        for name, camera in cameras.items():
            camera.wait_event(
                "message", 40, starts[name], name="conic-registered", fields={"client-id": "camera"}
            )
        viewer.wait_message("conic-registered", 40, lines, **{"client-id": "viewer"})

        pipe.wait_frames(seen_before + RATE, 20)
        _, late = self.watch(hubs[seen], "late")
        late.wait_frames(1, 40)
        for camera in cameras.values():
            self.assertEqual(camera.of_kind("error"), [])
            for end in ("conic-session-ended", "conic-session-failed"):
                self.assertEqual(camera.of_kind("message", name=end), [])
        self.assertEqual(viewer.messages("conic-session-failed"), [])


if __name__ == "__main__":
    netns.main()
