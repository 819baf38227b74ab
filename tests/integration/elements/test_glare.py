#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two peers that call each other at once.

Shows that they end with one session, by the offer of the id that sorts lower, however often they do it
and whoever is first; that pictures then pass both ways; and, against a peer that plays by a script,
that the higher id drops its own offer and answers, and that the lower one keeps to its own.
"""

import os
import subprocess

from conictest import peers, tap, wire
from conictest.process import Process

CYCLER = os.path.join(peers.BUILD, "tests", "integration", "elements", "cycler")
ROUNDS = tap.scaled(30, 5)
ROUND_SECONDS = 20
# Its own id, and whom it calls.
BOTH_WAYS = (
    "conicbin name=b client-id={} target-id={}  videotestsrc is-live=true !"
    " video/x-raw,width=160,height=120,framerate=15/1 ! b.video_0  b.video_src_0"
)
ENOUGH_FRAMES = 8


class Glare(peers.HubTest):
    limit = 120

    def peer(self, name, target):
        # Not waited for: both are to call at once.
        return peers.Probe(
            self,
            name,
            self.at_hub(f"{BOTH_WAYS.format(name, target)} ! appsink name=video sync=false"),
        )

    def caller(self, name, target):
        return Process(
            self,
            name,
            [
                CYCLER,
                str(ROUNDS),
                "0",
                str(int(tap.seconds(ROUND_SECONDS))),
                self.at_hub(f"{BOTH_WAYS.format(name, target)} ! fakesink name=out"),
            ],
            env=peers.gst_environment(),
            stdin=subprocess.PIPE,
        )

    def test_both_call(self):
        """Two conicbins call each other at once, again and again, and always see each other"""
        both = [self.caller("anna", "ben"), self.caller("ben", "anna")]
        for number in range(1, ROUNDS + 1):
            for process in both:
                process.wait_line(rf"^playing {number}$", ROUND_SECONDS)
            for process in both:
                process.stdin.write(b"\n")
                process.stdin.flush()
        for process in both:
            self.assertEqual(process.wait_exit(20), 0)
            # Nobody waited for an answer to an offer that had lost.
            self.assertFalse(process.has_line("failed: no answer"))

    def test_one_session(self):
        """Two conicbins that have called each other at once have one session, by the lower id's offer"""
        both = [self.peer("anna", "ben"), self.peer("ben", "anna")]
        sessions = []
        for probe in both:
            probe.wait_event("sample", 30, n=ENOUGH_FRAMES)
            started = probe.of_kind("message", name="conic-session-started")
            self.assertEqual(len(started), 1)
            sessions.append(started[0]["fields"]["session-id"])
            stats = probe.sessions("b")
            self.assertLessEqual(len(stats), 1)
        self.assertEqual(sessions[0], sessions[1])

    def scripted(self, own, other):
        """A conicbin that calls a scripted peer, which has its offer and answers with one of its own."""
        script = wire.BarePeer(self, self.hub.uri, other)
        probe = self.peer(own, other)
        offer = script.wait("sdp", 40)["data"]
        self.assertEqual(offer["session_description"]["type"], "offer")
        script.send(
            "sdp",
            to_id=own,
            session_id="the-other-one",
            session_description={"type": "offer", "sdp": offer["session_description"]["sdp"]},
        )
        return script, probe, offer

    def test_higher_gives_way(self):
        """The higher id drops its own offer and answers the one that comes"""
        script, _, _ = self.scripted("ben", "anna")
        answer = script.wait("sdp", 30)["data"]
        self.assertEqual(answer["session_description"]["type"], "answer")
        self.assertEqual(answer["session_id"], "the-other-one")

    def test_lower_keeps_to_its_own(self):
        """The lower id takes no notice of the offer that comes, and takes the answer to its own"""
        script, probe, offer = self.scripted("anna", "ben")
        sdp = offer["session_description"]["sdp"].replace("setup:actpass", "setup:active")
        script.send(
            "sdp",
            to_id="anna",
            session_id=offer["session_id"],
            session_description={"type": "answer", "sdp": sdp},
        )
        # Whatever it says next, it says about its own session: candidates, then the goodbye.
        probe.ask("state", 20, state="NULL")
        while True:
            message = script.received.get(timeout=tap.seconds(20))
            self.assertNotEqual(
                message["data"].get("session_description", {}).get("type"), "answer"
            )
            self.assertEqual(message["data"]["session_id"], offer["session_id"])
            if message["type"] == "bye":
                break


if __name__ == "__main__":
    tap.main()
