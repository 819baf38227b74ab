#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tokens: who may connect to a running conicd that has keys, and what a connection may do then.

The tokens come from PyJWT, as an application's own server would make them, or from `conicd token`; those that
no library makes, with no signature or the wrong kind of one, are put together by hand. Requests are made in
both ways that conicd answers handshakes by.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import signal
import subprocess
import time

import jwt
import websockets

from conictest import tap
from conictest.peers import CONICD, Conicd
from conictest.process import Process
from rawsocket import Client
from upgrade import WAYS, ask

SECRET = "a secret that is long enough for HS256"
OTHER = "another secret, as long as it has to be"

# How far the clocks of who makes tokens and of the hub may differ, in seconds.
LEEWAY = 30


def claims(**more):
    """What a good token says; None leaves a claim out."""
    said = {"sub": "alice", "aud": "conicd", "exp": int(time.time()) + 60, **more}
    return {name: value for name, value in said.items() if value is not None}


def token(key=SECRET, algorithm="HS256", headers=None, **more):
    return jwt.encode(claims(**more), key, algorithm=algorithm, headers=headers)


def encoded(data):
    if isinstance(data, dict):
        data = json.dumps(data).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forged(header, key, **more):
    """A token with an HMAC-SHA256 whatever its header says."""
    text = f"{encoded(header)}.{encoded(claims(**more))}"
    return f"{text}.{encoded(hmac.new(key, text.encode(), hashlib.sha256).digest())}"


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60)


