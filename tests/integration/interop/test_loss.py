#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Numbered pictures over a cable that loses packets, and over a thin one.

Shows that packets sent again (do-nack) bring back what a cable loses: of the pictures sent, all but
all are decoded, and without them far fewer. That packets for repair (fec-percentage) bring back
most, though nothing is asked for. And that a sender told of less bandwidth fits through a thin cable.
"""

import concurrent.futures
import json

from conictest import media, netns, peers, tap

RATE = 30
LEFT = "10.4.0.1"

# Every packet of media has the same chance; which are lost is up to the kernel.
LOSS = """
table inet loss {{
  counter lost {{ }}
  chain in {{
    type filter hook prerouting priority raw;
    meta l4proto udp numgen random mod 100 < {percent} counter name lost drop
  }}
}}
"""


# The encoder is not asked for keyframes: it has long done its work. A picture that can't be decoded
# is as good as lost until the next of these.
KEYFRAME_INTERVAL = 30

# Milliseconds: a busy machine takes its time to send a packet again.
LATENCY = 1000

SETTINGS = {
    "plain": "do-nack=false",
    "again": "do-nack=true",
    "repair": "do-nack=false fec-percentage=50",
}

# Pictures of four packets or so each: repair then needs more than one packet for one.
BITRATE, NOISE = 1_000_000, 32

# A cable that is too thin for what the camera sends at first.
THIN = ["rate", "700kbit", "burst", "8kb", "latency", "200ms"]
# Snow can be encoded at both: at 160×120 VP8 can do no less than 550 kbit/s.
TOO_MUCH, ENOUGH = 2_000_000, 350_000


class Watcher:
    """A camera with numbered pictures on the left, and a viewer on the right that reads the numbers."""

    def __init__(self, case, name, properties, movie):
        common = f"uri={case.hub.uri} {properties}"
        # What is sent comes second in the viewer's offer: it is sent again all the same.
        wishes = "video-codecs=<H264,VP8>"
        camera = peers.Launch(
            case,
            f"camera-{name}",
            f"filesrc location={movie} ! matroskademux ! conicsink client-id={name} {common}",
            within=case.left.enter,
        )
        camera.wait_message("conic-registered")
        self.viewer, self.pipe = peers.watch_video(
            case,
            f"viewer-{name}",
            f"conicsrc target-id={name} latency={LATENCY} {wishes} {common} ! videoconvert ! video/x-raw,format=I420 !"
            " fdsink sync=false fd={fd}",
            media.COUNTER_FRAME_BYTES,
            media.read_counter,
            within=case.right.enter,
        )

    def share(self, pictures):
        """The share of so many pictures, from the next one on, that is decoded."""
        before = len(self.pipe.frames)

        def have(frames):
            numbers = [number for _, number in frames[before:] if number is not None]
            return len(numbers) > 1 and numbers[-1] - numbers[0] >= pictures

        self.pipe.wait(have, pictures / RATE + 30, f"{pictures} pictures had been sent")
        numbers = [number for number in self.pipe.values()[before:] if number is not None]
        wanted = range(numbers[0], numbers[0] + pictures)
        return len(set(numbers).intersection(wanted)) / pictures


class Loss(tap.TestCase):
    limit = 90

    def setUp(self):
        super().setUp()
        bed = netns.Bed(self)
        self.left, self.right = bed.machine("left"), bed.machine("right")
        bed.cable(self.left, self.right, "10.4.0")
        self.hub = peers.Conicd(self, address=LEFT, within=self.left.enter)

    def movie(self, pictures):
        """Numbered pictures, encoded."""
        raw, path = self.path("numbered.yuv"), self.path("numbered.webm")
        media.write_counter_video(raw, pictures, noise=NOISE)
        size = f"width={media.COUNTER_WIDTH} height={media.COUNTER_HEIGHT}"
        encoder = peers.Launch(
            self,
            "encoder",
            f"filesrc location={raw} ! rawvideoparse format=i420 {size} framerate={RATE}/1 !"
            f" vp8enc deadline=1 cpu-used=8 keyframe-max-dist={KEYFRAME_INTERVAL}"
            f" target-bitrate={BITRATE} !"
            f" webmmux ! filesink location={path}",
        )
        self.assertEqual(encoder.wait_exit(), 0)
        return path

    def test_repair(self):
        """What packets sent again, and packets for repair, bring back at 2 % and at 5 % loss"""
        pictures = tap.scaled(300, 240)
        movie = self.movie(pictures * 2 + 40 * RATE)
        watchers = {
            name: Watcher(self, name, properties, movie) for name, properties in SETTINGS.items()
        }
        for watcher in watchers.values():
            watcher.pipe.wait_frames(1, 30)
        for percent in (2, 5):
            self.right.nft(f"flush ruleset\n{LOSS.format(percent=percent)}")
            with concurrent.futures.ThreadPoolExecutor() as pool:
                shares = list(pool.map(lambda w: w.share(pictures), watchers.values()))
            told = [f"{name} {share:.1%}" for name, share in zip(watchers, shares)]
            print(f"# {percent} % lost, decoded: {', '.join(told)}")
            self.assertLess(shares[0], 0.99, "nothing was lost")
            self.assertGreater(shares[1], 0.97, "what was asked for again")
            self.assertGreater(shares[2], shares[0] + 0.25, "with packets for repair")

    def session(self, probe):
        """The statistics of the one session of an element."""
        return probe.sessions("c")[0]

    def dropped(self):
        """Packets that the thin cable has not taken."""
        return json.loads(self.left.tc("-s", "-j", "qdisc", "show", "dev", "right"))[0]["drops"]

    def test_thin(self):
        """Too much for a thin cable is lost; a camera told to send less, while it runs, gets through again"""
        self.left.tc("qdisc", "add", "dev", "right", "root", "tbf", *THIN)
        common = f"name=c uri={self.hub.uri}"
        camera = peers.Probe(
            self,
            "camera",
            "videotestsrc is-live=true pattern=snow ! video/x-raw,width=112,height=84,framerate=30/1"
            " ! tee name=t  t. ! queue ! appsink name=tick  t. ! queue ! c.video_0"
            f" conicsink client-id=camera bitrate={ENOUGH} {common}",
            within=self.left.enter,
        )
        camera.wait_event("message", name="conic-registered")
        viewer = peers.Probe(
            self,
            "viewer",
            f"conicsrc target-id=camera {common} ! appsink name=seen sync=false",
            within=self.right.enter,
        )
        viewer.wait_event("sample", 40, n=30)

        def settle(condition, what):
            """Looks with every picture of the camera, until all is as it should be."""
            for _ in range(900):
                camera.wait_event("sample", start=len(camera.events))
                if condition():
                    return
            raise AssertionError(f"never {what}: {self.session(camera)}, {self.session(viewer)}")

        camera.ask("set", element="c", property="bitrate", value=TOO_MUCH)
        settle(lambda: self.dropped() > 200, "was too much for the cable")
        camera.ask("set", element="c", property="bitrate", value=ENOUGH)
        settle(lambda: 0 < self.session(camera)["bitrate-out"] < 1.4 * ENOUGH, "sent less")
        settle(lambda: self.session(viewer)["bitrate-in"] > 0.6 * ENOUGH, "came through")
        # What was asked for again in the bad times may still be on its way in the first two seconds.
        lost = []
        while len(lost) < 5 and (not lost or lost[-1] >= 20):
            dropped = self.dropped()
            start = len(viewer.events)
            for _ in range(60):
                start = viewer.events.index(viewer.wait_event("sample", start=start)) + 1
            lost.append(self.dropped() - dropped)
        self.assertLess(lost[-1], 20, f"packets dropped in each two seconds: {lost}")
        rate = self.session(viewer)["bitrate-in"]
        print(f"# {dropped} packets dropped meanwhile, then {rate / 1000:.0f} kbit/s came")


if __name__ == "__main__":
    netns.main()
