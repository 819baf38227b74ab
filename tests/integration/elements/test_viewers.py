#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Several viewers of one conicsink.

Shows, with a number drawn into each frame, that a viewer that leaves and one that is killed cost
the others not a single frame, that one who comes later gets pictures too, and that the camera
encodes once however many watch.
"""

from conictest import media, peers, tap

RATE = media.RATE
# Before the first change, and after the last: so many frames everywhere.
STEADY_FRAMES = 3 * RATE
# The encoder starts coarse; the number of the first frames may be illegible.
BLURRED_FRAMES = RATE


class Viewers(peers.HubTest):
    limit = 90

    def camera(self, seconds):
        video = self.path("counter.i420")
        media.write_counter_video(video, seconds * RATE)
        return self.launch(
            "camera",
            f"filesrc location={video} ! {media.COUNTER_PARSE} ! clocksync ! conicsink client-id=camera",
        )

    def viewer(self, name):
        return self.watch(
            name,
            f"conicsrc target-id=camera client-id={name} ! {media.COUNTER_I420}",
            media.COUNTER_FRAME_BYTES,
            media.read_counter,
        )

    def check_complete(self, name, numbers):
        settled = numbers[BLURRED_FRAMES:]
        self.assertNotIn(None, settled, f"{name}: a frame whose number can't be read")
        self.assertEqual(settled, sorted(set(settled)), f"{name}: frames out of order or twice")
        self.assertEqual(media.missed(settled), [], f"{name} missed frames")

    def test_others_miss_nothing(self):
        """Three viewers, one leaves, one is killed: the others don't miss a frame"""
        camera = self.camera(tap.scaled(90, 90))
        viewers = {name: self.viewer(name) for name in ("stays", "leaves", "dies")}
        for name, (_, pipe) in viewers.items():
            pipe.wait_frames(STEADY_FRAMES, 40)

        before = len(camera.lines)
        leaving, pipe = viewers["leaves"]
        self.assertEqual(leaving.stop(), 0)
        self.check_complete("leaves", pipe.values())
        camera.wait_message("conic-session-ended", 10, before, **{"peer-id": "leaves"})
        staying = viewers["stays"][1]
        staying.wait_frames(len(staying.frames) + STEADY_FRAMES, 20)

        viewers["dies"][0].kill()
        staying.wait_frames(len(staying.frames) + STEADY_FRAMES, 20)

        late = self.viewer("late")
        late[1].wait_frames(STEADY_FRAMES, 30)
        staying.wait_frames(len(staying.frames) + RATE, 20)
        self.check_complete("stays", staying.values())
        self.check_complete("late", late[1].values())
        print(f"# {len(staying.frames)} frames, none missed")

    def test_encoded_once(self):
        """Two viewers, one encoder"""
        camera = self.probe("camera", "videotestsrc is-live=true ! conicsink client-id=camera")
        pipes = [
            peers.watch_video(
                self,
                name,
                f"conicsrc target-id=camera uri={self.hub.uri} ! videoconvert !"
                " video/x-raw,format=RGB ! fdsink fd={fd}",
                320 * 240 * 3,
                len,
            )[1]
            for name in ("one", "two")
        ]
        for pipe in pipes:
            pipe.wait_frames(RATE, 30)
        factories = camera.ask("factories")["names"]
        self.assertEqual(factories.count("vp8enc"), 1, factories)
        self.assertEqual(factories.count("webrtcbin"), 2, factories)


if __name__ == "__main__":
    tap.main()
