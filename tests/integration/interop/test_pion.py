#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A peer in Go and the elements.

It is pion, and signals as conic's own programs do: candidates on their way before the offer, which has
none in it. Shows that picture, sound and messages pass between it and the elements, both ways and
whoever calls: what it received it has kept in files, which are decoded and looked at here. And that one
which is killed is noticed, even if nobody had anything to say.
"""

import time
import unittest

import numpy as np

from conictest import gopeer, media, netns, peers, tap

WIDTH, HEIGHT, RATE = 320, 240, 30
TONE_HZ, AUDIO_RATE, OPUS_RATE = 440, 48000, 50
BARS = f"videotestsrc is-live=true ! video/x-raw,width={WIDTH},height={HEIGHT},framerate={RATE}/1"
TONE = f"audiotestsrc is-live=true freq={TONE_HZ} volume=0.5"
COLOUR_TOLERANCE = 40
# Pictures that are looked at, and the packets that hold them for certain.
ENOUGH, PACKETS = 45, 200
LINES = ["plain", "grüße", "🎈🎊"]
# Of a peer that needn't say anything silence counts from then on; beyond it, a beat of the session's, and
# what a busy machine needs.
SILENCE_SECONDS, SLACK_SECONDS = 14, 3


@unittest.skipIf(gopeer.MISSING, gopeer.MISSING)
class Pion(peers.HubTest):
    limit = 90

    def go(self, *arguments, name="gopher"):
        return gopeer.GoPeer(self, name, self.hub.uri, "-id", name, *arguments)

    def element(self, cls, name, element, pipeline, **kwargs):
        text = f"{element} name=c client-id={name} uri={self.hub.uri} {pipeline}"
        return cls(self, name, text, **kwargs)

    # --- from the elements to Go ---

    def check_kept(self, peer):
        """What Go has kept is the bars and the tone."""
        for kind in ("video", "audio"):
            peer.wait_event("packets", 40, media=kind, count=lambda count: count >= PACKETS)
        peer.stdin.close()
        self.assertEqual(peer.wait_exit(), 0)
        _, pipe = peers.watch_video(
            self,
            "decoder",
            f"filesrc location={self.path('video.ivf')} ! ivfparse ! vp8dec ! videoconvert !"
            " video/x-raw,format=RGB ! fdsink sync=false fd={fd}",
            WIDTH * HEIGHT * 3,
            lambda frame: media.smpte_error(media.rgb(frame, WIDTH, HEIGHT)),
        )
        pipe.wait_frames(ENOUGH, 20)
        self.assertLess(pipe.values()[ENOUGH - 1], COLOUR_TOLERANCE, "not the test bars")
        raw = self.path("heard.raw")
        decoder = peers.Launch(
            self,
            "listener",
            f"filesrc location={self.path('audio.ogg')} ! oggdemux ! opusdec ! audioconvert !"
            f" audio/x-raw,format=S16LE,rate={AUDIO_RATE},channels=1 ! filesink location={raw}",
        )
        self.assertEqual(decoder.wait_exit(), 0)
        samples = np.fromfile(raw, "<i2") / 32768
        self.assertGreater(len(samples), 2 * AUDIO_RATE)
        frequency, share = media.loudest(samples[AUDIO_RATE:], AUDIO_RATE)
        self.assertAlmostEqual(frequency, TONE_HZ, delta=3)
        self.assertGreater(share, 0.8)

    def test_watch(self):
        """A peer in Go calls a camera, and keeps what it shows"""
        camera = self.element(
            peers.Launch, "camera", "conicsink", f"{BARS} ! c.video_0 {TONE} ! c.audio_0"
        )
        camera.wait_message("conic-registered")
        peer = self.go("-keep", self.directory)
        peer.tell("call", to="camera", receive=["audio", "video"])
        self.check_kept(peer)

    def test_pushed(self):
        """A camera calls a peer in Go, which keeps what it shows and breaks off"""
        peer = self.go("-keep", self.directory)
        camera = self.element(
            peers.Launch,
            "camera",
            "conicsink target-id=gopher",
            f"{BARS} ! c.video_0 {TONE} ! c.audio_0",
        )
        self.check_kept(peer)
        self.assertIn("broke", camera.wait_message("conic-session-failed"))

    # --- from Go to the elements ---

    def movie(self):
        """The bars and the tone in files for Go: the arguments that name them."""
        count = 20 * RATE
        sources = {
            "video": (
                f"videotestsrc num-buffers={count} ! video/x-raw,width={WIDTH},height={HEIGHT},framerate={RATE}/1"
                f" ! vp8enc deadline=1 cpu-used=8 keyframe-max-dist={RATE}",
                (b"VP80", RATE),
            ),
            "audio": (
                f"audiotestsrc num-buffers={20 * OPUS_RATE} samplesperbuffer={AUDIO_RATE // OPUS_RATE}"
                f" freq={TONE_HZ} volume=0.5 ! audio/x-raw,rate={AUDIO_RATE} ! opusenc",
                (b"OPUS", OPUS_RATE),
            ),
        }
        arguments = []
        for kind, (source, how) in sources.items():
            raw, path = self.path(f"{kind}.raw"), self.path(f"sent-{kind}.ivf")
            encoder = peers.Probe(
                self,
                f"{kind}-encoder",
                f"{source} ! appsink name=out sync=false",
                dump={"out": raw},
            )
            encoder.wait_event("eos", 30)
            sizes = [event["size"] for event in encoder.of_kind("sample")]
            with open(raw, "rb") as file:
                frames = [file.read(size) for size in sizes]
                gopeer.write_ivf(path, how[0], frames, how[1], (WIDTH, HEIGHT))
            arguments += [f"-{kind}", path]
        return arguments

    def viewer(self, element):
        self.heard = self.path("heard.raw")
        return peers.watch_video(
            self,
            "viewer",
            f"{element} name=c client-id=viewer uri={self.hub.uri} c.video_0 ! videoconvert !"
            " video/x-raw,format=RGB ! fdsink fd={fd} c.audio_0 ! audioconvert ! audioresample !"
            f" audio/x-raw,format=S16LE,rate={AUDIO_RATE},channels=1 ! filesink location={self.heard}",
            WIDTH * HEIGHT * 3,
            lambda frame: media.smpte_error(media.rgb(frame, WIDTH, HEIGHT)),
        )

    def check_seen(self, viewer, pipe):
        """The viewer sees the bars and hears the tone."""
        pipe.wait_frames(2 * ENOUGH, 40)
        viewer.stop()
        self.assertLess(pipe.values()[-1], COLOUR_TOLERANCE, "not the test bars")
        samples = np.fromfile(self.heard, "<i2") / 32768
        frequency, share = media.loudest(samples[-AUDIO_RATE:], AUDIO_RATE)
        self.assertAlmostEqual(frequency, TONE_HZ, delta=3)
        self.assertGreater(share, 0.8)

    def test_show(self):
        """A peer in Go calls a viewer, which sees and hears what it sends"""
        arguments = self.movie()
        viewer, pipe = self.viewer("conicsrc")
        viewer.wait_message("conic-registered")
        self.go(*arguments).tell("call", to="viewer")
        self.check_seen(viewer, pipe)

    def test_pulled(self):
        """A viewer calls a peer in Go, and sees and hears what it sends"""
        self.go(*self.movie())
        viewer, pipe = self.viewer("conicsrc target-id=gopher")
        self.check_seen(viewer, pipe)

    # --- messages ---

    def test_chat(self):
        """A peer in Go calls a pipeline, and each hears what the other says"""
        with open(self.path("lines"), "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in LINES)
        probe = self.element(
            peers.Probe,
            "talker",
            "conicbin",
            f"data_chat::lines=true filesrc location={self.path('lines')} ! text/x-raw,format=utf8 ! c.data_chat"
            " c.data_src_chat ! appsink name=heard",
        )
        probe.wait_event("message", name="conic-registered")
        peer = self.go()
        peer.tell("call", to="talker")
        peer.wait_event("open", label="chat")
        for line in LINES:
            peer.wait_event("message", text=f"{line}\n", is_text=True)
            peer.tell("send", text=line)
        for number, line in enumerate(LINES):
            event = probe.wait_event("sample", sink="heard", n=number)
            self.assertEqual((event["text"], event["media"]), (line, "application/octet-stream"))

    def test_killed(self):
        """Peers in Go that have channels and nothing else are killed; another that is quiet, too, goes on"""
        caller, called, quiet = (self.go(name=name) for name in ("caller", "called", "quiet"))
        pad = "session-timeout=5 appsrc ! c.data_chat c.data_src_chat ! appsink name=heard"
        talkers = {
            "caller": self.element(peers.Probe, "first", "conicbin", pad),
            "called": self.element(peers.Probe, "second", "conicbin target-id=called", pad),
        }
        talkers["caller"].wait_event("message", name="conic-registered")
        for peer in (caller, quiet):
            peer.tell("call", to="first")
        for peer in (caller, called, quiet):
            peer.wait_event("open", label="chat")
        since = time.monotonic()
        for peer in (caller, called):
            peer.kill()
        for name, talker in talkers.items():
            failed = talker.wait_event("message", 40, name="conic-session-failed")
            print(f"# {name}: {failed['time'] - since:.1f} s: {failed['fields']['reason']}")
            self.assertIn("nothing was heard of it", failed["fields"]["reason"])
            self.assertLess(
                failed["time"] - since, SILENCE_SECONDS + SLACK_SECONDS * tap.PATIENCE
            )
        quiet.tell("send", text="still here")
        talkers["caller"].wait_event("sample", sink="heard", text="still here")


if __name__ == "__main__":
    if not gopeer.MISSING:
        # Where there is a network to fetch its modules from.
        gopeer.build()
    netns.main()
