#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a running conicd answers to messages that it can't act on, and what becomes of ids.

Each error code that a client can cause comes over the wire, names the message that it answers, and leaves
the connection usable; what else can be wrong with a message is in test_bad_input.py. An id is free as soon as
its client is gone, however it went.
"""

import json
import os
import signal
import socket
import struct

from conictest import tap
from conictest.peers import Conicd
from rawsocket import CLOSE, Client, Closed


def sdp(sender, target, text="v=0\r\n", **extra):
    data = {"to_id": target, "session_description": {"type": "offer", "sdp": text}}
    if sender is not None:
        data["from_id"] = sender
    return {"id": "m1", "type": "sdp", "data": data, **extra}


class ErrorsTest(tap.TestCase):
    def setUp(self):
        super().setUp()
        self.hub = Conicd(self)

    def client(self, client_id=None, **kwargs):
        client = Client(self, self.hub.port, **kwargs)
        if client_id is not None:
            client.register(client_id)
        return client

    def assert_alive(self, client):
        """The connection can still send itself a message."""
        client.send(sdp(client.id, client.id, "alive"))
        got = client.receive_json()
        self.assertEqual(got["type"], "sdp", got)
        self.assertEqual(got["data"]["session_description"]["sdp"], "alive")

    def test_reply_to(self):
        """An error names the message that it answers, and the peer that it is about"""
        client = self.client("a")
        client.send(sdp("a", "nobody"))
        code, message = client.error()
        self.assertEqual((code, message["reply_to"], message["data"]["to_id"]), ("peer_not_found", "m1", "nobody"))
        client.send({"id": "m2", "type": "sing"})
        code, message = client.error()
        self.assertEqual((code, message["reply_to"]), ("unknown_type", "m2"))
        client.send({"id": "m3", "type": "candidate",
                     "data": {"from_id": "a", "to_id": "", "candidate": {"candidate": "x"}}})
        self.assertEqual(client.error()[0], "peer_not_found")
        self.assert_alive(client)

    def test_not_registered(self):
        """Nothing but a registration comes first: not_registered, and the connection stays"""
        client = self.client()
        client.send(sdp("a", "b"))
        self.assertEqual(client.error()[0], "not_registered")
        client.send({"type": "list_request", "id": "l"})
        self.assertEqual(client.error()[0], "not_registered")
        self.assertTrue(client.register("a")["data"]["success"])
        self.assert_alive(client)

    def test_registrations(self):
        """already_registered, id_taken and invalid_id; the hub makes an id for who wants none"""
        a = self.client("a")
        a.send({"id": "r2", "type": "register_request", "data": {"client_id": "b"}})
        code, message = a.error()
        self.assertEqual((code, message["reply_to"]), ("already_registered", "r2"))

        b = self.client()
        for wanted, expected in (("a", "id_taken"), ("x y", "invalid_id"), ("x" * 129, "invalid_id"),
                                 ("ä", "invalid_id"), ("../a", "invalid_id"), ("a\0", "invalid_id")):
            b.send({"id": "r3", "type": "register_request", "data": {"client_id": wanted}})
            self.assertEqual(b.error()[0], expected, wanted)
        for wanted in ("x" * 128, "A.b_c~d-0"):
            self.assertEqual(Client(self, self.hub.port).register(wanted)["data"]["client_id"], wanted)
        given = [self.client().register(x)["data"]["client_id"] for x in (None, "", None)]
        self.assertEqual(len(set(given)), 3)
        self.assertTrue(all(given))
        self.assert_alive(a)

    def test_from_mismatch(self):
        """Nobody speaks for somebody else; who leaves from_id out gets it filled in"""
        a, b = self.client("a"), self.client("b")
        a.send(sdp("b", "b"))
        self.assertEqual(a.error()[0], "from_mismatch")
        a.send(sdp(None, "b"))
        self.assertEqual(b.receive_json()["data"]["from_id"], "a")

    def test_readme_errors(self):
        """A readme client hears of errors in its own words"""
        client = self.client()
        client.register_readme("r")
        client.send({"type": "sdp", "raw": json.dumps(
            {"ID": "r", "TargetID": "nobody", "SessionDescription": {"type": "offer", "sdp": ""}})})
        message = client.receive_json()
        self.assertEqual(message["type"], "error")
        raw = json.loads(message["raw"])
        self.assertEqual((raw["Code"], raw["TargetID"]), ("peer_not_found", "nobody"))
        self.assertTrue(raw["Message"])

    def test_unregister(self):
        """unregister_request is answered, and the id is free"""
        a = self.client("a")
        a.send({"id": "u", "type": "unregister_request", "data": {"client_id": "a"}})
        answer = a.receive_json()
        self.assertEqual((answer["type"], answer["data"]["success"]), ("unregister_response", True))
        self.assertTrue(self.client().register("a")["data"]["success"])
        self.assertEqual(a.register("a")["data"]["success"], False)
        self.assertEqual(a.register("a2")["data"]["success"], True)

    def test_list_and_bye(self):
        """list_request names the clients; bye is passed on"""
        a, b = self.client("a"), self.client("b")
        a.send({"id": "l", "type": "list_request"})
        answer = a.receive_json()
        self.assertEqual((answer["type"], answer["reply_to"]), ("list_response", "l"))
        self.assertEqual(sorted(c["client_id"] for c in answer["data"]["clients"]), ["a", "b"])
        a.send({"id": "g", "type": "bye", "data": {"from_id": "a", "to_id": "b", "reason": "enough"}})
        self.assertEqual(b.receive_json()["data"], {"from_id": "a", "to_id": "b", "reason": "enough"})

    def test_resume(self):
        """The resume_token takes an id over: the old connection is closed with 4001"""
        old = self.client()
        token = old.register("a")["data"]["resume_token"]
        new = self.client()
        self.assertFalse(new.register("a", resume_token=token + "x")["data"]["success"])
        self.assertTrue(new.register("a", resume_token=token)["data"]["success"])
        self.assertEqual(old.closed(), 4001)
        self.assert_alive(new)

    def test_id_is_free_after_close(self):
        """A client that closes has freed its id before it has its close frame back"""
        for _ in range(20):
            client = self.client("a")
            self.assertTrue(client.id == "a")
            self.assertEqual(client.close(), 1000)

    def test_id_is_free_after_reset(self):
        """A client whose connection is reset has freed its id"""
        for _ in range(20):
            client = self.client()
            self.assertTrue(client.register("a")["data"]["success"])
            watcher = self.client("w")
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.socket.close()
            # The reset is in the daemon's socket before this is: it is read first or in the same turn.
            self.wait_for_absence(watcher, "a")
            watcher.close()

    def wait_for_absence(self, watcher, client_id):
        while True:
            watcher.send({"id": "l", "type": "list_request"})
            clients = [c["client_id"] for c in watcher.receive_json()["data"]["clients"]]
            if client_id not in clients:
                return

    def test_id_is_free_after_kill(self):
        """A client that is killed with SIGKILL has freed its id"""
        read_end, write_end = os.pipe()
        pid = os.fork()
        if pid == 0:
            client = Client(self, self.hub.port)
            client.register("a")
            os.write(write_end, b"x")
            signal.pause()
        os.read(read_end, 1)
        os.close(read_end)
        os.close(write_end)
        watcher = self.client("w")
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        self.wait_for_absence(watcher, "a")
        self.assertTrue(self.client().register("a")["data"]["success"])

    def test_close_without_status(self):
        """A close frame without a status is answered with one without a status"""
        client = self.client("a")
        client.send_frame(CLOSE)
        with self.assertRaises(Closed) as caught:
            client.receive()
        self.assertEqual(caught.exception.code, 1005)

    def test_logs(self):
        """Logs hold no description, candidate or token, and no control character"""
        hub = Conicd(self, arguments=("--log-level", "debug"), name="chatty")
        client = Client(self, hub.port)
        token = client.register("a")["data"]["resume_token"]
        client.send(sdp("a", "a", "SECRET-SDP"))
        client.receive()
        client.send({"id": "c", "type": "candidate", "data": {"to_id": "a", "candidate": {"candidate": "SECRET-C"}}})
        client.receive()
        client.send({"id": "x", "type": "\x1b[31mforged\nconicd: message: SECRET-LINE"})
        client.error()
        client.send_frame(CLOSE, struct.pack("!H", 1000) + "\x1b[2J\r\nSECRET-REASON".encode())
        client.closed()
        hub.wait_line("left", 10)
        hub.stop()
        text = "\n".join(line.text for line in hub.lines)
        self.assertNotIn("SECRET", text)
        self.assertNotIn(token, text)
        self.assertNotIn("\x1b", text)


if __name__ == "__main__":
    tap.main()
