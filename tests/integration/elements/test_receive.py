#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What an element doesn't want to receive.

Shows that of what `receive` leaves out no byte comes, whoever calls, that the element may still send of
that kind itself, and that neither side takes it for a trouble.
"""

from conictest import peers, tap

RATE = 30
# As many packets as two seconds of sound have.
PACKETS = 100
# bit/s that sound takes at most, with its packets' headers; test pictures take several times as much.
SOUND_BITS = 250_000
PICTURES = "videotestsrc is-live=true ! p."
SOUND = "audiotestsrc is-live=true ! p."


class Receive(peers.HubTest):
    def peer(self, name, rest):
        return self.probe(name, f"conicbin name=p client-id={name} {rest}")

    def check(self, camera_calls):
        camera = self.peer("camera", f"{PICTURES}  {SOUND}  p.video_src_0 ! fakesink")
        viewer = self.peer("viewer", f"receive=audio  {PICTURES}  p.audio_src_0 ! fakesink")
        caller, target = (camera, "viewer") if camera_calls else (viewer, "camera")
        caller.ask("set", element="p", property="target-id", value=target)
        came = viewer.wait_stats(
            "p", lambda s: s["packets-in"] > PACKETS and s["frames-out"] > RATE
        )
        self.assertEqual((came["audio-codec-in"], came["video-codec-in"]), ("OPUS", ""))
        self.assertEqual(came["frames-in"], 0)
        self.assertLess(came["bitrate-in"], SOUND_BITS)
        sent = camera.wait_stats("p", lambda s: s["frames-in"] > RATE)
        self.assertEqual((sent["audio-codec-out"], sent["video-codec-out"]), ("OPUS", ""))
        self.assertEqual(sent["frames-out"], 0)
        for probe in (camera, viewer):
            self.assertEqual(probe.of_kind("warning"), [])

    def test_called(self):
        """One that takes sound only is sent no pictures when it is called, and sends its own"""
        self.check(True)

    def test_calling(self):
        """Likewise when it calls"""
        self.check(False)


if __name__ == "__main__":
    tap.main()
