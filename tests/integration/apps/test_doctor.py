#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""conic doctor: each thing that can be wrong is found, and said with what to do.

Shows, in a network of its own with a real hub and a real coturn, that all is well where it is; that a
hub which isn't there, isn't one, isn't trusted or wants a token is told apart; that STUN and TURN
servers which the hub names are tried, and bad ones found; that missing elements are named with their
packages; and that no password or token is shown.
"""

import os
import sys

from conictest import netns, peers, tap, wire
from conictest.coturn import PASSWORD, USER, Coturn
from conictest.programs import Conic

sys.path.insert(0, os.path.join(peers.ROOT, "tests", "integration", "daemon"))
from certificates import Certificate  # noqa: E402  pylint: disable=wrong-import-position

ADDRESS = "192.0.2.1"


class Doctor(tap.TestCase):
    limit = 60

    def setUp(self):
        super().setUp()
        netns.lone_interface(self, ADDRESS)

    def ask(self, *arguments, **kwargs):
        """Runs it; returns its exit code and what it found, by what was looked at."""
        doctor = Conic(self, "doctor", "doctor", "--json", *arguments, **kwargs)
        code = doctor.wait_exit(50)
        found = {}
        for event in doctor.events:
            if event["event"] == "check":
                found.setdefault(event["what"], []).append(event)
        self.assertEqual(
            doctor.wait_event("end")["failures"],
            sum(event["level"] == "fail" for events in found.values() for event in events),
        )
        self.assertNotIn("secret", doctor.printed() + doctor.printed("err"))
        self.assertNotIn(f":{PASSWORD}", doctor.printed() + doctor.printed("err"))
        return code, found

    def assert_found(self, found, what, level, text, advice=""):
        [event] = found[what]
        self.assertEqual(event["level"], level, event)
        self.assertIn(text, event["text"])
        self.assertIn(advice, event["advice"])

    def test_all_well(self):
        """Where all is well the code is 0, with a line for each thing in words"""
        hub = peers.Conicd(self)
        code, found = self.ask(hub=hub.uri)
        self.assertEqual(code, 0)
        self.assert_found(found, "versions", "ok", "GStreamer 1.")
        self.assert_found(found, "hub", "ok", f"{hub.uri} is healthy")
        self.assert_found(found, "registration", "ok", "accepted without a token")
        self.assert_found(found, "path host", "ok", ADDRESS)
        self.assert_found(found, "path STUN/TURN", "ok", "no STUN or TURN server is named")
        self.assertEqual(found["elements"][0]["level"], "ok")

        plain = Conic(self, "plain", "doctor", hub=hub.uri)
        self.assertEqual(plain.wait_exit(), 0)
        plain.wait_line(r"^ok    registration +accepted")
        plain.wait_line(r"^warn  camera +there is none here")
        plain.wait_line(r"^ +→ --pattern stands in for it")

    def test_servers(self):
        """STUN and TURN servers are tried: the hub's, yours, and such as aren't there"""
        coturn = Coturn(self)
        address = f"127.0.0.1:{coturn.port}"
        hub = peers.Conicd(
            self,
            arguments=[f"--stun-uri=stun:{address}", f"--turn-uri=turn:{address}?transport=udp"]
            + ["--turn-secret", self.secret()],
        )
        holder, port = wire.unused_port()
        self.addCleanup(holder.close)
        code, found = self.ask(
            *("--turn-server", f"turn://{USER}:{PASSWORD}@{address}"),
            *("--turn-server", "turn://user:secret@"),
            *("--stun-server", f"stun:127.0.0.1:{port}"),
            hub=hub.uri,
        )
        self.assertEqual(code, 1)
        outcomes = {(event["level"], event["text"].split(",")[1]) for event in found["path TURN"]}
        # coturn here knows nothing of the hub's secret.
        self.assertIn(("fail", " named by the hub"), outcomes)
        self.assertIn(("ok", " named by you"), outcomes)
        self.assertIn(("fail", " named by you"), outcomes)
        ours = [event for event in found["path TURN"] if event["level"] == "ok"]
        self.assertIn(f"turn:{address}", ours[0]["text"])
        self.assertIn("relays, from 127.0.0.1", ours[0]["text"])
        stun = {event["level"]: event["text"] for event in found["path STUN"]}
        self.assertIn("sees us at 127.0.0.1", stun["ok"])
        self.assertIn("Connection refused", stun["fail"])

    def secret(self):
        path = self.path("turn.secret")
        with open(path, "w", encoding="ascii") as file:
            file.write("0123456789abcdef0123456789abcdef\n")
        os.chmod(path, 0o600)
        return path

    def test_no_hub(self):
        """A hub that isn't there is told with code 3, and the paths are tried nevertheless"""
        holder, port = wire.unused_port()
        self.addCleanup(holder.close)
        code, found = self.ask(hub=f"ws://127.0.0.1:{port}/ws")
        self.assertEqual(code, 3)
        self.assert_found(found, "hub", "fail", f"127.0.0.1:{port}", "start conicd there")
        self.assertNotIn("registration", found)
        self.assert_found(found, "path host", "ok", ADDRESS)

    def test_tls(self):
        """A certificate that isn't trusted is told from one that is, with the day it ends"""
        certificate = Certificate(self)
        hub = peers.Conicd(self, arguments=certificate.options)
        uri = hub.uri.replace("ws://127.0.0.1", "wss://localhost")
        code, found = self.ask(hub=uri)
        self.assertEqual(code, 3)
        self.assert_found(found, "hub", "fail", uri, "--tls-ca FILE")
        code, found = self.ask("--tls-ca", certificate.certificate, hub=uri)
        self.assertEqual(code, 0)
        self.assert_found(found, "TLS", "ok", "valid until 20")

    def test_token(self):
        """A hub that wants a token is told, and so is one that takes it"""
        key = self.path("key")
        with open(key, "w", encoding="ascii") as file:
            file.write("0123456789abcdef0123456789abcdef")
        os.chmod(key, 0o600)
        hub = peers.Conicd(self, arguments=[f"--auth-key={key}"])
        code, found = self.ask(hub=hub.uri)
        self.assertEqual(code, 3)
        self.assert_found(found, "registration", "fail", "token", "CONIC_TOKEN")
        code, found = self.ask("--token", "secret", hub=hub.uri)
        self.assertEqual(code, 3)
        self.assert_found(found, "registration", "fail", "token")

    def test_missing_elements(self):
        """Missing elements are told with the package of each and code 4; the rest is looked at still"""
        hub = peers.Conicd(self)
        env = {"GST_PLUGIN_SYSTEM_PATH": self.path("none"), "GST_REGISTRY": self.path("registry")}
        code, found = self.ask(hub=hub.uri, env=env)
        self.assertEqual(code, 4)
        [event] = [event for event in found["elements"] if "webrtcbin" in event["text"]]
        self.assertEqual(event["level"], "fail")
        self.assertIn("install gstreamer1.0-plugins-bad", event["advice"])
        self.assert_found(found, "registration", "ok", "accepted")
        self.assert_found(found, "paths", "warn", "without the elements that are missing")


if __name__ == "__main__":
    netns.main()
