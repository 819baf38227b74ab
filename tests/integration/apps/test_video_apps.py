#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""conic video-offer and video-answer, as people use them.

Shows that colour bars which are sent arrive, are recorded in WebM and in Matroska, and are colour bars
still; that a film is sent from its beginning to its end with its sound, and both programs end with it;
that of a film which lacks something the rest is sent, and what is said then; that a file holds pictures
whose size changes; that a window shows what comes, also without sound; that the printed pipelines run;
and that a missing camera or display, and files that can't be, are said.
"""

import os
import re
import subprocess

import numpy as np

from conictest import media, peers, programs, screen, tap
from conictest.process import Process
from conictest.programs import HubTest

WIDTH, HEIGHT = 640, 480
COLOUR_TOLERANCE = 40
# Pictures of a recording that are looked at: some seconds, even on a busy machine.
ENOUGH = 10
FILM = {
    "video": f"videotestsrc num-buffers=40 ! video/x-raw,width={WIDTH},height={HEIGHT},framerate=20/1"
    " ! vp8enc deadline=1 cpu-used=8",
    "audio": "audiotestsrc num-buffers=96 samplesperbuffer=1000 ! audio/x-raw,rate=48000 ! opusenc",
}


class AppTest(HubTest):
    limit = 90

    def pictures(self, path, width=WIDTH, height=HEIGHT):
        """How far each picture of a file is from the test bars."""
        process, pipe = peers.watch_video(
            self,
            "decoder",
            f"filesrc location={path} ! decodebin ! videoconvert !"
            f" video/x-raw,format=RGB,width={width},height={height} ! fdsink sync=false fd={{fd}}",
            width * height * 3,
            lambda frame: media.smpte_error(media.rgb(frame, width, height)),
        )
        self.assertEqual(process.wait_exit(30), 0)
        return pipe.values()

    def streams(self, path):
        """The kinds of stream that a file has, as another program finds them."""
        found = subprocess.run(
            ["gst-discoverer-1.0", path], capture_output=True, text=True, check=True
        )
        return sorted(re.findall(r"^ +(audio|video) #", found.stdout, re.M))

    def film(self, name, *kinds):
        """Makes a file of two seconds."""
        maker = peers.Launch(
            self,
            "maker",
            f"webmmux name=mux ! filesink location={self.path(name)} "
            + "  ".join(f"{FILM[kind]} ! mux." for kind in kinds),
        )
        self.assertEqual(maker.wait_exit(), 0)
        return self.path(name)

    def launch(self, *arguments, env=None):
        """Runs in gst-launch-1.0 what --print shows."""
        printer = self.conic("print", *arguments, "--print")
        self.assertEqual(printer.wait_exit(), 0)
        self.assertTrue(printer.printed().startswith("gst-launch-1.0 "))
        shell = ["bash", "-c", f"exec {printer.printed()} -m"]
        env = {**peers.gst_environment(), **(env or {})}
        return Process(self, arguments[0], shell, env=env, stop_signal=2)

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
        self.assertGreater(len(heard), 1.5 * 48000)
        self.assertAlmostEqual(media.loudest(heard[-60000:-12000], 48000)[0], 440, delta=3)

    def assert_bars(self, path, **size):
        errors = self.pictures(path, **size)
        self.assertGreaterEqual(len(errors), ENOUGH)
        self.assertLess(sorted(errors)[len(errors) // 2], COLOUR_TOLERANCE, "not the test bars")


class Calls(AppTest):
    def test_pattern(self):
        """Colour bars are recorded as such; q ends the sender, and both tell what passed"""
        got = self.path("got.webm")
        answer = self.conic("answer", "video-answer", "--id", "bob", "--record", got, "--json")
        answer.wait_event("registered")
        offer = self.conic("offer", "video-offer", "bob", "--pattern", "--json", stdin=-1)
        stats = answer.wait_event(
            "stats", 40, sessions=lambda found: found and found[0]["frames-in"] > 2 * ENOUGH
        )
        self.assertEqual(stats["sessions"][0]["video-codec-in"], "VP8")
        offer.stdin.write(b"\nq\n")
        offer.stdin.flush()
        self.assertEqual(offer.wait_exit(), 0)
        self.assertEqual(offer.wait_event("details")["sessions"][0]["peer-id"], "bob")
        self.assertEqual(answer.wait_exit(), 0)
        self.assertGreater(answer.wait_event("total", direction="in")["frames"], ENOUGH)
        self.assertGreater(offer.wait_event("total", direction="out")["bytes"], 10_000)
        self.assert_bars(got)

    def test_no_room(self):
        """A recording for which there is no room is none, though that shows only when it is closed"""
        os.symlink("/dev/full", self.path("full.webm"))
        arguments = ("--id", "bob", "--record", self.path("full.webm"), "--force", "--seconds", "3")
        answer = self.conic("answer", "video-answer", *arguments)
        answer.wait_line("“bob”")
        self.conic("offer", "video-offer", "bob", "--pattern")
        self.assertEqual(answer.wait_exit(40), 1)
        self.assertRegex(answer.printed("err"), "full.webm can't be written: No space left")

    def test_film(self):
        """A film is sent from its beginning to its end, and recorded in Matroska, with its sound"""
        film, got = self.film("film.webm", "video", "audio"), self.path("got.mkv")
        answer = self.conic("answer", "video-answer", "--id", "bob", "--record", got, "--json")
        answer.wait_event("registered")
        offer = self.conic("offer", "video-offer", "bob", "--file", film, "--json")
        self.assertEqual(offer.wait_exit(40), 0)
        self.assertEqual(offer.wait_event("end")["reason"], "everything is sent")
        self.assertEqual(offer.wait_event("note")["message"], "Sending pictures and sound.")
        self.assertEqual(answer.wait_exit(), 0)
        self.assertEqual(self.streams(got), ["audio", "video"])
        self.assert_bars(got)
        self.assert_tone(got)

    def record(self, film, *arguments):
        """Sends a file to one who records it; returns what is sent, in words, and what is recorded."""
        got = self.path("got.webm")
        answer = self.conic("answer", "video-answer", "--id", "bob", "--record", got, *arguments)
        answer.wait_line("waiting to be called")
        offer = self.conic("offer", "video-offer", "bob", "--file", film, "--json")
        self.assertEqual(offer.wait_exit(40), 0)
        self.assertEqual(answer.wait_exit(), 0)
        out = offer.wait_event("total", direction="out")
        return offer.wait_event("note")["message"], out["frames"], self.streams(got)

    def test_song(self):
        """Of a file without pictures the sound is sent"""
        said, frames, came = self.record(self.film("song.webm", "audio"))
        self.assertEqual(said, "Sending sound; it has no pictures.")
        self.assertEqual((frames, came), (0, ["audio"]))

    def test_no_audio(self):
        """With --no-audio, video-answer takes pictures only, and says so to the element"""
        printer = self.conic("print", "video-answer", "--no-audio", "--record", "a.mkv", "--print")
        self.assertEqual(printer.wait_exit(), 0)
        self.assertIn(" receive=video ", printer.printed())
        self.assertNotIn("audio_0", printer.printed())

    def test_no_decoder(self):
        """Of a film that can't be decoded whole the rest is sent; what is missing is named"""
        film, song = self.film("film.webm", "video", "audio"), self.film("song.webm", "audio")
        env = {"GST_PLUGIN_FEATURE_RANK": "opusdec:NONE,avdec_opus:NONE"}
        arguments = ("--timeout", "1", "--json")
        offer = self.conic("film", "video-offer", "bob", "--file", film, *arguments, env=env)
        self.assertEqual(offer.wait_exit(), 1)
        self.assertRegex(
            offer.wait_event("note")["message"],
            "^Sending pictures, and not the rest: GStreamer has no .*Opus.* decoder.$",
        )
        self.assertNotIn("audio_0", offer.wait_event("pipeline")["pipeline"])
        offer = self.conic("song", "video-offer", "bob", "--file", song, *arguments, env=env)
        self.assertEqual(offer.wait_exit(), 4)
        self.assertEqual(
            offer.wait_event("error")["message"], f"GStreamer has no decoder for {song}"
        )

    def test_size_changes(self):
        """Pictures that become larger on the way are all in the file, in the size of the first"""
        got = self.path("got.webm")
        answer = self.conic("answer", "video-answer", "--id", "bob", "--record", got, "--json")
        answer.wait_event("registered")
        camera = peers.Probe(
            self,
            "camera",
            "videotestsrc is-live=true ! videoscale ! capsfilter name=size"
            " caps=video/x-raw,width=320,height=240,framerate=20/1"
            f" ! conicsink target-id=bob uri={self.hub.uri}",
        )
        self.wait_frames(answer, ENOUGH)
        camera.ask("caps", element="size", caps="video/x-raw,width=640,height=480,framerate=20/1")
        self.wait_frames(answer, 2 * ENOUGH)
        self.assertEqual(answer.stop(), 0)
        self.assert_bars(got, width=320, height=240)

    def wait_frames(self, answer, more):
        """Waits until that many more have come."""
        before = sum(
            session["frames-in"]
            for event in answer.events[-1:]
            if event["event"] == "stats"
            for session in event["sessions"]
        )
        answer.wait_event(
            "stats", 40, sessions=lambda found: found and found[0]["frames-in"] >= before + more
        )

    def test_printed_pipelines(self):
        """The pipelines that --print shows run in gst-launch-1.0 as they are"""
        got = self.path("got.webm")
        receiver = self.launch("video-answer", "--id", "bob", "--record", got)
        receiver.wait_line("conic-registered")
        film = self.film("film.webm", "video", "audio")
        self.launch("video-offer", "bob", "--file", film)
        self.assertEqual(receiver.wait_exit(40), 0)
        self.assertEqual(self.streams(got), ["audio", "video"])
        self.assert_bars(got)

        answer = self.conic("answer", "video-answer", "--id", "eve", "--discard", "--seconds", "1")
        sender = self.launch("video-offer", "eve", "--pattern")
        self.assertEqual(answer.wait_exit(40), 0)
        sender.stop()


