#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Peers in Go, which behave as conic's own programs do, meet over a running conicd.

They are pion on gorilla's WebSocket, another implementation of both than any that the rest of the tests has.
The offerer's candidates come before its offer, which has none in it; ids are xids that the clients make; a
candidate for nobody is refused without harm; a client that goes away without a word frees its id.
"""

import re
import unittest

from conictest import gopeer, tap
from conictest.peers import Conicd


@unittest.skipIf(gopeer.MISSING, gopeer.MISSING)
class GoTest(tap.TestCase):
    limit = 400  # the first one builds the program

    def setUp(self):
        super().setUp()
        self.hub = Conicd(self)

    def peer(self, name, *arguments):
        return gopeer.GoPeer(self, name, self.hub.uri, *arguments)

    def talk(self, a, b):
        """Each of the two says something that the other hears."""
        for sender, receiver, text in ((a, b, "from the offerer ☎"), (b, a, "from the answerer")):
            sender.tell("send", text=text)
            receiver.wait_event("message", text=text)

    def test_call(self):
        """One calls the other: candidates before the offer, the answer, a channel, messages both ways"""
        answerer, offerer = self.peer("answerer"), self.peer("offerer")
        for peer in (answerer, offerer):
            self.assertRegex(peer.id, r"^[0-9a-v]{20}$")
        offerer.tell("call", to=answerer.id)
        answerer.wait_event("candidate", early=True)
        answerer.wait_event("sdp", type="offer", **{"from": offerer.id})
        offerer.wait_event("sdp", type="answer", **{"from": answerer.id})
        offerer.wait_event("candidate", early=False)
        for peer in (answerer, offerer):
            peer.wait_event("state", state="connected")
        offerer.wait_event("open", label="chat")
        answerer.wait_event("open", label="chat")
        self.talk(offerer, answerer)
        for peer in (answerer, offerer):
            self.assertEqual([e for e in peer.events if e["ev"] in ("error", "failed", "unknown", "unreadable")], [])

    def test_candidate_for_nobody(self):
        """A candidate without a target, as an answerer's first ones may be, is refused; the call comes about"""
        answerer, offerer = self.peer("answerer"), self.peer("offerer", "-id", "offerer")
        answerer.tell("candidate")
        self.assertEqual(answerer.wait_event("error")["code"], "peer_not_found")
        answerer.tell("candidate", to="nobody")
        self.assertEqual(answerer.wait_event("error", to="nobody")["code"], "peer_not_found")
        offerer.tell("call", to=answerer.id)
        answerer.wait_event("open")
        offerer.wait_event("open")
        self.talk(offerer, answerer)

    def test_comes_and_goes(self):
        """Who unregisters, is killed or hangs up without a close frame can come back under its id"""
        for number, leave in enumerate((lambda p: p.tell("leave"), lambda p: p.kill(), lambda p: p.stdin.close())):
            peer = self.peer(f"first-{number}", "-id", "one")
            leave(peer)
            if number == 0:
                self.assertTrue(peer.wait_event("unregister_response")["success"])
            else:
                peer.wait_exit()
            again = self.peer(f"again-{number}", "-id", "one")
            self.assertEqual(again.id, "one")
            again.stdin.close()
            self.assertEqual(again.wait_exit(), 0)

    def test_timestamps(self):
        """Go can read the hub's timestamps"""
        peer = self.peer("peer")
        stamp = peer.wait_event("register_response")["timestamp"]
        self.assertTrue(re.match(r"20\d\d-", stamp), stamp)


if __name__ == "__main__":
    tap.main()
