#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A hub that lies about a certificate.

A hub in between rewrites the fingerprint in what it passes to one side, as one would that wants
to sit in the middle of the call. webrtcbin itself notices nothing. Shows, in both roles and both
directions, that the side that was lied to ends the session with an error that says why, and that
neither media nor data got through, in or out; and that the same call through the same hub works
when it doesn't lie.
"""

from conictest import peers, tap, wire

MESSAGE = "the secret\n"
SOURCES = (
    "videotestsrc is-live=true ! s.video_0  audiotestsrc is-live=true ! s.audio_0"
    "  filesrc location={text} ! s.data_chat"
)
SINKS = (
    "r.video_0 ! appsink name=video sync=false  r.audio_0 ! appsink name=audio sync=false"
    "  r.data_chat ! appsink name=data sync=false"
)


class Fingerprint(peers.HubTest):
    def setUp(self):
        super().setUp()
        self.text = self.path("text")
        self.meddled = 0
        with open(self.text, "w", encoding="utf-8") as file:
            file.write(MESSAGE)

    def lying_hub(self, honest=False):
        def rewrite(_client, text):
            changed = text if honest else wire.tamper_fingerprint(text)
            self.meddled += changed != text
            return changed

        return wire.MeddlingHub(self, self.hub.uri, rewrite).uri

    def start(self, push, sender_uri, receiver_uri):
        """Starts a call and returns the two probes: sender, receiver."""
        sink = f"conicsink name=s client-id=sender {'target-id=receiver' if push else ''} uri={sender_uri}"
        src = f"conicsrc name=r client-id=receiver {'' if push else 'target-id=sender'} uri={receiver_uri}"
        sink += f"  {SOURCES.format(text=self.text)}"
        src += f"  {SINKS}"
        if push:
            receiver = peers.Probe(self, "receiver", src)
            receiver.wait_event("message", name="conic-registered")
            return peers.Probe(self, "sender", sink), receiver
        sender = peers.Probe(self, "sender", sink)
        sender.wait_event("message", name="conic-registered")
        return sender, peers.Probe(self, "receiver", src)

    def check(self, push, victim):
        lying = self.lying_hub()
        sender, receiver = self.start(
            push, *((lying, self.hub.uri) if victim == "sender" else (self.hub.uri, lying))
        )
        told, other = (sender, receiver) if victim == "sender" else (receiver, sender)
        failed = told.wait_event("message", 30, name="conic-session-failed")
        self.assertGreater(self.meddled, 0, "the hub changed nothing")
        self.assertRegex(failed["fields"]["reason"], "(?i)certificate|fingerprint")
        calls = push == (victim == "sender")
        said = told.wait_event(
            "error" if calls else "warning", 10, text=lambda t: t is not None and "ertificate" in t
        )
        self.assertIn(other.name, said["text"])
        # The honest side hears the goodbye; whatever was under way has come by then.
        other.wait_event(
            "message", 30, name=lambda name: name in ("conic-session-ended", "conic-session-failed")
        )
        for probe in (sender, receiver):
            self.assertEqual(probe.of_kind("sample"), [], f"something came out of the {probe.name}")
        self.assertEqual(told.of_kind("message", name="conic-session-started"), [])

    def test_honest(self):
        """Through a hub in between that leaves everything as it is, the call works"""
        _, receiver = self.start(False, self.hub.uri, self.lying_hub(honest=True))
        for sink in ("video", "audio", "data"):
            receiver.wait_event("sample", 30, sink=sink)

    def test_receiver_calls(self):
        """A receiver that calls is lied to: an error, and nothing comes out"""
        self.check(push=False, victim="receiver")

    def test_sender_called(self):
        """A sender that is called is lied to: nothing goes out"""
        self.check(push=False, victim="sender")

    def test_sender_calls(self):
        """A sender that calls is lied to: an error, and nothing goes out"""
        self.check(push=True, victim="sender")

    def test_receiver_called(self):
        """A receiver that is called is lied to: nothing comes out"""
        self.check(push=True, victim="receiver")


if __name__ == "__main__":
    tap.main()