class Window(AppTest):
    def setUp(self):
        super().setUp()
        # fmt: off
        server = Process(self, "Xvfb", ["Xvfb", "-displayfd", "1", "-noreset", "-nolisten", "tcp",
                                        "-screen", "0", "800x600x24"])
        # fmt: on
        self.display = {"DISPLAY": ":" + server.wait_line(r"^(\d+)$").group(1)}

    def shots(self, count):
        """What the window shows, so many times within a second."""
        path = self.path("screen.rgb")
        grab = peers.Launch(
            self,
            "screenshot",
            f"ximagesrc num-buffers={count} use-damage=false ! videoconvert !"
            f" video/x-raw,format=RGB,framerate={count}/1 ! filesink location={path}",
            env=self.display,
        )
        self.assertEqual(grab.wait_exit(), 0)
        size = 800 * 600 * 3
        with open(path, "rb") as file:
            found = list(iter(lambda: file.read(size), b""))
        return [media.rgb(shot, 800, 600)[:HEIGHT, :WIDTH] for shot in found]

    def test_window(self):
        """A window shows what comes; q in the terminal closes it"""
        env = {**programs.environment(self.hub.uri), **self.display}
        argv = [programs.CONIC, "video-answer", "--id", "bob"]
        answer = screen.Screen(self, "answer", argv, env)
        answer.wait_line("We are “bob” on .*, waiting to be called.")
        self.conic("offer", "video-offer", "bob", "--pattern")
        answer.wait_line(r"received \d+ packets, .*, \d+ frames, .*bit/s.*", 40)
        self.assertLess(media.smpte_error(self.shots(1)[0]), COLOUR_TOLERANCE)
        answer.type("q")
        self.assertEqual(answer.wait_exit(), 0)

    def test_printed_window(self):
        """Pictures in the window of the printed pipeline move, though the sound never comes"""
        viewer = self.launch("video-answer", "--id", "bob", env=self.display)
        viewer.wait_line("conic-registered")
        self.conic("offer", "video-offer", "bob", "--pattern")
        while media.smpte_error(self.shots(1)[0]) > COLOUR_TOLERANCE:
            pass
        # In a corner of the bars there is noise.
        first, *others = self.shots(10)
        self.assertTrue(any((other != first).any() for other in others), "the picture stands still")
        self.assertEqual(viewer.stop(), 0)


class Troubles(AppTest):
    def test_troubles(self):
        """What is missing, and what makes no sense, is said with its code"""
        text = self.path("text.webm")
        with open(text, "w", encoding="ascii") as file:
            file.write("This is text. " * 100)
        for arguments, code, words in (
            (("video-offer", "bob"), 4, "no camera here (--pattern"),
            (("video-answer",), 4, "no display here (--record FILE.webm"),
            (("video-answer", "--record", "film.avi"), 2, "ends in .webm or .mkv"),
            (("video-answer", "--record", text), 2, f"{text} exists already; --force"),
            (("video-answer", "--record", self.path("no/a.webm")), 2, "there is no "),
            (("video-offer", "bob", "--file", self.path("none")), 2, "none can't be read"),
            (("video-offer", "bob", "--file", text), 2, "text.webm can't be played: "),
        ):
            program = self.conic("trouble", *arguments)
            self.assertEqual(program.wait_exit(), code, arguments)
            self.assertIn(words, program.printed("err"))


if __name__ == "__main__":
    tap.main()
