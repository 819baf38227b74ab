#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""conic audio-offer and audio-answer with a peer in Go.

It is pion, and signals as conic's own programs do: candidates before the offer, which has none in it.
Shows that what it sends is recorded, and that it gets what is sent to it.
"""

import unittest
import wave

import numpy as np

from conictest import gopeer, media, netns, peers
from conictest.programs import HubTest

# Packets of 20 ms in a second.
RATE = 50


@unittest.skipIf(gopeer.MISSING, gopeer.MISSING)
class Pion(HubTest):
    limit = 60

    def write_tone(self, path, seconds):
        """Opus in IVF, which is how the Go program takes it."""
        encoder = peers.Launch(
            self,
            "encoder",
            f"audiotestsrc num-buffers={seconds * RATE} samplesperbuffer=960 freq=440 volume=0.3 !"
            " audio/x-raw,rate=48000,channels=2 ! opusenc frame-size=20 !"
            f" multifilesink location={self.path('opus-%05d')}",
        )
        self.assertEqual(encoder.wait_exit(), 0)
        packets = []
        for number in range(seconds * RATE):
            with open(self.path(f"opus-{number:05d}"), "rb") as file:
                packets.append(file.read())
        gopeer.write_ivf(path, b"Opus", packets, RATE)

    def test_answers_go(self):
        """It calls, and what it sends is recorded; when it goes without a word, the file is whole"""
        got, ivf = self.path("got.wav"), self.path("tone.ivf")
        self.write_tone(ivf, 3)
        answer = self.conic("answer", "audio-answer", "--id", "bob", "--record", got, "--json")
        answer.wait_event("registered")
        caller = gopeer.GoPeer(self, "go", self.hub.uri, "-id", "gopher", "-audio", ivf)
        caller.tell("call", to="bob")
        answer.wait_event("stats", 40, sessions=lambda found: found and found[0]["packets-in"] > 90)
        caller.stdin.close()
        caller.wait_exit()
        self.assertEqual(answer.stop(), 0)
        with wave.open(got) as file:
            self.assertGreater(file.getnframes(), 48000)
            heard = np.frombuffer(file.readframes(48000), "<i2")[::2] / 32768
        self.assertAlmostEqual(media.loudest(heard[4800:], 48000)[0], 440, delta=3)

    def test_offers_to_go(self):
        """It is called and gets the tone's packets"""
        callee = gopeer.GoPeer(self, "go", self.hub.uri, "-id", "gopher", "-keep", self.directory)
        offer = self.conic("offer", "audio-offer", "gopher", "--tone")
        callee.wait_event("packets", 40, media="audio", count=lambda count: count >= RATE)
        self.assertEqual(offer.stop(), 0)


if __name__ == "__main__":
    if not gopeer.MISSING:
        # Where there is a network to fetch its modules from.
        gopeer.build()
    netns.main()
