#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sound from a WAV file in one process to samples in another.

Shows that both channels of a stereo file arrive, each with its own tone and not the other's,
without gaps; and that what comes after something has held up the packets has its right time again.
"""

import os
import signal

import numpy as np

from conictest import media, peers, tap

RATE = 48000
LEFT_HZ, RIGHT_HZ = 440, 1000
# After the first second, what may be missing or silent in one piece.
GAP_SECONDS = 0.060
# The tones have a level of 0.4; a channel that stays below this for longer than a period is silent.
SILENCE = 0.05
# Tenths of a second that the player is held up for: more than the listener's latency of 0.2 s.
HELD_UP = 4


class Audio(peers.HubTest):
    def play(self, seconds):
        """A player with that much sound and more, and a listener that keeps what it hears."""
        wav, self.heard = self.path("tones.wav"), self.path("heard.raw")
        media.write_tones(wav, seconds + 30, LEFT_HZ, RIGHT_HZ)
        player = self.launch(
            "player", f"filesrc location={wav} ! wavparse ! clocksync ! conicsink client-id=player"
        )
        listener = self.probe(
            "listener",
            "conicsrc target-id=player ! audioconvert ! audioresample !"
            f" audio/x-raw,format=S16LE,rate={RATE},channels=2 ! appsink name=audio sync=false",
            dump={"audio": self.heard},
        )
        return player, listener

    def listen(self, listener, seconds):
        """The samples of that much sound, from the first on."""
        first = listener.wait_event("sample", 30, sink="audio")
        listener.wait_event(
            "sample",
            seconds + 20,
            what=f"{seconds} s of sound",
            pts=lambda pts: pts - first["pts"] >= seconds * 1e9,
        )
        return listener.of_kind("sample", sink="audio")

    def gaps(self, samples):
        """How far each buffer after the first second begins from where the one before ends (seconds)."""
        settled = [s for s in samples if s["pts"] - samples[0]["pts"] >= 1e9]
        return [(b["pts"] - a["pts"] - a["duration"]) / 1e9 for a, b in zip(settled, settled[1:])]

    def test_held_up(self):
        """A player that is held up for a moment catches up, and no timestamp tells of it"""
        player, listener = self.play(6)
        clock = peers.Probe(
            self,
            "clock",
            "audiotestsrc is-live=true samplesperbuffer=4410 ! audio/x-raw,rate=44100 ! appsink name=tick",
        )
        self.listen(listener, 2)
        for _ in range(2):
            ticks = len(clock.of_kind("sample"))
            os.kill(player.pid, signal.SIGSTOP)
            clock.wait_event("sample", n=ticks + HELD_UP)
            os.kill(player.pid, signal.SIGCONT)
            samples = self.listen(listener, len(listener.of_kind("sample")) / 50 + 1)
        gaps = self.gaps(samples)
        self.assertLessEqual(max(gaps), GAP_SECONDS, "timestamps leave a gap")
        self.assertGreaterEqual(min(gaps), -GAP_SECONDS, "timestamps go back")
        print(f"# longest gap {max(gaps) * 1000:.1f} ms")

    def test_tones(self):
        """440 Hz on the left and 1 kHz on the right arrive on their channels, without gaps"""
        duration = tap.scaled(15, 6)
        _, listener = self.play(duration)
        samples = self.listen(listener, duration)
        gaps = self.gaps(samples)
        self.assertLessEqual(max(gaps), GAP_SECONDS, "timestamps leave a gap")
        frames = sum(s["size"] for s in samples) // 4
        heard = np.fromfile(self.heard, "<i2")[: frames * 2].reshape(-1, 2) / 32768
        heard = heard[RATE:]
        self.assertGreater(len(heard), (duration - 2) * RATE, "too little sound")
        for channel, wanted in ((0, LEFT_HZ), (1, RIGHT_HZ)):
            tone = heard[:, channel]
            silence = media.longest_silence(tone, RATE, SILENCE)
            self.assertLessEqual(silence, GAP_SECONDS, f"channel {channel} is silent for a while")
            for start in range(0, len(tone) - RATE + 1, RATE):
                frequency, share = media.loudest(tone[start : start + RATE], RATE)
                self.assertAlmostEqual(
                    frequency, wanted, delta=3, msg=f"channel {channel} at {1 + start / RATE} s"
                )
                self.assertGreater(
                    share, 0.8, f"channel {channel} has more than its tone at {1 + start / RATE} s"
                )
        print(f"# {len(heard) / RATE:.1f} s of sound, longest gap {max(gaps) * 1000:.1f} ms")


if __name__ == "__main__":
    tap.main()
