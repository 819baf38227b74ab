#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pictures from one gst-launch-1.0 to another.

Shows that what a viewer decodes is what the camera showed: the colours of the test bars where
they belong, a ball that moves, and thirty frames a second without a hole for half a minute.
"""

from conictest import media, peers, tap
from conictest.media import COLOUR_TOLERANCE, HEIGHT, RATE, WIDTH

# A frame that comes later than this after the one before it is a stall, however busy the machine.
STALL_SECONDS = 1.0


class Video(peers.HubTest):
    limit = 90

    def camera(self, source):
        self.launch("camera", f"{source} ! conicsink client-id=camera")

    def viewer(self, examine=media.bars_error):
        return self.watch("viewer", f"conicsrc target-id=camera ! {media.RGB}", examine=examine)

    def test_bars(self):
        """The test bars arrive in their colours and places, thirty times a second"""
        duration = tap.scaled(15, 10)
        self.camera("videotestsrc is-live=true")
        _, pipe = self.viewer()
        pipe.wait_frames(1, 20)
        pipe.wait(
            lambda frames: frames[-1][0] - frames[0][0] >= duration,
            duration + 20,
            f"{duration} s of pictures had come",
        )
        frames = list(pipe.frames)

        # The encoder starts coarse: the first second may look as it likes.
        first = frames[0][0]
        settled = [(at, error) for at, error in frames if 1 <= at - first < duration]
        worst = max(error for _, error in settled)
        self.assertLess(worst, COLOUR_TOLERANCE, "a picture is not the test bars")
        wanted = (duration - 1) * RATE
        self.assertAlmostEqual(
            len(settled),
            wanted,
            delta=0.05 * wanted,
            msg=f"frames in the {duration - 1} s after the first",
        )
        gaps = [later[0] - earlier[0] for earlier, later in zip(settled, settled[1:])]
        self.assertLess(max(gaps), STALL_SECONDS, "the picture stood still")
        print(
            f"# {len(settled)} frames in {duration - 1} s, worst colour error {worst:.0f}, longest gap {max(gaps):.3f} s"
        )

    def test_motion(self):
        """A moving pattern moves"""
        self.camera("videotestsrc is-live=true pattern=ball")
        _, pipe = self.viewer(lambda frame: media.brightest(media.rgb(frame, WIDTH, HEIGHT)))

        def places(frames):
            # The encoder starts coarse.
            return [place for _, place in frames[RATE:]]

        def across(frames):
            xs = [place[0] for place in places(frames) if place]
            return max(xs, default=0) - min(xs, default=0)

        pipe.wait(lambda frames: across(frames) > WIDTH / 2, 30, "the ball had crossed the picture")
        seen = places(pipe.frames)
        self.assertNotIn(None, seen, "a picture without the ball")
        steps = [abs(a[0] - b[0]) + abs(a[1] - b[1]) for a, b in zip(seen, seen[1:])]
        moved = sum(step > 1 for step in steps)
        self.assertGreater(moved, 0.9 * len(steps), "the ball stands still")
        self.assertLess(max(steps), 60, "the ball jumps")


if __name__ == "__main__":
    tap.main()
