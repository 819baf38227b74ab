#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Other people's WebSocket clients with a running conicd: npm's ws, and python3-websockets.

They check what the hub sends as strictly as this project's own tests check what it takes: its handshake, its
frames, its pongs, its close frames. Each goes through the same cases, and one talks to the other.
"""

import json
import os

from conictest import tap
from conictest.peers import Conicd, Reporter

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = {
    "ws": ["/usr/bin/node", os.path.join(HERE, "client-ws.js")],
    "websockets": ["/usr/bin/python3", os.path.join(HERE, "client_websockets.py")],
}


class Library(Reporter):
    """A client of that library, registered."""

    def __init__(self, case, library, hub, client_id, **data):
        # Where Debian's packages are, for a Node that isn't Debian's.
        super().__init__(case, f"{library}-{client_id}", [*PROGRAMS[library], hub.uri],
                         env={"NODE_PATH": "/usr/share/nodejs"})
        self.client_id = client_id
        self.extensions = self.wait_event("open")["extensions"]
        self.say(json.dumps({"id": "r", "type": "register_request", "data": {"client_id": client_id, **data}}))
        self.answer = json.loads(self.wait_event("message")["text"])["data"]

    def say(self, *parts):
        """Sends a text message, in as many fragments as there are parts."""
        self.tell("send", parts=parts)

    def bye(self, target, size=200):
        """A message to somebody, of that many characters."""
        text = json.dumps({"id": "m", "type": "bye", "data": {"from_id": self.client_id, "to_id": target, "reason": ""}})
        return text.replace('"reason": ""', '"reason": "%s"' % ("☎" * (size - len(text))))

    def expect(self, text):
        """The message that this client has to get, byte for byte."""
        event = self.wait_event("message", what="a message", text=text)
        assert event["binary"] is False


class ClientsTest(tap.TestCase):
    def setUp(self):
        super().setUp()
        self.hub = Conicd(self)

    def config(self, text):
        path = self.path("conicd.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return "--config", path

    def test_compression(self):
        """Both offer permessage-deflate, and the hub doesn't take it"""
        for library in PROGRAMS:
            self.assertEqual(Library(self, library, self.hub, library).extensions, "")

    def test_exchange(self):
        """Messages of every length form from each library to each, whole and in fragments"""
        clients = [Library(self, library, self.hub, library) for library in PROGRAMS]
        for sender in clients:
            for receiver in clients:
                for size in (160, 1000, 22_000, 90_000, 150_000):
                    text = sender.bye(receiver.client_id, size)
                    sender.say(text)
                    receiver.expect(text)
                    # Cut anywhere, for a library takes strings apart between characters.
                    text = sender.bye(receiver.client_id, size + 1)
                    sender.say(*[text[i:i + size // 7] for i in range(0, len(text), size // 7)])
                    receiver.expect(text)

    def test_pings(self):
        """Pings of theirs are answered with their own payload, in order; pings of the hub's are answered by them"""
        hub = Conicd(self, arguments=self.config("[timeouts]\nping-seconds=0.2\npong-seconds=3\n"), name="asking")
        for library in PROGRAMS:
            client = Library(self, library, hub, library)
            for text in ("", "x", "☎" * 41):
                start = len(client.events)
                client.tell("ping", text=text)
                client.wait_event("pong", start=start, text=text)
            client.wait_until(lambda c=client: len(c.of_kind("ping")) >= 2, 20, "two pings of the hub's")
            text = client.bye(library)
            client.say(text)
            client.expect(text)

    def test_close_by_client(self):
        """Their close frames are answered with their own status, and their id is free"""
        for library in PROGRAMS:
            for code, reason in ((1000, ""), (1000, "☎ bye"), (3000, "x" * 123), (4999, "own")):
                client = Library(self, library, self.hub, "one")
                self.assertTrue(client.answer["success"])
                client.tell("close", code=code, reason=reason)
                self.assertEqual(client.wait_event("close")["code"], code)
            client = Library(self, library, self.hub, "one")
            client.tell("terminate")
            self.assertEqual(client.wait_event("close")["code"], 1006)

    def test_close_by_hub(self):
        """They understand why the hub closes: replaced, too big, not registered in time, shutting down"""
        for library in PROGRAMS:
            hub = Conicd(self, name=f"hub-{library}")
            first = Library(self, library, hub, "one")
            second = Library(self, library, hub, "one", resume_token=first.answer["resume_token"])
            self.assertEqual(first.wait_event("close")["code"], 4001)
            big = Library(self, library, hub, "big")
            big.say("x" * (512 * 1024 + 1))
            self.assertEqual(big.wait_event("close")["code"], 1009)
            strict = Conicd(self, arguments=self.config("[timeouts]\nregister-seconds=0.3\n"), name=f"strict-{library}")
            late = Reporter(self, f"{library}-late", [*PROGRAMS[library], strict.uri],
                            env={"NODE_PATH": "/usr/share/nodejs"})
            self.assertEqual(late.wait_event("close")["code"], 1008)
            hub.stop()
            self.assertEqual(second.wait_event("close")["code"], 1001)
            self.assertIn("shutting_down", [e["text"] for e in second.of_kind("message")][-1])

    def test_bad_text(self):
        """A text that isn't UTF-8 (1007), and a binary message (refused), as ws sends them"""
        client = Library(self, "ws", self.hub, "ws")
        client.tell("bytes", hex="ff", binary=True)
        client.wait_event("message", text=lambda text: "bad_message" in text)
        client.tell("bytes", hex="7b22ff227d", binary=False)
        self.assertEqual(client.wait_event("close")["code"], 1007)


if __name__ == "__main__":
    tap.main()
