#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every pair of dialects through a running conicd: an offer, an answer, candidates, a channel message.

Between two clients of the same dialect the very bytes arrive that were sent, odd spacing, escapes and
unknown members included. Between dialects the content arrives exactly, in the other one's words. The
readme dialect is also spoken as conic's own code of that time did: `raw` as base64, snake_case names.
"""

import base64
import json

from conictest import tap
from conictest.peers import Conicd
from rawsocket import Client

OFFER = "v=0\r\no=- 4611 2 IN IP4 127.0.0.1\r\ns=äöü ☎ \"quoted\" \\ back\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
ANSWER = "v=0\r\no=- 4612 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=setup:active\r\n"
CANDIDATE = "candidate:1 1 UDP 2122252543 192.0.2.1 54321 typ host"
PAYLOAD = base64.b64encode(bytes(range(256))).decode()


class Envelope:
    """Speaks the envelope dialect, with spacing and a member that no hub would make."""

    def join(self, client, client_id):
        client.register(client_id)

    def write(self, kind, sender, target, body):
        data = {"from_id": sender, "to_id": target, **body}
        return json.dumps({"id": "m-1", "type": kind, "timestamp": "2025-01-01T00:00:00.123456789+09:00",
                           "x-kept": [1, {"a": None}], "data": data}, indent=1)

    def sdp(self, sender, target, kind, text):
        return self.write("sdp", sender, target, {"session_description": {"type": kind, "sdp": text}})

    def candidate(self, sender, target, text, mid, index):
        return self.write("candidate", sender, target,
                          {"candidate": {"candidate": text, "sdpMid": mid, "sdpMLineIndex": index}})

    def data(self, sender, target, label, payload):
        return self.write("data_channel", sender, target, {"label": label, "payload": payload})

    def read(self, text):
        """(kind, from, to, content) of a message."""
        message = json.loads(text)
        data = message["data"]
        if message["type"] == "sdp":
            content = (data["session_description"]["type"], data["session_description"]["sdp"])
        elif message["type"] == "candidate":
            part = data["candidate"]
            content = (part["candidate"], part.get("sdpMid"), part.get("sdpMLineIndex"))
        else:
            content = (data["label"], data["payload"])
        return message["type"], data["from_id"], data["to_id"], content


class Readme:
    """Speaks the readme dialect as the document describes it."""

    def join(self, client, client_id):
        client.register_readme(client_id)

    def write(self, kind, sender, target, body):
        raw = json.dumps({"ID": sender, "TargetID": target, **body}, indent=1)
        return json.dumps({"type": kind, "raw": raw}, indent=2)

    def sdp(self, sender, target, kind, text):
        return self.write("sdp", sender, target, {"SessionDescription": {"type": kind, "sdp": text}})

    def candidate(self, sender, target, text, mid, index):
        return self.write("candidate", sender, target, {"Candidate": text})

    def data(self, sender, target, label, payload):
        return self.write("data_channel", sender, target, {"Label": label, "Data": payload})

    def read(self, text):
        message = json.loads(text)
        assert isinstance(message["raw"], str), message
        raw = json.loads(message["raw"])
        if message["type"] == "sdp":
            content = (raw["SessionDescription"]["type"], raw["SessionDescription"]["sdp"])
        elif message["type"] == "candidate":
            content = (raw["Candidate"], raw.get("SDPMid"), raw.get("SDPMLineIndex"))
        else:
            content = (raw["Label"], raw["Data"])
        return message["type"], raw["ID"], raw["TargetID"], content


class OldReadme(Readme):
    """Speaks it as conic's own code of that time did: base64 of snake_case JSON."""

    NAMES = {"SessionDescription": "session_description", "Candidate": "candidate", "Label": "label", "Data": "data"}

    def write(self, kind, sender, target, body):
        raw = json.dumps({"id": sender, "target_id": target, **{self.NAMES[k]: v for k, v in body.items()}})
        return json.dumps({"type": kind, "raw": base64.b64encode(raw.encode()).decode()})


class DialectsTest(tap.TestCase):
    def exchange(self, here, there):
        """One side calls the other; what each says has to arrive."""
        hub = Conicd(self)
        a, b = Client(self, hub.port), Client(self, hub.port)
        here.join(a, "caller")
        there.join(b, "callee")
        same = isinstance(here, Readme) == isinstance(there, Readme)
        for sender, receiver, speaks, hears, frm, to in (
            (a, b, here, there, "caller", "callee"), (b, a, there, here, "callee", "caller")):
            offer = frm == "caller"
            kind, text = ("offer", OFFER) if offer else ("answer", ANSWER)
            said = [
                (speaks.sdp(frm, to, kind, text), ("sdp", frm, to, (kind, text))),
                (speaks.candidate(frm, to, CANDIDATE, "audio", 3), None),
                (speaks.candidate(frm, to, "", None, None), None),
                (speaks.data(frm, to, "chat ☎", PAYLOAD), ("data_channel", frm, to, ("chat ☎", PAYLOAD))),
            ]
            for message, _ in said:
                sender.send(message)
            for i, (message, expected) in enumerate(said):
                got = receiver.receive()
                if same:
                    self.assertEqual(got, message.encode(), "bytes were changed")
                    continue
                if expected is not None:
                    self.assertEqual(hears.read(got), expected)
                    continue
                # A candidate: the readme dialect has words for less.
                told = isinstance(speaks, Envelope)
                line, mid, index = [(CANDIDATE, "audio", 3), ("", None, None)][i - 1]
                if isinstance(hears, Envelope):
                    mid, index = (mid, index) if told else (None, 0)
                self.assertEqual(hears.read(got), ("candidate", frm, to, (line, mid, index)))

    def test_envelope_envelope(self):
        """Between two envelope clients the very bytes arrive"""
        self.exchange(Envelope(), Envelope())

    def test_readme_readme(self):
        """Between two readme clients the very bytes arrive"""
        self.exchange(Readme(), Readme())

    def test_envelope_readme(self):
        """An envelope client calls a readme client"""
        self.exchange(Envelope(), Readme())

    def test_readme_envelope(self):
        """A readme client calls an envelope client"""
        self.exchange(Readme(), Envelope())

    def test_old_readme_envelope(self):
        """A client of conic's first form (base64, snake_case) calls an envelope client"""
        self.exchange(OldReadme(), Envelope())

    def test_envelope_old_readme(self):
        """An envelope client calls one of conic's first form"""
        self.exchange(Envelope(), OldReadme())

    def test_old_readme_old_readme(self):
        """Between two clients of conic's first form the very bytes arrive"""
        self.exchange(OldReadme(), OldReadme())

    def test_readme_old_readme(self):
        """Between the documented form and conic's first form the very bytes arrive"""
        self.exchange(Readme(), OldReadme())


if __name__ == "__main__":
    tap.main()
