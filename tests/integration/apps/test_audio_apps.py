#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""conic generate-audio, audio-offer and audio-answer, as people use them.

Shows that the sample is a WAV file with the tone that was asked for, and what can't be one is named;
that a WAV file which is sent arrives whole, is recorded in a WAV file, and that both programs end by
themselves; that the pipeline which is printed runs in gst-launch-1.0 as it stands; that Enter, q and
Ctrl-C do in a terminal what they should, also after a while in the background; and that a missing device,
element, hub or peer is said.
"""

import os
import re
import shlex
import wave

import numpy as np

from conictest import media, peers, programs, screen, tap, wire
from conictest.process import Process
from conictest.programs import Conic, HubTest

RATE = 48000
# What a sound may lose at its ends on the way: the codec's first milliseconds, and a packet.
LOST_SECONDS = 0.3
# A sine with an amplitude of 0.4.
LEVEL_DB = (-12, -9)


def samples(path):
    """The first channel of a WAV file, from -1 to 1, and its rate."""
    with wave.open(path) as file:
        data = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return data[:: file.getnchannels()] / 32768, file.getframerate()


class AppTest(HubTest):
    limit = 60

    def assert_tone(self, path, frequency, seconds):
        """The file holds that tone, for about that long."""
        heard, rate = samples(path)
        self.assertAlmostEqual(len(heard) / rate, seconds, delta=LOST_SECONDS)
        for start in range(rate // 2, len(heard) - rate, rate):
            found, share = media.loudest(heard[start : start + rate], rate)
            self.assertAlmostEqual(found, frequency, delta=3, msg=f"at {start / rate} s")
            self.assertGreater(share, 0.7, f"more than the tone at {start / rate} s")


class GenerateAudio(tap.TestCase):
    limit = 30

    def run_conic(self, *arguments, **kwargs):
        program = Conic(self, "generate", "generate-audio", *arguments, **kwargs)
        return program, program.wait_exit()

    def test_default(self):
        """By default it is five seconds of 440 Hz in stereo, at 0.3 of full scale"""
        path = self.path("sample.wav")
        _, code = self.run_conic(path)
        self.assertEqual(code, 0)
        with wave.open(path) as file:
            self.assertEqual(file.getparams()[:4], (2, 2, RATE, 5 * RATE))
        tone, _ = samples(path)
        frequency, share = media.loudest(tone, RATE)
        self.assertAlmostEqual(frequency, 440, delta=0.5)
        self.assertGreater(share, 0.999)
        self.assertAlmostEqual(np.abs(tone).max(), 0.3, delta=0.001)

    def test_options(self):
        """Seconds, frequency, rate and channels are as asked for, and told in JSON"""
        path = self.path("odd.wav")
        program, code = self.run_conic(
            path, "--seconds", "1.5", "--frequency", "1000", "--rate", "8000", "--channels", "1", "--json"
        )  # fmt: skip
        self.assertEqual(code, 0)
        with wave.open(path) as file:
            self.assertEqual(file.getparams()[:4], (1, 2, 8000, 12000))
        self.assertAlmostEqual(media.loudest(*samples(path))[0], 1000, delta=1)
        self.assertEqual(program.wait_event("written")["rate"], 8000)

    def test_wrong(self):
        """What can't be in a WAV file is named with its limits, and nothing is written"""
        path = self.path("wrong.wav")
        for arguments, words in (
            (("--seconds", "0"), "--seconds must be above 0"),
            (("--seconds", "nan"), "--seconds must be"),
            (("--seconds", "1e9"), "at most 22369"),
            (("--frequency", "-1"), "--frequency must be above 0"),
            (("--frequency", "24001"), "at most half the rate, 24000"),
            (("--rate", "10"), "--rate must be from 1000 to 384000"),
            (("--channels", "0"), "--channels must be from 1 to 8"),
            (("--channels", "two"), "invalid int value"),
        ):
            with self.subTest(arguments=arguments):
                program, code = self.run_conic(path, *arguments)
                self.assertEqual(code, 2)
                self.assertIn(words, program.printed("err"))
                self.assertFalse(os.path.exists(path))

    def test_existing(self):
        """A file that exists is replaced only by --force; a folder that doesn't is named"""
        path = self.path("there.wav")
        with open(path, "w", encoding="ascii") as file:
            file.write("precious")
        program, code = self.run_conic(path)
        self.assertEqual(code, 2)
        self.assertIn("exists already; --force", program.printed("err"))
        self.assertEqual(os.path.getsize(path), len("precious"))
        self.assertEqual(self.run_conic(path, "--force", "--seconds", "0.1")[1], 0)
        self.assertGreater(os.path.getsize(path), 1000)
        program, code = self.run_conic(self.path("no/there.wav"))
        self.assertEqual(code, 2)
        self.assertIn(f"there is no {self.path('no')}", program.printed("err"))

    def test_no_room(self):
        """Where there is no room for the file, that is said and none is left; a device stays"""
        for path, words in (
            (self.path("large.wav"), "File too large"),
            ("/dev/full", "No space left on device"),
        ):
            with self.subTest(path=path):
                program, code = self.run_conic(
                    path, "--force", within=("prlimit", "--fsize=100000")
                )
                self.assertEqual(code, 1)
                self.assertIn(f"{path} can't be written: {words}", program.printed("err"))
                self.assertEqual(os.path.exists(path), path.startswith("/dev/"))


