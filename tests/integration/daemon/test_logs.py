#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a running conicd writes into its log: who comes and goes, and nothing of what they say.

Recognisable secrets go through every path, in messages that are good, bad and refused, in handshakes and in tokens,
with everything logged that there is; and what reaches the journal is read from a journal's sockets.
"""

import base64
import json
import os
import re
import struct
import subprocess

from conictest import tap
from conictest.peers import CONICD, Conicd
from conictest.process import Process
from rawsocket import BINARY, CLOSE, PING, TEXT, Client, frame

SECRET = "Wh1sper"

# The child of test_journal: systemd's sockets where journald has them, in a mount namespace of its own. Becomes conicd,
# and leaves a child behind that prints each entry as JSON as long as conicd's standard error is open.
JOURNAL = r"""
import json, os, select, socket, struct, sys

os.makedirs("/run/systemd/journal")
stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
stream.bind("/run/systemd/journal/stdout")
stream.listen()
journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
journal.bind("/run/systemd/journal/socket")
stderr = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
stderr.connect("/run/systemd/journal/stdout")
if os.fork() > 0:
    os.dup2(stderr.fileno(), 2)
    os.execv(sys.argv[1], sys.argv[1:])
stderr.close()
lines = stream.accept()[0]

def fields(data):
    while data:
        name, _, data = data.partition(b"\n")
        if b"=" in name:
            name, _, value = name.partition(b"=")
        else:
            (length,) = struct.unpack("<Q", data[:8])
            value, data = data[8:8 + length], data[9 + length:]
        yield name.decode(), value.decode()

while True:
    ready = select.select([journal, lines], [], [])[0]
    if journal in ready:
        print(json.dumps(dict(fields(journal.recv(65536)))), flush=True)
    elif not lines.recv(4096):
        break