class AuthTest(tap.TestCase):
    def file(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def read(self, path):
        with open(path, "rb") as file:
            return file.read()

    def pair(self, name, *kind):
        """Makes a private and a public key; returns the paths of their files."""
        private, public = self.path(f"{name}.pem"), self.path(f"{name}.pub")
        openssl("genpkey", "-algorithm", *kind, "-out", private)
        openssl("pkey", "-in", private, "-pubout", "-out", public)
        return private, public

    def hub(self, *keys, arguments=()):
        """A daemon with these keys; all that it logs is looked through for tokens at the end."""
        paths = [self.file(f"key-{i}", key + "\n") if "\n" not in key else self.file(f"key-{i}", key)
                 for i, key in enumerate(keys or [SECRET])]
        options = [word for path in paths for word in ("--auth-key", path)]
        return Conicd(self, arguments=[*options, "--log-level", "debug", *arguments])

    def client(self, hub, bearer, client_id=None, way="straight", **data):
        client = Client(self, hub.port, extra=f"Authorization: Bearer {bearer}\r\n{WAYS[way]}")
        if client_id is not None:
            self.assertTrue(client.register(client_id, **data)["data"]["success"])
        return client

    def refused(self, hub, bearer, words, status=401):
        for way, extra in WAYS.items():
            with self.subTest(words, way=way):
                answer = ask(hub.port, f"Authorization: Bearer {bearer}\r\n{extra}")
                self.assertEqual(answer.status, status, answer.text)
                self.assertIn(words, answer.text)
                challenge = answer.headers["WWW-Authenticate"]
                self.assertRegex(challenge, r'^Bearer realm="conic", error="invalid_token", error_description="[^"\\]+"$')
                self.assertIn(words, challenge)

    def assert_unlogged(self, hub, *bearers):
        text = "\n".join(line.text for line in hub.lines)
        for bearer in bearers:
            for part in [bearer, *bearer.split(".")]:
                self.assertNotIn(part, text)

    def test_ways(self):
        """A token is taken as Authorization, as ?token= and as a subprotocol; without one it is 401"""
        hub = self.hub()
        good = token()
        for way, extra in WAYS.items():
            with self.subTest(way=way):
                for kwargs in ({"extra": f"Authorization: Bearer {good}\r\n"},
                               {"extra": f"authorization: bearer  {good} \r\n"},
                               {"path": f"/ws?token={good}"}, {"path": f"/ws?a=b&token={good.replace('.', '%2e')}"},
                               {"extra": f"Sec-WebSocket-Protocol: conic, bearer.{good}\r\n"},
                               {"extra": f"Sec-WebSocket-Protocol: bearer.{good}\r\nSec-WebSocket-Protocol: conic\r\n"}):
                    answer = ask(hub.port, kwargs.pop("extra", "") + extra, **kwargs)
                    self.assertEqual(answer.status, 101, answer.text)
                    self.assertIn(answer.headers["Sec-WebSocket-Protocol"], (None, "conic"))
                for kwargs in ({}, {"extra": "Authorization: Basic YTpi\r\n"}, {"path": "/ws?Token=x"},
                               {"path": "/ws?"}, {"extra": "Sec-WebSocket-Protocol: conic\r\n"}):
                    answer = ask(hub.port, kwargs.pop("extra", "") + extra, **kwargs)
                    self.assertEqual((answer.status, answer.headers["WWW-Authenticate"]), (401, 'Bearer realm="conic"'))
                    self.assertEqual(answer.text, "A token is needed\n")
                answer = ask(hub.port, f"Authorization: Bearer {good}\r\n{extra}", path=f"/ws?token={good}")
                self.assertEqual((answer.status, answer.headers["WWW-Authenticate"]),
                                 (400, 'Bearer realm="conic", error="invalid_request"'))
        self.assert_unlogged(hub, good)

    def test_subprotocol(self):
        """A WebSocket client that names subprotocols, as a browser does, gets conic, with keys and without"""
        async def protocol(hub, *names):
            async with websockets.connect(hub.uri, subprotocols=names) as connection:
                return connection.subprotocol

        hub = self.hub()
        self.assertEqual(asyncio.run(protocol(hub, "conic", f"bearer.{token()}")), "conic")
        self.assertEqual(asyncio.run(protocol(hub, f"bearer.{token()}", "conic")), "conic")
        free = Conicd(self)
        self.assertEqual(asyncio.run(protocol(free, "conic", "bearer.whatever")), "conic")
        self.assertEqual(ask(free.port, "Sec-WebSocket-Protocol: other\r\n").headers["Sec-WebSocket-Protocol"], None)

    def test_bad_tokens(self):
        """A token that isn't good is refused before the upgrade, with the reason and without a trace of it"""
        hub = self.hub()
        now = int(time.time())
        bad = {
            "has expired": token(exp=now - LEEWAY - 1), "is not valid yet": token(nbf=now + LEEWAY + 20),
            "has no exp": token(exp=None), "has no sub": token(sub=None),
            "is meant for another audience": token(aud="somebody"),
            "sub is neither": token(sub="no id"), "targets": token(targets=["a", "no id"]),
            "not signed with a key of this hub": token(OTHER), "is malformed": "nonsense",
        }
        for words, bearer in bad.items():
            self.refused(hub, bearer, words)
        self.refused(hub, token(aud=None), "is meant for another audience")
        self.refused(hub, token(algorithm="HS512"), "not signed")
        self.refused(hub, token() + "." + token(), "malformed")
        self.refused(hub, token() + ", Bearer " + token(), "malformed")
        self.assert_unlogged(hub, *(bearer for bearer in bad.values() if "." in bearer))
        self.client(hub, token(exp=now - LEEWAY + 20, nbf=now + LEEWAY - 5, aud=["x", "conicd"]), "alice")

    def test_algorithms(self):
        """The key decides on the algorithm: none, another one, and a public key as a secret are refused"""
        private, public = self.pair("rsa", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
        hub = self.hub(self.read(public).decode(), SECRET)
        rs256 = token(self.read(private), "RS256")
        for way in WAYS:
            self.client(hub, rs256, "alice", way).close()
            self.client(hub, token(), "alice", way).close()
        none = {"alg": "none", "typ": "JWT"}
        for bearer in (f"{encoded(none)}.{encoded(claims())}.", f"{encoded(none)}.{encoded(claims())}"):
            self.refused(hub, bearer, "malformed")
        for header in (none, {"alg": "None"}, {"alg": "RS256"}, {}):
            self.refused(hub, forged(header, SECRET.encode()), "not signed")
        for text in (self.read(public), self.read(public).rstrip(b"\n"), self.read(public).replace(b"\n", b"\r\n"), b""):
            for header in ({"alg": "HS256", "typ": "JWT"}, {"alg": "RS256", "typ": "JWT"}):
                self.refused(hub, forged(header, text), "not signed")
        self.refused(hub, token(self.read(private), "RS512"), "not signed")
        self.refused(hub, token(self.read(private), "PS256"), "not signed")
        self.refused(hub, rs256[:-8] + "AAAAAAAA", "not signed")
        self.refused(hub, token(headers={"crit": ["x"], "x": 1}), "not signed")
        self.assert_unlogged(hub, rs256)

    def test_ids(self):
        """A connection gets the ids of its token only: another is unauthorized, and the connection stays"""
        hub = self.hub()
        alice = self.client(hub, token())
        for wanted in ("bob", "alice2", "Alice"):
            alice.send({"id": "r", "type": "register_request", "data": {"client_id": wanted}})
            code, message = alice.error()
            self.assertEqual((code, message["reply_to"]), ("unauthorized", "r"))
        self.assertEqual(alice.register()["data"]["client_id"], "alice")

        second = self.client(hub, token())
        second.send({"id": "r", "type": "register_request"})
        self.assertEqual(second.error()[0], "id_taken")
        third = self.client(hub, token())
        third.send({"type": "register", "raw": '{"ID":"bob"}'})
        self.assertEqual(third.error()[0], "unauthorized")

        camera = self.client(hub, token(sub="cam.*"))
        camera.send({"id": "r", "type": "register_request", "data": {"client_id": "alice"}})
        self.assertEqual(camera.error()[0], "unauthorized")
        self.assertRegex(camera.register()["data"]["client_id"], r"^cam\.[0-9a-v]{20}$")
        self.client(hub, token(sub="cam.*"), "cam.1")
        readme = self.client(hub, token(sub="*"))
        self.assertRegex(readme.register_readme()["ID"], r"^[0-9a-v]{20}$")

    def test_resume(self):
        """Nor does a resume token help to an id that the token isn't for"""
        hub = self.hub(arguments=["--resume-seconds", "30"])
        alice = self.client(hub, token())
        resume = alice.register("alice")["data"]["resume_token"]
        mallory = self.client(hub, token(sub="mallory"))
        mallory.send({"id": "r", "type": "register_request", "data": {"client_id": "alice", "resume_token": resume}})
        self.assertEqual(mallory.error()[0], "unauthorized")
        self.client(hub, token(), "alice", resume_token=resume)
        self.assertEqual(alice.closed(), 4001)

    def test_targets(self):
        """Who may not be reached is as one who isn't there, to the byte; the list has only the others"""
        hub = self.hub()
        camera = self.client(hub, token(sub="cam.1"), "cam.1")
        self.client(hub, token(sub="desk"), "desk")
        viewer = self.client(hub, token(sub="viewer", targets=["cam.*", "door"]), "viewer")

        def answer(target, kind="bye", **data):
            viewer.send({"id": "same", "type": kind, "data": {"to_id": target, **data}})
            text = viewer.receive().decode()
            message = json.loads(text)
            self.assertEqual((message["type"], message["data"]["code"]), ("error", "peer_not_found"))
            # Only what is different in every message may be different here.
            return text.replace(message["id"], "ID").replace(message["timestamp"], "TIME")

        for kind, data in {"bye": {"reason": ""}, "sdp": {"session_description": {"type": "offer", "sdp": "v=0"}},
                           "candidate": {"candidate": {"candidate": ""}},
                           "data_channel": {"label": "l", "payload": ""}}.items():
            self.assertEqual(answer("desk", kind, **data), answer("cosy", kind, **data).replace("cosy", "desk"))
        viewer.send({"id": "m", "type": "bye", "data": {"to_id": "cam.1", "reason": "x"}})
        self.assertEqual(camera.receive_json()["data"]["reason"], "x")
        viewer.send({"id": "l", "type": "list_request"})
        self.assertEqual(viewer.receive_json()["data"]["clients"], [{"client_id": "cam.1"}])
        camera.send({"id": "l", "type": "list_request"})
        self.assertEqual({entry["client_id"] for entry in camera.receive_json()["data"]["clients"]},
                         {"cam.1", "desk", "viewer"})

    def test_expiry(self):
        """A connection ends with its token, with 4003, registered or not; who has left before leaves nothing"""
        hub = self.hub()
        soon = int(time.time()) - LEEWAY + 2
        stays = self.client(hub, token(), "alice")
        for i in range(20):
            gone = self.client(hub, token(sub="*", exp=soon), f"gone{i}")
            if i % 2:
                gone.close()
            gone.socket.close()
        ending = [self.client(hub, token(sub="bob*", exp=soon), client_id, way)
                  for way in WAYS for client_id in (f"bob{len(way)}", None)]
        self.assertEqual([client.closed() for client in ending], [4003] * len(ending))
        # The ids are free, and the client that is left can hear that.
        stays.send({"id": "l", "type": "list_request"})
        self.assertEqual(stays.receive_json()["data"]["clients"], [{"client_id": "alice"}])

    def test_far_expiry(self):
        """A token that is good for longer than any clock runs is good"""
        hub = self.hub()
        self.client(hub, token(exp=9007199254740991), "alice").close()
        self.client(hub, token(exp=time.time() + 60.5), "alice").close()
        self.refused(hub, token(exp=1e300), "has no exp")

    def reload(self, hub, line):
        start = len(hub.lines)
        os.kill(hub.pid, signal.SIGHUP)
        hub.wait_line(line, start=start)

    def test_rotation(self):
        """SIGHUP takes over keys; whoever is connected stays; a key that is wrong leaves the old in force"""
        first, second = self.file("first", SECRET), self.file("second", OTHER)
        config = self.file("conicd.conf", f"[auth]\nkeys={first}\n")
        hub = Conicd(self, arguments=["--config", config])
        old, new = token(), token(OTHER, sub="bob")
        alice = self.client(hub, old, "alice")
        self.refused(hub, new, "not signed")

        self.file("conicd.conf", f"[auth]\nkeys={first};{second}\n")
        self.reload(hub, "was reloaded")
        bob = self.client(hub, new, "bob")
        self.client(hub, token(sub="carol"), "carol")

        self.file("conicd.conf", f"[auth]\nkeys={second}\naudience=elsewhere\n")
        self.reload(hub, "was reloaded")
        self.refused(hub, old, "not signed")
        self.refused(hub, new, "another audience")
        self.client(hub, token(OTHER, sub="dave", aud="elsewhere"), "dave")
        alice.send({"id": "m", "type": "bye", "data": {"to_id": "bob", "reason": ""}})
        self.assertEqual(bob.receive_json()["data"]["from_id"], "alice")

        for text in ("", "short"):
            self.file("second", text)
            self.reload(hub, f"stays as it was: {second}: ")
        self.file("conicd.conf", "[auth]\nkeys=/nonexistent/key\n")
        self.reload(hub, "stays as it was: .*/nonexistent/key")
        self.client(hub, token(OTHER, sub="erin", aud="elsewhere"), "erin")

        self.file("conicd.conf", "")
        self.reload(hub, "was reloaded")
        Client(self, hub.port).register("anybody")

    def test_bad_keys(self):
        """A key that can't be read or used is a refusal to start, which names the file and says why"""
        ed_private, ed_public = self.pair("ed25519", "ED25519")
        ec_private, ec_public = self.pair("ec", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
        rsa_private, _ = self.pair("rsa", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
        _, small = self.pair("small", "RSA", "-pkeyopt", "rsa_keygen_bits:1024")
        locked = self.path("locked")
        openssl("pkey", "-in", rsa_private, "-aes128", "-passout", "pass:x", "-out", locked)
        bad = {
            "/nonexistent/key": "No such file", self.directory: "directory", self.file("empty", "\n"): "empty",
            self.file("short", "secret"): "32 bytes", ed_public: "Ed25519.*newer libjwt", ec_public: "neither",
            rsa_private: "private key", ed_private: "private key", small: "2048 bits", locked: "no key",
        }
        for path, why in bad.items():
            for check in ([], ["--check-config"]):
                with self.subTest(path, check=check):
                    daemon = Process(self, "conicd", [CONICD, "-l", "127.0.0.1:0", "--auth-key", path, *check])
                    self.assertIn(daemon.wait_exit(), (1, 2))
                    self.assertTrue(daemon.has_line(f"{path}.*{why}"), daemon.transcript())

    def test_no_audience(self):
        """An empty audience is refused"""
        daemon = Process(self, "conicd", [CONICD, "--check-config", "--auth-audience", ""])
        self.assertEqual(daemon.wait_exit(), 2)
        self.assertTrue(daemon.has_line("“auth-audience” may not be empty"))

    def command(self, *arguments, **kwargs):
        return subprocess.run([CONICD, "token", *arguments], capture_output=True, text=True, timeout=30, check=False,
                              stdin=subprocess.DEVNULL, **kwargs)

    def test_command(self):
        """conicd token makes tokens that PyJWT and the hub take, with a secret and with an RSA key"""
        secret = self.file("secret", SECRET + "\n")
        private, public = self.pair("rsa", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
        hub = self.hub(SECRET, self.read(public).decode())
        for key, check, algorithm in ((secret, SECRET, "HS256"), (private, self.read(public), "RS256")):
            made = self.command("--key", key, "--sub", "cam.*", "--targets", "viewer,desk.*", "--expires", "100")
            self.assertEqual((made.returncode, made.stderr), (0, ""))
            bearer = made.stdout.strip()
            said = jwt.decode(bearer, check, algorithms=[algorithm], audience="conicd")
            self.assertEqual((said["sub"], said["targets"], said["exp"] - said["iat"]),
                             ("cam.*", ["viewer", "desk.*"], 100))
            self.client(hub, bearer, "cam.1").close()
        made = self.command("--key", secret, "--sub", "alice", "--audience", "café \"1\"")
        said = jwt.decode(made.stdout.strip(), SECRET, algorithms=["HS256"], audience="café \"1\"")
        self.assertNotIn("targets", said)
        self.assertAlmostEqual(said["exp"], time.time() + 3600, delta=60)
        self.refused(hub, made.stdout.strip(), "another audience")

    def test_command_errors(self):
        """conicd token says what is wrong: 2 for its options, 1 for its key"""
        secret = self.file("secret", SECRET)
        _, public = self.pair("ed25519", "ED25519")
        for arguments, status, why in (
            ([], 2, "--key is needed"), (["--key", secret], 2, "--sub is needed"),
            (["--key", secret, "--sub", "a b"], 2, "sub is neither"), (["--key", secret, "--sub", ""], 2, "sub"),
            (["--key", secret, "--sub", "a", "--targets", "b,,c"], 2, "targets"),
            (["--key", secret, "--sub", "a", "--expires", "0"], 2, "--expires"),
            (["--key", secret, "--sub", "a", "--expires", "x"], 2, "expires"),
            (["--key", secret, "--sub", "a", "--audience", ""], 2, "--audience"),
            (["--key", secret, "--sub", "a", "b"], 2, "argument"), (["--kez", secret], 2, "--kez"),
            (["--key", "/nonexistent/key", "--sub", "a"], 1, "/nonexistent/key"),
            (["--key", self.file("short", "x"), "--sub", "a"], 1, "32 bytes"),
            (["--key", public, "--sub", "a"], 1, "public key"),
        ):
            with self.subTest(arguments):
                made = self.command(*arguments)
                self.assertEqual((made.returncode, made.stdout), (status, ""), made.stderr)
                self.assertIn(why, made.stderr)
        shown = self.command("--help")
        self.assertEqual((shown.returncode, shown.stderr), (0, ""))
        self.assertIn("--targets", shown.stdout)


if __name__ == "__main__":
    tap.main()
