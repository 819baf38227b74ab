#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who calls, and what goes over the call.

Shows each kind of pad (sound, pictures, messages) alone and all together, pushed by a conicsink
with a target and pulled by a conicsrc with one; both directions in one conicbin; media that was
encoded outside passing through as it is; and pads that say whose media they show.
"""

from conictest import media, peers, tap
from conictest.media import HEIGHT, RATE, WIDTH

# As much as shows that it isn't only the beginning that gets through.
ENOUGH_FRAMES = 45
ENOUGH_SOUND_NS = 1_500_000_000
TEXT = "".join(f"Nachricht {i}: grüße 🎈\n" for i in range(50))

SOURCES = {
    "audio": "audiotestsrc is-live=true ! {name}.audio_0",
    "video": "videotestsrc is-live=true ! {name}.video_0",
    "data": "filesrc location={text} ! {name}.data_chat",
}
SINKS = {
    "audio": "{name}.audio{src}_0 ! audioconvert ! audio/x-raw,format=S16LE ! appsink name=audio sync=false",
    "video": "{name}.video{src}_0 ! videoconvert ! video/x-raw,format=RGB ! appsink name=video sync=false",
    "data": "{name}.data{src}_chat ! appsink name=data sync=false",
}


class Roles(peers.HubTest):
    def setUp(self):
        super().setUp()
        self.text = self.path("text")
        with open(self.text, "w", encoding="utf-8") as file:
            file.write(TEXT)

    def sources(self, kinds, name="s"):
        return "  ".join(SOURCES[kind].format(name=name, text=self.text) for kind in kinds)

    def sinks(self, kinds, name="r", src=""):
        return "  ".join(SINKS[kind].format(name=name, src=src) for kind in kinds)

    def check(self, receiver, kinds):
        if "audio" in kinds:
            first = receiver.wait_event("sample", 30, sink="audio", what="sound")
            receiver.wait_event(
                "sample",
                20,
                sink="audio",
                what="1.5 s of sound",
                pts=lambda pts: pts - first["pts"] > ENOUGH_SOUND_NS,
            )
        if "video" in kinds:
            last = receiver.wait_event(
                "sample",
                30,
                sink="video",
                what="pictures",
                n=lambda n: n is not None and n >= ENOUGH_FRAMES,
            )
            self.assertEqual((last["width"], last["height"]), (WIDTH, HEIGHT))
        if "data" in kinds:

            def text():
                return "".join(e["text"] for e in receiver.of_kind("sample", sink="data"))

            receiver.wait_until(lambda: len(text()) >= len(TEXT), 30, "the whole text")
            self.assertEqual(text(), TEXT)

    def pull(self, kinds):
        self.launch("sender", f"conicsink name=s client-id=sender  {self.sources(kinds)}")
        receiver = self.probe("receiver", f"conicsrc name=r target-id=sender  {self.sinks(kinds)}")
        self.check(receiver, kinds)

    def push(self, kinds):
        receiver = self.probe(
            "receiver", f"conicsrc name=r client-id=receiver  {self.sinks(kinds)}"
        )
        self.launch("sender", f"conicsink name=s target-id=receiver  {self.sources(kinds)}")
        self.check(receiver, kinds)

    def test_pull_audio(self):
        """Pulled: sound alone"""
        self.pull(["audio"])

    def test_pull_video(self):
        """Pulled: pictures alone"""
        self.pull(["video"])

    def test_pull_data(self):
        """Pulled: messages alone"""
        self.pull(["data"])

    def test_pull_all(self):
        """Pulled: sound, pictures and messages together"""
        self.pull(["audio", "video", "data"])

    def test_push_audio(self):
        """Pushed: sound alone"""
        self.push(["audio"])

    def test_push_video(self):
        """Pushed: pictures alone"""
        self.push(["video"])

    def test_push_data(self):
        """Pushed: messages alone"""
        self.push(["data"])

    def test_push_all(self):
        """Pushed: sound, pictures and messages together"""
        self.push(["audio", "video", "data"])

    def test_both_ways(self):
        """Two conicbins: sound, pictures and messages both ways in one call"""
        kinds = ["audio", "video", "data"]
        both = f"{self.sources(kinds, 'b')}  {self.sinks(kinds, 'b', '_src')}"
        bob = self.probe("bob", f"conicbin name=b client-id=bob  {both}")
        alice = self.probe("alice", f"conicbin name=b client-id=alice target-id=bob  {both}")
        self.check(bob, kinds)
        self.check(alice, kinds)

    def test_whose(self):
        """Of two that call a conicsrc, each pad says whose it is from the moment it appears"""
        receiver = self.probe("receiver", "conicsrc client-id=r")
        for name in ("ann", "bob"):
            self.probe(name, f"videotestsrc is-live=true ! conicsink client-id={name} target-id=r")
            receiver.wait_event("pad-added", 30, peer=name)
        self.assertEqual(len({event["pad"] for event in receiver.of_kind("pad-added")}), 2)

    def pass_through(self, source, encoders, kind):
        """Sends what was encoded outside and checks that there is no encoder but the one outside."""
        sender = self.probe("sender", f"{source} ! conicsink client-id=sender")
        receiver = self.probe("receiver", f"conicsrc name=r target-id=sender  {self.sinks([kind])}")
        self.check(receiver, [kind])
        names = sender.ask("factories")["names"]
        self.assertEqual(
            [name for name in names if name.endswith("enc") and name in encoders],
            encoders[:1],
            names,
        )

    def test_encoded_vp8(self):
        """VP8 encoded outside passes through"""
        self.pass_through(
            "videotestsrc is-live=true ! vp8enc deadline=1", ["vp8enc", "vp9enc"], "video"
        )

    def test_encoded_vp9(self):
        """VP9 encoded outside passes through"""
        self.pass_through(
            "videotestsrc is-live=true ! vp9enc deadline=1 cpu-used=8",
            ["vp9enc", "vp8enc"],
            "video",
        )

    def test_encoded_h264(self):
        """H.264 encoded outside passes through"""
        self.pass_through(
            "videotestsrc is-live=true ! openh264enc ! video/x-h264,profile=constrained-baseline",
            ["openh264enc", "vp8enc"],
            "video",
        )

    def test_encoded_opus(self):
        """Opus encoded outside passes through"""
        self.pass_through("audiotestsrc is-live=true ! opusenc", ["opusenc"], "audio")

    def test_pull_colours(self):
        """The bars of VP8 encoded outside arrive in their colours"""
        self.launch(
            "sender", "videotestsrc is-live=true ! vp8enc deadline=1 ! conicsink client-id=sender"
        )
        _, pipe = self.watch("viewer", f"conicsrc target-id=sender ! {media.RGB}")
        pipe.wait_frames(ENOUGH_FRAMES + RATE, 30)
        self.assertLess(max(pipe.values()[RATE:]), media.COLOUR_TOLERANCE)


if __name__ == "__main__":
    tap.main()
