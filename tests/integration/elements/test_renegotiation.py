#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sessions that change while they run.

Shows that a call between two conicbins has sound and pictures of both sides in one section each, and
brings each side what the other one sends; that a pad which is added while a session runs brings its
pictures or its sound to the other side, and one that is released goes away there, whichever of the two
sides called and whatever comes back in the same section; that both sides may add something at once; that a section nobody can use harms nobody;
and that pictures go on when their size or rate changes, and sound when its rate does.
"""

import json

from conictest import media, peers, tap, wire

WIDTH, HEIGHT = 64, 48
VIDEO = f"videotestsrc is-live=true pattern={{}} ! video/x-raw,width={WIDTH},height={HEIGHT},framerate=15/1"
AUDIO = "audiotestsrc is-live=true freq={}"
# What comes is looked at small, whatever its size.
SEE = f"videoconvert ! videoscale ! video/x-raw,format=RGB,width={WIDTH},height={HEIGHT}"
HEAR = "audioconvert ! audioresample ! audio/x-raw,format=S16LE,channels=1,rate=48000"
COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
COLOUR_TOLERANCE = 40
TONE_TOLERANCE = 60


def is_colour(name):
    """A condition on a sample's colour."""
    return lambda found: found is not None and (
        media.colour_error([found], [COLOURS[name]]) < COLOUR_TOLERANCE
    )


def is_tone(wanted):
    """A condition on a sample's tone."""
    return lambda found: found is not None and abs(found - wanted) < TONE_TOLERANCE