class Calls(AppTest):
    def test_wav(self):
        """A WAV file is sent from its beginning to its end and recorded whole; both programs end with it"""
        sent, got = self.path("my sample.wav"), self.path("got.wav")
        media.write_tones(sent, 3, 440, 440)
        answer = self.conic("answer", "audio-answer", "--id", "bob", "--record", got, "--json")
        answer.wait_event("registered", id="bob")
        offer = self.conic("offer", "audio-offer", "bob", "--wav", sent, "--json")
        self.assertEqual(offer.wait_exit(30), 0)
        self.assertEqual(answer.wait_exit(), 0)
        self.assert_tone(got, 440, 3)

        total = offer.wait_event("total", direction="out")
        self.assertGreater(total["packets"], 100)
        self.assertGreater(total["bytes"], 10_000)
        for stats in filter(lambda event: event["event"] == "stats", offer.events):
            self.assertIn(int(stats["levels"].get("level", LEVEL_DB[0])), range(*LEVEL_DB))
        # Figures are refreshed once a second, and here the end comes in between.
        self.assertGreater(answer.wait_event("total", direction="in")["packets"], 80)
        stats = answer.wait_event("stats", sessions=lambda found: found and found[0]["packets-in"])
        self.assertIn(int(stats["levels"]["level"]), range(*LEVEL_DB))
        self.assertEqual(stats["sessions"][0]["audio-codec-in"], "OPUS")

    def test_printed_pipelines(self):
        """The pipelines that --print shows run in gst-launch-1.0 as they are, and a file is whole after Ctrl-C"""
        got = self.path("it's got.wav")
        answer = self.conic("print", "audio-answer", "--id", "bob", "--record", got, "--print")
        self.assertEqual(answer.wait_exit(), 0)
        offer = self.conic("print", "audio-offer", "bob", "--tone", "--print")
        self.assertEqual(offer.wait_exit(), 0)
        launched = []
        for command in (answer.printed(), offer.printed()):
            self.assertTrue(command.startswith("gst-launch-1.0 "), command)
            # -m has it say something now and then, which is when the size of the file is looked at.
            shell = ["bash", "-c", f"exec {command} -m"]
            launched.append(
                Process(self, "launch", shell, env=peers.gst_environment(), stop_signal=2)
            )
        receiver, sender = launched
        receiver.wait_until(
            lambda: os.path.exists(got) and os.path.getsize(got) > 2 * 4 * RATE, 30, "2 s of sound"
        )
        self.assertEqual(receiver.stop(), 0)
        sender.stop()
        heard, rate = samples(got)
        self.assertGreater(len(heard), 2 * rate)
        self.assertAlmostEqual(media.loudest(heard[rate:], rate)[0], 440, delta=3)

    def test_print_needs_nothing(self):
        """--print needs no hub, device or file, and never shows the token"""
        for arguments in (
            ("audio-offer", "bob"),
            ("audio-offer", "bob", "--wav", self.path("none yet.wav")),
            ("audio-answer",),
            ("video-offer", "bob"),
            ("video-answer", "--record", self.path("none yet.webm")),
            ("call",),
        ):
            program = self.conic(
                "print", *arguments, "--print", "--token", "secret", hub="wss://h/ws"
            )
            self.assertEqual(program.wait_exit(), 0, arguments)
            self.assertIn('token="$CONIC_TOKEN"', program.printed())
            self.assertNotIn("secret", program.printed())
            words = shlex.split(program.printed())
            self.assertIn("uri=wss://h/ws", words)
            self.assertEqual(program.printed("err"), "")

    def screen(self, name, *arguments):
        """A `conic` in a terminal."""
        env = programs.environment(self.hub.uri)
        return screen.Screen(self, name, [programs.CONIC, *arguments], env)

    def test_terminal(self):
        """In a terminal figures stand in one line, Enter shows details, q ends, and all is put back"""
        offer = self.screen("offer", "audio-offer", "bob", "--tone")
        offer.wait_line("Enter shows details, q ends.")
        offer.wait_line("“bob” is not on the hub yet.*")
        answer = self.screen("answer", "audio-answer", "--id", "bob", "--discard")
        figures = r"(sent|received) \d+ packets, .*kB, .*bit/s \| level -1\d dB \| round trip .* ms"
        for program, way in ((offer, "out"), (answer, "in")):
            program.wait_line("A call with “.*” has begun.")
            program.wait_line(figures)
            program.type("\r")
            program.wait_line(rf"  audio codec {way} +OPUS")
            program.wait(lambda p=program: re.match(figures, p.line), 10, "the figures are below")
            # One line, however often it was drawn.
            self.assertEqual(sum(bool(re.match(figures, line)) for line in program.lines), 1)
        answer.type("q")
        self.assertEqual(answer.wait_exit(), 0)
        self.assertEqual(offer.wait_exit(), 0)

    def test_job(self):
        """In the background of a shell it goes on, whatever is typed there; in front again keys do as before"""
        env = {**programs.environment(self.hub.uri), "PS1": "> "}
        shell = screen.Screen(self, "shell", ["bash", "--norc", "--noprofile", "-i"], env)
        shell.type(f"{programs.CONIC} audio-answer --id bob --discard\r")
        shell.wait_line("We are “bob” on .*")
        shell.type("\x1a")
        shell.wait_line(r"\[1\].*Stopped .*")
        shell.type("bg\r")
        self.conic("offer", "audio-offer", "bob", "--tone")
        shell.wait_line(".*A call with “.*” has begun.")
        shell.type("sleep 1; jobs\r")
        shell.wait_line(r"\[1\].*Running .*")
        shell.type("fg\r")
        shell.wait(lambda: shell.line.startswith("received"), 10, "figures")
        # Until the terminal has its keys again it shows them itself.
        shell.wait(lambda: not shell.echoes, 10, "the keys")
        shell.type("q")
        shell.wait_line("The end: stopped.")
        shell.type("exit\r")
        self.assertEqual(shell.wait_exit(), 0)

    def test_asks(self):
        """Without a target, in a terminal, it tells who is there and asks whom to call"""
        answer = self.conic("answer", "audio-answer", "--id", "bob", "--discard")
        answer.wait_line("“bob”")
        offer = self.screen("offer", "audio-offer", "--tone", "--seconds", "1")
        offer.wait_line("On the hub: bob")
        offer.wait_input("Whom to call?")
        offer.type("bob\r")
        self.assertEqual(offer.wait_exit(), 0)
        self.assertEqual(answer.wait_exit(), 0)

    def test_ctrl_c(self):
        """Ctrl-C leaves a whole file, with code 0; before anything came there is none, and it is 130"""
        got = self.path("got.wav")
        none = self.path("none.wav")
        idle = self.screen("idle", "audio-answer", "--record", none)
        idle.wait_line("We are .*, waiting to be called.")
        idle.type("\x03")
        self.assertEqual(idle.wait_exit(), 130)
        self.assertFalse(os.path.exists(none))

        answer = self.conic("answer", "audio-answer", "--id", "bob", "--record", got, "--json")
        answer.wait_event("registered")
        self.conic("offer", "audio-offer", "bob", "--tone")
        answer.wait_event("stats", sessions=lambda found: found and found[0]["packets-in"] > 50)
        self.assertEqual(answer.stop(), 0)
        heard, rate = samples(got)
        self.assertGreater(len(heard), rate // 2)

    def test_lines_as_keys(self):
        """Where there is no terminal, lines do what keys do: an empty one for details, q"""
        answer = self.conic("answer", "audio-answer", "--discard", stdin=-1)
        answer.wait_line("waiting to be called")
        answer.stdin.write(b"\n")
        answer.stdin.flush()
        answer.wait_line("No call at the moment")
        answer.stdin.write(b"q\n")
        answer.stdin.flush()
        self.assertEqual(answer.wait_exit(), 1)
        self.assertIn("nothing arrived", answer.printed("err"))

    def test_seconds_and_timeout(self):
        """--seconds ends a call that long after it began; --timeout gives up one that never does"""
        late = self.conic("late", "audio-offer", "nobody", "--tone", "--timeout", "1", "--json")
        answer = self.conic("answer", "audio-answer", "--id", "bob", "--discard", "--json")
        answer.wait_event("registered")
        offer = self.conic("offer", "audio-offer", "bob", "--tone", "--seconds", "1")
        self.assertEqual(offer.wait_exit(), 0)
        self.assertEqual(answer.wait_exit(), 0)
        self.assertEqual(late.wait_exit(), 1)
        self.assertIn("“nobody” didn't come within 1 s", late.wait_event("error")["message"])


class Troubles(AppTest):
    def test_no_device(self):
        """Without microphone or loudspeaker it says what to do instead, with code 4"""
        for arguments, words in (
            (("audio-offer", "bob"), "no microphone here (--tone"),
            (("audio-offer", "bob", "--mic"), "no microphone here (--tone"),
            (("audio-answer",), "no loudspeaker here (--record FILE.wav"),
        ):
            program = self.conic("deaf", *arguments, env={"PULSE_SERVER": "unix:/nowhere"})
            self.assertEqual(program.wait_exit(), 4, arguments)
            self.assertIn(words, program.printed("err"))

    def test_missing_elements(self):
        """Elements that aren't there are named with the package that has them, with code 4"""
        program = self.conic(
            "bare",
            "audio-offer",
            "bob",
            "--tone",
            env={
                "GST_PLUGIN_SYSTEM_PATH": self.path("none"),
                "GST_REGISTRY": self.path("registry"),
            },
        )
        self.assertEqual(program.wait_exit(), 4)
        self.assertRegex(
            program.printed("err"), r"no level \(Debian has it in gstreamer1.0-plugins-good\)"
        )
        self.assertRegex(program.printed("err"), r"no audiotestsrc \(.*gstreamer1.0-plugins-base\)")

    def test_no_hub(self):
        """Without a hub the code is 3; with --retry it waits for one, and goes on when it comes"""
        holder, port = wire.unused_port()
        nowhere = f"ws://127.0.0.1:{port}/ws"
        program = self.conic("lost", "audio-answer", "--discard", hub=nowhere)
        self.assertEqual(program.wait_exit(), 3)
        self.assertIn(f"127.0.0.1:{port}", program.printed("err"))
        patient = self.conic(
            "patient", "audio-answer", "--discard", "--retry", "--json", hub=nowhere
        )
        patient.wait_event("warning", message=lambda text: "could not reach the hub" in text)
        holder.close()
        peers.Conicd(self, port)
        patient.wait_event("registered")
        self.assertEqual(patient.stop(), 130)

    def test_wrong_arguments(self):
        """Arguments that make no sense are named, with code 2"""
        none, text = self.path("none.wav"), self.path("text.wav")
        with open(text, "w", encoding="ascii") as file:
            file.write("This is text. " * 100)
        for arguments, words in (
            (("audio-offer", "--tone"), "whom to call?"),
            (("audio-offer", "no body", "--tone"), "“no body” can't be an id"),
            (("audio-offer", "bob", "--id", "bob", "--tone"), "“bob” would call itself"),
            (("audio-offer", "bob", "--wav", none), f"{none} can't be read: No such file"),
            (("audio-offer", "bob", "--wav", text), f"{text} is not a WAV file"),
            (("audio-offer", "bob", "--wav", text, "--tone"), "not allowed with"),
            (("audio-answer", "--record", "sound.mp3"), "ends in .wav"),
            (("audio-answer", "--seconds", "0"), "“0” is not a number of seconds"),
        ):
            program = self.conic("wrong", *arguments)
            self.assertEqual(program.wait_exit(), 2, arguments)
            self.assertIn(words, program.printed("err"))

    def test_refused(self):
        """A peer that refuses is quoted, without what a terminal would obey, and called again"""
        bob = wire.BarePeer(self, self.hub.uri, "bob")
        program = self.conic("offer", "audio-offer", "bob", "--tone")
        for _ in range(2):
            offer = bob.wait("sdp")["data"]
            bob.send(
                "bye",
                to_id=offer["from_id"],
                session_id=offer["session_id"],
                reason="\x1b[31mnot now",
            )
        program.wait_line(r"^“bob” refused the call: \\x1b\[31mnot now\.$")
        self.assertNotIn("\x1b", program.printed())
        self.assertEqual(program.stop(), 130)

    def test_id_taken(self):
        """An id that somebody has is refused, with code 3"""
        self.conic("first", "audio-answer", "--id", "bob", "--discard").wait_line("“bob”")
        second = self.conic("second", "audio-answer", "--id", "bob", "--discard", "--json")
        self.assertEqual(second.wait_exit(), 3)
        self.assertEqual(second.wait_event("error")["code"], 3)


if __name__ == "__main__":
    tap.main()
