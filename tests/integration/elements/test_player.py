#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A peer played by its URI, and the forms that what is received comes out in.

Shows that playbin, playbin3 and uridecodebin play `conic://HOST:PORT/PEER` with sound and the right
colours, that gst-play-1.0 does and ends when the producer leaves, that a stream which is announced and
never comes doesn't keep the others waiting, and is linked by gst-launch-1.0 when it comes after all, and
that `output` gives decoded, encoded and packed media, each of which leads to the same picture.
"""

import shutil

from conictest import peers, tap
from conictest.media import RGB

ENOUGH_FRAMES = 20
TO_RAW = {
    "raw": "",
    "encoded": "video/x-vp8 ! vp8dec !",
    "rtp": "application/x-rtp,media=video ! rtpvp8depay ! vp8dec !",
}


class Player(peers.HubTest):
    def camera(self, sources="videotestsrc is-live=true ! s. audiotestsrc is-live=true ! s."):
        return self.launch("camera", f"conicsink name=s client-id=camera {sources}")

    @property
    def uri(self):
        return f"conic://127.0.0.1:{self.hub.port}/camera"

    def play(self, player):
        camera = self.camera()
        process, pipe = self.watch(
            player,
            f"{player} uri={self.uri} audio-sink='fakesink name=heard signal-handoffs=true'"
            f' video-sink="{RGB}"',
        )
        self.check_bars(pipe)
        self.assertEqual(camera.stop(), 0)
        process.wait_line("Got EOS", 20)

    def test_playbin(self):
        """playbin shows a peer, and ends when that leaves"""
        self.play("playbin")

    def test_playbin3(self):
        """playbin3 shows a peer, and ends when that leaves"""
        self.play("playbin3")

    def test_uridecodebin(self):
        """uridecodebin gives the picture and the sound of a peer"""
        self.camera()
        viewer = peers.Probe(
            self,
            "viewer",
            f"uridecodebin uri={self.uri} name=d  d. ! videoconvert ! appsink name=video sync=false"
            "  d. ! audioconvert ! appsink name=audio sync=false",
        )
        for sink in ("video", "audio"):
            viewer.wait_event("sample", 30, sink=sink, n=ENOUGH_FRAMES)

    def test_gst_play(self):
        """gst-play-1.0 plays a peer and ends when that leaves"""
        if not shutil.which("gst-play-1.0"):
            raise AssertionError("gst-play-1.0 is not installed")
        camera = self.camera()
        player = peers.Process(
            self,
            "gst-play",
            [
                "gst-play-1.0",
                "--no-interactive",
                "--videosink=fakevideosink",
                "--audiosink=fakesink",
                self.uri,
            ],
            env=peers.gst_environment(),
        )
        player.wait_line("Prerolled", 30)
        self.assertEqual(camera.stop(), 0)
        player.wait_line("Reached end of play list", 20)
        self.assertEqual(player.wait_exit(10), 0)

    def test_silent_stream(self):
        """A stream that is announced and never comes keeps a player waiting no longer than 3 s"""
        # Nothing comes out of the valve, but what it is going to be is known.
        self.camera(
            "videotestsrc is-live=true ! s.  audiotestsrc is-live=true !"
            " valve drop=true drop-mode=forward-sticky-events ! s."
        )
        _, pipe = self.watch(
            "player", f'playbin uri={self.uri} audio-sink=fakesink video-sink="{RGB}"'
        )
        self.check_bars(pipe)

    def test_late_stream(self):
        """gst-launch-1.0 links a stream that begins when nobody waits for it any more"""
        camera = self.probe(
            "camera",
            "conicsink name=s client-id=camera  audiotestsrc is-live=true ! s."
            "  videotestsrc is-live=true ! valve name=lid drop=true drop-mode=forward-sticky-events ! s.",
        )
        player, pipe = self.watch(
            "viewer", f"conicsrc name=r target-id=camera  r.video_0 ! {RGB}  r.audio_0 ! fakesink"
        )
        player.wait_line("Delayed linking failed", 30)
        camera.ask("set", element="lid", property="drop", value=False)
        self.check_bars(pipe)

    def test_outputs(self):
        """output=raw, encoded and rtp give what they say, and the same picture"""
        self.camera()
        for output, convert in TO_RAW.items():
            with self.subTest(output=output):
                _, pipe = self.watch(
                    output,
                    f"conicsrc name=r target-id=camera output={output}"
                    f" r.video_0 ! {convert} {RGB}",
                )
                self.check_bars(pipe)

    def test_wrong_uris(self):
        """What isn't the URI of a peer is refused by name"""
        for uri, reason in (
            ("conic://127.0.0.1:3000/", "not the id of one peer"),
            ("conic://127.0.0.1:3000/a/b", "not the id of one peer"),
            ("conic:///camera", "names no host"),
            ("conic://127.0.0.1:3000/camera?x=1", "nothing comes after"),
            ("conics://user@127.0.0.1:3000/camera", "no users"),
        ):
            with self.subTest(uri=uri):
                launch = peers.Launch(self, "refused", f"uridecodebin uri={uri} ! fakesink")
                launch.wait_line(reason, 20)
                self.assertNotEqual(launch.wait_exit(10), 0)


if __name__ == "__main__":
    tap.main()