class Renegotiation(peers.HubTest):
    def peer(self, name, properties="", media_in="", uri=None):
        """A conicbin, every source pad of which is watched."""
        peer = peers.Probe(
            self,
            name,
            f"conicbin name=b client-id={name} uri={uri or self.hub.uri} {properties} {media_in}",
            paused=True,
        )
        peer.ask("show", element="b", video=SEE, audio=HEAR)
        peer.ask("state", state="PLAYING")
        peer.wait_event("message", name="conic-registered")
        return peer

    def pair(self, anna_in="", ben_in="", uri=None):
        """Two conicbins in a call that ben made."""
        anna = self.peer("anna", "", anna_in, uri)
        ben = self.peer("ben", "target-id=anna", ben_in, uri)
        for probe in (anna, ben):
            probe.wait_event("message", 30, name="conic-session-started")
        return anna, ben

    def see(self, probe, pad, colour, start=0):
        probe.wait_event(
            "sample", 30, start, f"{colour} on {pad}", sink=pad, colour=is_colour(colour)
        )

    def hear(self, probe, pad, tone, start=0):
        probe.wait_event("sample", 30, start, f"{tone} Hz on {pad}", sink=pad, tone=is_tone(tone))

    def check_one_session(self, *probes):
        for probe in probes:
            self.assertEqual(len(probe.of_kind("message", name="conic-session-started")), 1)
            self.assertEqual(probe.of_kind("error"), [])
            # Whatever begins while it plays, the pipeline doesn't fall back.
            reached = [event["state"] for event in probe.of_kind("reached")]
            self.assertEqual(reached[reached.index("PLAYING") :], ["PLAYING"])

    def test_call(self):
        """A call: sound and pictures both ways, in one section each"""
        descriptions = []

        def look(_client_id, text):
            message = json.loads(text)
            if message.get("type") == "sdp":
                descriptions.append(message["data"]["session_description"])
            return text

        hub = wire.MeddlingHub(self, self.hub.uri, look)
        anna, ben = self.pair(
            f"{VIDEO.format('red')} ! b.video_0  {AUDIO.format(440)} ! b.audio_0",
            f"{VIDEO.format('blue')} ! b.video_0  {AUDIO.format(1000)} ! b.audio_0",
            hub.uri,
        )
        self.see(ben, "video_src_0", "red")
        self.hear(ben, "audio_src_0", 440)
        self.see(anna, "video_src_0", "blue")
        self.hear(anna, "audio_src_0", 1000)
        self.check_one_session(anna, ben)
        self.assertEqual([d["type"] for d in descriptions], ["offer", "answer"])
        for description in descriptions:
            sections = description["sdp"].split("m=")[1:]
            kinds = [section.split()[0] for section in sections]
            self.assertEqual(sorted(kinds), ["application", "audio", "video"])
            for section in sections:
                if not section.startswith("application"):
                    self.assertRegex(section, r"(?m)^a=sendrecv\r?$")

    def test_answerer_adds_and_takes(self):
        """The side that was called adds a picture and takes it away, three times"""
        anna, ben = self.pair(f"{VIDEO.format('red')} ! b.video_0")
        self.see(ben, "video_src_0", "red")
        for number, colour in enumerate(("green", "blue", "green"), 1):
            start = len(ben.events)
            anna.ask(
                "add",
                element="b",
                pad=f"video_{number}",
                pipeline=f"{VIDEO.format(colour)} ! identity",
            )
            self.see(ben, f"video_src_{number}", colour, start)
            anna.ask("take", pad=f"video_{number}")
            ben.wait_event("pad-removed", 30, start, pad=f"video_src_{number}")
        self.see(ben, "video_src_0", "red", len(ben.events))
        self.check_one_session(anna, ben)

    def test_caller_adds_and_takes(self):
        """The side that called adds sound and takes it away"""
        anna, ben = self.pair(f"{VIDEO.format('red')} ! b.video_0")
        self.see(ben, "video_src_0", "red")
        ben.ask("add", element="b", pad="audio_0", pipeline=AUDIO.format(440))
        self.hear(anna, "audio_src_0", 440)
        start = len(anna.events)
        ben.ask("take", pad="audio_0")
        anna.wait_event("pad-removed", 30, start, pad="audio_src_0")
        self.see(ben, "video_src_0", "red", len(ben.events))
        self.check_one_session(anna, ben)

    def test_one_falls_silent(self):
        """One side of a call takes its picture away: the other's pad goes, and its picture stays"""
        ben = self.peer("ben")
        ben.ask("add", element="b", pad="video_0", pipeline=f"{VIDEO.format('blue')} ! identity")
        anna = self.peer("anna", "target-id=ben", f"{VIDEO.format('red')} ! b.video_0")
        self.see(anna, "video_src_0", "blue")
        self.see(ben, "video_src_0", "red")
        ben.ask("take", pad="video_0")
        anna.wait_event("pad-removed", 30, pad="video_src_0")
        self.see(ben, "video_src_0", "red", len(ben.events))
        ben.ask("add", element="b", pad="video_1", pipeline=f"{VIDEO.format('green')} ! identity")
        self.see(anna, "video_src_1", "green")
        self.check_one_session(anna, ben)

    def test_empty_call(self):
        """A call without anything gets its pictures and messages later"""
        anna, ben = self.pair()
        anna.ask("add", element="b", pad="video_0", pipeline=f"{VIDEO.format('red')} ! identity")
        ben.ask("add", element="b", pad="video_0", pipeline=f"{VIDEO.format('blue')} ! identity")
        self.see(ben, "video_src_0", "red")
        self.see(anna, "video_src_0", "blue")

    def test_both_add(self):
        """Both sides add something at once: the session begins anew, and everything arrives"""
        anna, ben = self.pair(f"{VIDEO.format('red')} ! b.video_0")
        self.see(ben, "video_src_0", "red")
        for probe, colour in ((anna, "green"), (ben, "blue")):
            probe.tell(
                "add", element="b", pad="video_1", pipeline=f"{VIDEO.format(colour)} ! identity"
            )
            probe.tell("add", element="b", pad="audio_1", pipeline=AUDIO.format(440))
        for probe, other, colour in ((anna, ben, "blue"), (ben, anna, "green")):
            probe.wait_event("sample", 40, colour=is_colour(colour))
            probe.wait_event("sample", 40, tone=is_tone(440))
            self.assertEqual(other.of_kind("error"), [])

    def test_viewers_come_and_go(self):
        """A pad is added while one viewer leaves and another comes: who stays sees it"""
        anna, ben = self.pair(f"{VIDEO.format('red')} ! b.video_0")
        self.see(ben, "video_src_0", "red")
        leaves = self.peer("leaves", "target-id=anna")
        self.see(leaves, "video_src_0", "red")
        leaves.tell("quit")
        anna.tell("add", element="b", pad="video_1", pipeline=f"{VIDEO.format('green')} ! identity")
        comes = self.peer("comes", "target-id=anna")
        for probe in (ben, comes):
            probe.wait_event("sample", 30, colour=is_colour("green"))
            probe.wait_event("sample", 30, colour=is_colour("red"))

    def test_nothing_in_common(self):
        """Two that only send, and two that send what the other doesn't take: the sessions live, no error"""
        cameras = [
            self.probe(
                name, f"conicsink name=b client-id={name} {more}  {VIDEO.format('red')} ! b.video_0"
            )
            for name, more in (("one", ""), ("two", "target-id=one"))
        ]
        for camera in cameras:
            camera.wait_event("message", 30, name="conic-session-started")
        # A third sees the first, which has not been harmed.
        viewer = self.peer("viewer", "target-id=one")
        self.see(viewer, "video_src_0", "red")
        both = self.peer("both", "target-id=one", f"{VIDEO.format('blue')} ! b.video_0")
        self.see(both, "video_src_0", "red")
        for camera in cameras:
            self.assertEqual(camera.of_kind("error"), [])
            self.assertEqual(camera.of_kind("message", name="conic-session-failed"), [])

    def test_size_and_rate(self):
        """Pictures that become larger and fewer are seen so"""
        anna = self.peer(
            "anna",
            "",
            "videotestsrc is-live=true pattern=red !"
            " capsfilter name=f caps=video/x-raw,width=64,height=48,framerate=15/1 ! b.video_0",
        )
        viewer = self.probe("viewer", "conicsrc target-id=anna ! appsink name=video sync=false")
        viewer.wait_event("sample", 30, sink="video", width=64, height=48)
        anna.ask("caps", element="f", caps="video/x-raw,width=96,height=80,framerate=10/1")
        viewer.wait_event("sample", 30, sink="video", width=96, height=80)
        self.assertEqual(anna.of_kind("error") + viewer.of_kind("error"), [])

    def test_sound_rate(self):
        """A sound goes on when its rate changes"""
        anna, ben = self.pair(
            f"{AUDIO.format(440)} ! capsfilter name=f caps=audio/x-raw,rate=48000,channels=2 ! b.audio_0"
        )
        self.hear(ben, "audio_src_0", 440)
        anna.ask("caps", element="f", caps="audio/x-raw,rate=44100,channels=1")
        self.hear(ben, "audio_src_0", 440, len(ben.events))
        self.check_one_session(anna, ben)


if __name__ == "__main__":
    tap.main()
