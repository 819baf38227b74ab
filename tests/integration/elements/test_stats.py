#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What an element knows of its sessions, and what it agrees on against loss.

Shows that `stats` has the codecs, the path, the rates, the pictures and the round trip of a session on
both sides, that retransmission, forward error correction and transport-wide feedback are agreed on
whoever calls and the feedback comes, and that `do-nack=false` leaves the first out.
"""

import json

from conictest import peers, tap, wire

RATE = 30
SOURCES = "videotestsrc is-live=true ! c.  audiotestsrc is-live=true ! c."
SINKS = "v.video_0 ! fakesink  v.audio_0 ! fakesink"
TWCC = "draft-holmer-rmcat-transport-wide-cc-extensions-01"


class Stats(peers.HubTest):
    limit = 90

    def setUp(self):
        super().setUp()
        self.descriptions = []
        self.hub = wire.MeddlingHub(self, self.hub.uri, self.note)

    def note(self, _client, text):
        message = json.loads(text)
        if message["type"] == "sdp":
            self.descriptions.append(message["data"]["session_description"]["sdp"])
        return text

    def call(self, camera_calls, properties=""):
        """A camera and a viewer; returns both when pictures flow."""
        whose = {"camera": "client-id=camera", "viewer": "client-id=viewer target-id=camera"}
        if camera_calls:
            whose = {"viewer": "client-id=viewer", "camera": "client-id=camera target-id=viewer"}
        made = {}
        for name, ids in whose.items():
            element = "conicsink name=c" if name == "camera" else "conicsrc name=v"
            rest = SOURCES if name == "camera" else SINKS
            made[name] = self.probe(name, f"{element} {ids} {properties}  {rest}")
        return made["camera"], made["viewer"]

    def check(self, camera_calls):
        camera, viewer = self.call(camera_calls, "fec-percentage=20")
        sent = camera.wait_stats(
            "c",
            lambda s: s["twcc-bitrate"] > 0
            and s["round-trip-time"] >= 0
            and s["frames-out"] > RATE
            and s["bitrate-out"] > 0,
        )
        self.assertEqual(sent["peer-id"], "viewer")
        self.assertEqual((sent["video-codec-out"], sent["audio-codec-out"]), ("VP8", "OPUS"))
        self.assertEqual((sent["video-codec-in"], sent["frames-in"]), ("", 0))
        self.assertIn(sent["path"], ("host", "prflx"))
        self.assertLess(sent["round-trip-time"], 1)
        self.assertEqual(sent["twcc-loss"], 0)
        came = viewer.wait_stats(
            "v", lambda s: s["frames-in"] > RATE and s["bitrate-in"] > 0 and s["jitter"] > 0
        )
        self.assertEqual((came["video-codec-in"], came["audio-codec-in"]), ("VP8", "OPUS"))
        self.assertEqual((came["video-codec-out"], came["frames-out"]), ("", 0))
        self.assertGreater(came["packets-in"], came["frames-in"])
        self.assertLess(came["jitter"], 1)

        self.assertEqual(len(self.descriptions), 2)
        for sdp in self.descriptions:
            self.assertIn(TWCC, sdp)
            self.assertRegex(sdp, r"a=rtcp-fb:\d+ transport-cc")
            video = sdp[sdp.index("m=video") :]
            for wanted in (
                r"rtpmap:\d+ rtx/",
                r"rtpmap:\d+ red/",
                r"rtpmap:\d+ ulpfec/",
                r"rtcp-fb:\d+ nack\b",
            ):
                self.assertRegex(video, wanted)

    def test_pulled(self):
        """The viewer calls: both know what passes, and how it is protected"""
        self.check(camera_calls=False)

    def test_pushed(self):
        """The camera calls: both know what passes, and how it is protected"""
        self.check(camera_calls=True)

    def test_messages(self):
        """A session that has messages only knows its path, too"""
        alice = self.probe("alice", "appsrc ! s.data_chat conicsink name=s client-id=alice")
        bob = self.probe("bob", "conicsrc name=r target-id=alice r.data_chat ! appsink name=chat")
        for probe, element in ((alice, "s"), (bob, "r")):
            known = probe.wait_stats(element, lambda s: s["path"] != "unknown")
            self.assertIn(known["path"], ("host", "prflx"))

    def test_no_nack(self):
        """do-nack=false and fec-percentage=0: neither retransmission nor repair is agreed on"""
        camera, _ = self.call(False, "do-nack=false")
        camera.wait_stats("c", lambda s: s["frames-out"] > 0)
        for sdp in self.descriptions:
            for unwanted in ("rtx/", "ulpfec/", "red/"):
                self.assertNotIn(unwanted, sdp)


if __name__ == "__main__":
    tap.main()
