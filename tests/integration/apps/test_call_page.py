#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""conic call and the hub's page in a browser.

Shows that a terminal and the page see and hear each other, whoever calls, and that either hangs up; that
what the browser's camera sends is recorded; and that it isn't even sent to a terminal with --no-video.
"""

import os
import sys

from conictest import media, netns, peers
from conictest.programs import Conic

sys.path.append(os.path.join(peers.ROOT, "tests", "integration", "web"))
import test_page  # noqa: E402  pylint: disable=wrong-import-position

STAND_INS = ("--tone", "--pattern", "--discard", "--json")
TONE_HZ = 440
# Pictures of a recording that must be there.
ENOUGH = 10
# Of sound, which are two seconds; and bit/s that it takes at most, where a camera takes many times that.
PACKETS = 100
SOUND_BITS = 250_000


class WithPage(test_page.PageTest):
    def check_both_ways(self, page, terminal):
        """The page shows the bars and sounds the tone, and the terminal gets pictures and sound."""
        self.check_bars(page)
        self.assertAlmostEqual(page.evaluate("loudest()"), TONE_HZ, delta=10)
        terminal.wait_event(
            "stats",
            30,
            sessions=lambda found: found
            and found[0]["frames-in"] > 2 * ENOUGH
            and found[0]["audio-codec-in"] == "OPUS",
        )

    def test_terminal_calls(self):
        """A terminal calls the page, which answers with its camera; that is recorded; the page hangs up"""
        hub = self.hub()
        page = self.page(hub, "#id=alice", "alice")
        self.assertEqual(page.registered(), "alice")
        got = self.path("got.webm")
        terminal = Conic(
            self, "anna", "call", "alice", "--id", "anna", *STAND_INS, "--record", got, hub=hub.uri
        )
        page.until_text("ring-title", "anna is calling")
        page.click("#ring-camera")
        self.check_both_ways(page, terminal)
        page.click("#hang-up")
        self.assertEqual(terminal.wait_exit(), 0)
        self.check_recording(got)

    def check_recording(self, path):
        """The file shows the browser's camera."""
        eyes, pipe = peers.watch_video(
            self,
            "eyes",
            f"filesrc location={path} ! matroskademux name=d  d.video_0 ! decodebin ! videoconvert !"
            " videoscale ! video/x-raw,format=RGB,width=320,height=240 ! fdsink sync=false fd={fd}",
            320 * 240 * 3,
            lambda frame: test_page.disk(media.rgb(frame, 320, 240)),
        )
        self.assertEqual(eyes.wait_exit(), 0)
        self.assertGreater(len(pipe.values()), ENOUGH)
        error, _ = pipe.values()[len(pipe.values()) // 2]
        self.assertLess(error, test_page.COLOUR_TOLERANCE, "not the browser's camera")

    def test_page_calls(self):
        """The page calls a terminal that waits; the terminal hangs up"""
        hub = self.hub()
        terminal = Conic(self, "anna", "call", "--id", "anna", *STAND_INS, hub=hub.uri)
        terminal.wait_event("registered")
        page = self.page(hub, "#id=alice", "alice")
        self.assertEqual(page.registered(), "alice")
        page.act("call", "anna")
        self.check_both_ways(page, terminal)
        self.assertEqual(terminal.stop(), 0)
        page.until_text("cover-words", "anna left.")

    def test_only_sound(self):
        """The page calls a terminal without video, hears it, is heard, and sends it no camera"""
        hub = self.hub()
        arguments = ("call", "--id", "anna", "--tone", "--no-video", "--discard", "--json")
        terminal = Conic(self, "anna", *arguments, hub=hub.uri)
        terminal.wait_event("registered")
        page = self.page(hub, "#id=alice", "alice")
        self.assertEqual(page.registered(), "alice")
        page.act("call", "anna")
        heard = terminal.wait_event(
            "stats",
            30,
            sessions=lambda found: found
            and found[0]["audio-codec-in"] == "OPUS"
            and found[0]["packets-in"] > PACKETS,
        )["sessions"][0]
        self.assertEqual((heard["frames-in"], heard["video-codec-in"]), (0, ""))
        self.assertLess(heard["bitrate-in"], SOUND_BITS)
        self.assertAlmostEqual(page.evaluate("loudest()"), TONE_HZ, delta=10)
        self.assertEqual(terminal.stop(), 0)


if __name__ == "__main__":
    netns.main()
