#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""conic call: sound and pictures both ways.

Shows that two terminals see and hear each other, and what each records is what the other sends; that a
call may have only sound or only pictures, so that the other isn't even sent, whoever calls; that it tells
of it in a line that fits the terminal; that a recording is whole when only sound comes; that a call with an ordinary pipeline works; and what is said when devices are missing.
"""

import re
import subprocess

import numpy as np

from conictest import media, peers, tap
from conictest.programs import CONIC, HubTest, environment
from conictest.screen import Screen

WIDTH, HEIGHT = 640, 480
COLOUR_TOLERANCE = 40
ENOUGH = 10
STAND_INS = ("--tone", "--pattern", "--discard")


class Call(HubTest):
    limit = 90

    def streams(self, path):
        """The kinds of stream that a file has, as another program finds them."""
        found = subprocess.run(
            ["gst-discoverer-1.0", path], capture_output=True, text=True, check=True
        )
        return sorted(re.findall(r"^ +(audio|video) #", found.stdout, re.M))

    def assert_bars(self, path):
        _, pipe = peers.watch_video(
            self,
            "eyes",
            f"filesrc location={path} ! matroskademux name=d  d.video_0 ! decodebin ! videoconvert !"
            " video/x-raw,format=RGB ! fdsink sync=false fd={fd}",
            WIDTH * HEIGHT * 3,
            lambda frame: media.smpte_error(media.rgb(frame, WIDTH, HEIGHT)),
        )
        pipe.wait_frames(ENOUGH, 20)
        self.assertLess(pipe.values()[ENOUGH - 1], COLOUR_TOLERANCE, "not the test bars")

    def assert_tone(self, path):
        raw = self.path("heard.raw")
        ears = peers.Launch(
            self,
            "ears",
            f"filesrc location={path} ! matroskademux name=d  d.audio_0 ! decodebin ! audioconvert !"
            f" audioresample ! audio/x-raw,format=S16LE,rate=48000,channels=1 ! filesink location={raw}",
        )
        self.assertEqual(ears.wait_exit(), 0)
        heard = np.fromfile(raw, "<i2") / 32768
        self.assertGreater(len(heard), 48000)
        self.assertAlmostEqual(media.loudest(heard[-48000:], 48000)[0], 440, delta=3)

    def test_both_ways(self):
        """Each of two terminals records what the other sends; when one hangs up both end"""
        first, second = self.path("first.webm"), self.path("second.mkv")
        anna = self.conic("anna", "call", "--id", "anna", *STAND_INS, "--record", first, "--json")
        anna.wait_event("registered", id="anna")
        ben = self.conic("ben", "call", "anna", *STAND_INS, "--record", second, "--json")
        for who in (anna, ben):
            who.wait_event(
                "stats",
                40,
                sessions=lambda found: found
                and found[0]["frames-in"] > 2 * ENOUGH
                and found[0]["frames-out"] > 2 * ENOUGH
                and found[0]["audio-codec-in"] == "OPUS",
            )
        stats = ben.wait_event("stats", levels=lambda levels: len(levels) == 2)
        self.assertEqual(set(stats["levels"]), {"spoken", "heard"})
        self.assertEqual(ben.stop(20), 0)
        self.assertEqual(anna.wait_exit(), 0)
        for path in (first, second):
            self.assertEqual(self.streams(path), ["audio", "video"])
            self.assert_bars(path)
            self.assert_tone(path)

    def test_only_sound(self):
        """With --no-video the other side sends only sound, for which a recording of both doesn't wait"""
        got = self.path("got.webm")
        anna = self.conic("anna", "call", "--id", "anna", *STAND_INS, "--record", got, "--json")
        anna.wait_event("registered")
        ben = Screen(
            self,
            "ben",
            [CONIC, "call", "anna", "--tone", "--no-video", "--discard", "--seconds", "5"],
            environment(self.hub.uri),
        )
        # What fits a line of the terminal, and no half of anything.
        ben.wait_line(
            r"sent [\d.]+ kbit/s \| received \d\d?\.\d kbit/s \| spoken -\d+ dB \| heard -\d+ dB"
            r" \| round trip [\d.]+ ms",
            40,
        )
        self.assertEqual(ben.wait_exit(40), 0)
        self.assertEqual(anna.wait_exit(), 0)
        self.assertEqual(self.streams(got), ["audio"])
        self.assert_tone(got)
        self.assertEqual(anna.wait_event("total", direction="out")["frames"], 0)
        self.assertFalse(anna.has_line("warning"), anna.transcript())

    def test_only_pictures(self):
        """With --no-audio the other side sends only pictures, also when it is the one who calls"""
        anna = self.conic("anna", "call", "--id", "anna", *STAND_INS[1:], "--no-audio", "--json")
        anna.wait_event("registered")
        ben = self.conic("ben", "call", "anna", *STAND_INS, "--json")
        for who in (anna, ben):
            stats = who.wait_event(
                "stats", 40, sessions=lambda found: found and found[0]["frames-in"] > 2 * ENOUGH
            )
            self.assertEqual(stats["sessions"][0]["audio-codec-in"], "")
            self.assertEqual(stats["sessions"][0]["audio-codec-out"], "")
        self.assertEqual(ben.stop(), 0)
        self.assertEqual(anna.wait_exit(), 0)
        self.assertFalse(ben.has_line("warning"), ben.transcript())

    def test_with_a_pipeline(self):
        """A pipeline with conicbin is called, sees and is seen"""
        other = peers.Probe(
            self,
            "other",
            f"conicbin name=c client-id=anna uri={self.hub.uri} videotestsrc is-live=true ! c.video_0"
            " audiotestsrc is-live=true ! c.audio_0"
            " c.video_src_0 ! videoconvert ! appsink name=seen c.audio_src_0 ! appsink name=heard",
        )
        other.wait_event("message", name="conic-registered")
        ben = self.conic("ben", "call", "anna", *STAND_INS, "--json")
        for sink in ("seen", "heard"):
            other.wait_event("sample", 40, sink=sink, n=ENOUGH)
        ben.wait_event("stats", sessions=lambda found: found and found[0]["frames-in"] > ENOUGH)
        self.assertEqual(ben.stop(), 0)

    def test_troubles(self):
        """Missing devices are named with what stands in for them; nobody calls and is waited for at once"""
        for arguments, code, words in (
            (
                ("anna",),
                4,
                r"no microphone here \(--tone .*no loudspeaker here \(--discard .*"
                r"no camera here \(--pattern .*no display here \(--discard ",
            ),
            (("anna", "--tone", "--discard"), 4, r"^there is no camera here \(--pattern [^;]*$"),
            (("anna", "--wait", *STAND_INS), 2, "either wait, or call “anna”"),
            (("anna", "--no-audio", "--no-video"), 2, "nothing to call for"),
            (("an na", *STAND_INS), 2, "“an na” can't be an id"),
            (("anna", *STAND_INS, "--timeout", "1"), 1, "“anna” didn't come within 1 s"),
            ((*STAND_INS, "--timeout", "1"), 1, "nobody called within 1 s"),
        ):
            program = self.conic("trouble", "call", *arguments, "--json")
            self.assertEqual(program.wait_exit(), code, arguments)
            error = program.wait_event("error", code=code)
            self.assertRegex(error["message"], words)


if __name__ == "__main__":
    tap.main()