"""


def sdp(**ids):
    return {"type": "sdp", "id": SECRET, "data": {**ids, "session_description": {"type": "offer", "sdp": f"v=0 {SECRET}"}}}


class LogTest(tap.TestCase):
    def conicd(self, *arguments, level="debug"):
        return Conicd(self, arguments=("--log-level", level, "--close-seconds", "0.2", *arguments))

    def log(self, hub):
        """All that it wrote, once it has ended."""
        hub.stop()
        return "\n".join(line.text for line in hub.lines)

    def test_clients(self):
        """At info it says who came from where and who left with which code, at message neither"""
        for level in ("info", "message"):
            hub = self.conicd(level=level)
            client = Client(self, hub.port)
            client.register("visitor")
            # Over and over, that is nobody's coming and going, and no way to fill a disk.
            for _ in range(20):
                client.send({"type": "unregister_request"})
                client.receive_json()
                client.register("visitor")
            client.close()
            stranger = Client(self, hub.port)
            stranger.send_frame(CLOSE, struct.pack("!H", 4242))
            stranger.closed()
            address = "127.0.0.1:%d" % client.socket.getsockname()[1]
            other = "127.0.0.1:%d" % stranger.socket.getsockname()[1]
            text = self.log(hub)
            for line in (f"conicd: info: Client “visitor” at {address} registered",
                         f"conicd: info: Client “visitor” at {address} left: 1000 (closed by the client)",
                         f"conicd: info: Client at {other} left: 4242 (closed by the client)"):
                self.assertEqual(text.splitlines().count(line), int(level == "info"), f"{line}\n{text}")

    def test_ipv6(self):
        """An IPv6 address is written with its brackets"""
        hub = self.conicd("--listen", "[::1]:0", level="info")
        port = int(hub.wait_line(r"ws://\[::1\]:(\d+)/ws").group(1))
        client = Client(self, port, host="::1")
        client.register("six")
        client.close()
        hub.wait_line(rf"Client “six” at \[::1\]:{client.socket.getsockname()[1]} left")

    def say_everything(self, hub):
        """Messages of every kind, good and bad, each with a secret wherever a client can put one."""
        candidate = {"candidate": f"candidate:1 1 udp 1 192.0.2.1 9 typ host ufrag {SECRET}", "sdpMid": SECRET}
        a, b, r = (Client(self, hub.port) for _ in range(3))
        a.send(sdp(to_id="b"))
        self.assertEqual(a.error()[0], "not_registered")
        token = a.register("a")["data"]["resume_token"]
        b.register("b")
        r.register_readme("r")
        for target, target_id in ((b, "b"), (r, "r")):
            for message in (sdp(to_id=target_id), {"type": "candidate", "data": {"to_id": target_id, "candidate": candidate}},
                            {"type": "data_channel", "data": {"to_id": target_id, "label": SECRET,
                                                              "payload": base64.b64encode(SECRET.encode()).decode()}},
                            {"type": "bye", "data": {"to_id": target_id, "reason": SECRET}}):
                a.send(message)
                if target is b or message["type"] != "bye":
                    self.assertNotEqual(target.receive_json()["type"], "error")
        refused = (
            ("peer_not_found", sdp(to_id="nobody")),
            ("from_mismatch", sdp(to_id="b", from_id="b")),
            ("invalid_id", sdp(to_id=f"{SECRET} {SECRET}")),
            ("unknown_type", {"type": SECRET, "data": {SECRET: SECRET}}),
            ("bad_message", SECRET),
            ("bad_message", f'{{"type":"sdp","{SECRET}":"{SECRET}'),
            ("bad_message", {"type": "sdp", "data": {"to_id": "b", "session_description": SECRET}}),
            ("already_registered", {"type": "register_request", "data": {"client_id": "x", "resume_token": SECRET}}),
        )
        for code, message in refused:
            a.send(message)
            self.assertEqual(a.error()[0], code)
        a.send_frame(BINARY, SECRET.encode())
        self.assertEqual(a.error()[0], "bad_message")
        a.send_frame(PING, SECRET.encode())
        a.receive_frame()
        c = Client(self, hub.port)
        c.send({"type": "register_request", "data": {"client_id": "a", "resume_token": SECRET}})
        self.assertEqual(c.error()[0], "id_taken")
        c.register("a", resume_token=token)
        self.assertEqual(a.closed(), 4001)
        c.send_frame(CLOSE, struct.pack("!H", 1000) + SECRET.encode())
        c.closed()
        for broken in (b"\xff" + SECRET.encode(), b"\x81\x81" + SECRET.encode()):
            d = Client(self, hub.port)
            d.send_frame(1, broken)
            self.assertIn(d.closed(), (1007, 1002))
        return token

    def test_nothing_said(self):
        """Not a word of a message, a resume token or a handshake is in the log, at any level"""
        hub = self.conicd("--stun-uri", "stun:192.0.2.1:3478")
        token = self.say_everything(hub)
        for path in (f"/ws?token={SECRET}", f"/ws?token={SECRET}&{SECRET}={SECRET}#{SECRET}"):
            Client(self, hub.port, path=path, extra=f"Authorization: Bearer {SECRET}\r\nCookie: session={SECRET}\r\n")
        for path, extra in ((f"/{SECRET}?token={SECRET}", ""), ("/ws", f"Content-Length: 5\r\nX: {SECRET}\r\n"),
                            ("/ws", f"Sec-WebSocket-Version: {SECRET}\r\n"), (f"/ws?{SECRET}", f"Upgrade: {SECRET}\r\n")):
            with self.assertRaisesRegex(AssertionError, " 4[0-9][0-9] "):
                Client(self, hub.port, path=path, extra=extra, early=SECRET[:5].encode())
        text = self.log(hub)
        self.assertIn("Client “a” at 127.0.0.1:", text)
        self.assertIn("was told “not_registered”", text)
        self.assertNotIn(SECRET, text)
        self.assertNotIn(token, text)
        self.assertNotIn(base64.b64encode(SECRET.encode()).decode(), text)
        self.assertNotIn("192.0.2.1", text)

    def test_tokens(self):
        """Neither a good nor a bad token is in the log, however it was passed; that one was refused is"""
        key = self.path("key")
        with open(key, "w", encoding="utf-8") as file:
            file.write(SECRET * 8)
        os.chmod(key, 0o600)
        made = subprocess.run([CONICD, "token", "--key", key, "--sub", "a"], capture_output=True, text=True,
                              check=False)
        self.assertEqual(made.returncode, 0, made.stderr)
        good = made.stdout.strip()
        bad = good[:-6] + SECRET[:6]
        hub = self.conicd("--auth-key", key)
        refused = 0
        for token in (good, bad, SECRET):
            for path, extra in (("/ws", f"Authorization: Bearer {token}\r\n"), (f"/ws?token={token}", ""),
                                ("/ws", f"Sec-WebSocket-Protocol: conic, bearer.{token}\r\n")):
                try:
                    client = Client(self, hub.port, path=path, extra=extra)
                    self.assertEqual(token, good)
                    self.assertTrue(client.register("a")["data"]["success"])
                    client.close()
                except AssertionError as error:
                    self.assertIn(" 401 ", str(error))
                    refused += 1
        self.assertEqual(refused, 6)
        text = self.log(hub)
        self.assertEqual(len(re.findall("Refused 127", text)), 6)
        for part in (*good.split("."), bad, SECRET):
            self.assertNotIn(part, text)

    def test_forged(self):
        """What is logged of a handshake can forge no line and turn no text around"""
        hub = self.conicd()
        with self.assertRaisesRegex(AssertionError, " 403 "):
            Client(self, hub.port, extra="Origin: https://a\u202e\u2028\x1b[31m\x85.example\r\n")
        text = self.log(hub)
        self.assertIn("Refused 127", text)
        for bad in "\u202e\u2028\x1b\x85":
            self.assertNotIn(bad, text)

    def test_flood(self):
        """A thousand bad messages make one line, and none at the default level"""
        for level, lines in (("debug", 1), ("message", 0)):
            hub = self.conicd("--messages-per-second", "0", level=level)
            client = Client(self, hub.port)
            client.register("noisy")
            for _ in range(10):
                client.send_bytes(frame(TEXT, b"{") * 100)
                for _ in range(100):
                    self.assertEqual(client.error()[0], "bad_message")
            text = self.log(hub)
            self.assertEqual(len(re.findall(r"was told", text)), lines, text)
            self.assertLess(len(text.splitlines()), 10)

    def test_journal(self):
        """In the journal a message tells its client, address and close code in fields of their own"""
        journal = Process(self, "journal", [
            "unshare", "--map-root-user", "--mount", "sh", "-c", 'mount -t tmpfs none /run && exec "$0" "$@"',
            "/usr/bin/python3", "-c", JOURNAL, CONICD, "--listen", "127.0.0.1:0", "--log-level", "info"])
        try:
            port = int(journal.wait_line(r"ws://127\.0\.0\.1:(\d+)/ws").group(1))
        except AssertionError:
            if "not permitted" in journal.transcript():
                self.skipTest("no mount namespaces may be made here")
            raise
        client = Client(self, port)
        client.register("a")
        client.close()
        journal.wait_line("CONIC_CLOSE_CODE")
        entries = [json.loads(line.text) for line in journal.lines if line.text.startswith("{")]
        remote = "127.0.0.1:%d" % client.socket.getsockname()[1]
        came, left = [entry for entry in entries if "CONIC_CLIENT_ID" in entry]
        for entry in (came, left):
            self.assertEqual((entry["CONIC_CLIENT_ID"], entry["CONIC_REMOTE"], entry["GLIB_DOMAIN"], entry["PRIORITY"]),
                             ("a", remote, "conicd", "6"))
        self.assertEqual(left["CONIC_CLOSE_CODE"], "1000")
        self.assertNotIn("CONIC_CLOSE_CODE", came)
        self.assertEqual(came["MESSAGE"], f"Client “a” at {remote} registered")


if __name__ == "__main__":
    tap.main()
