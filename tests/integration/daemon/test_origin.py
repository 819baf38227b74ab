#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which web pages may connect to a running conicd.

A browser names the page that opens a WebSocket in `Origin`. Without a list, only pages of the hub's own host
and port may connect, and programs, which name none; a list adds origins, `null` or all. Each request is made
in both ways that conicd answers handshakes by.
"""

import os
import signal

from certificates import Certificate
from conictest import tap
from conictest.peers import CONICD, Conicd
from conictest.process import Process
from upgrade import WAYS, ask


class OriginTest(tap.TestCase):
    def check(self, hub, origins, allowed, more="", **kwargs):
        """What becomes of handshakes with these lines of `Origin` headers, and with `more` lines."""
        for origin in origins:
            lines = [origin] if isinstance(origin, str) else origin
            extra = more + "".join(f"Origin: {line.format(port=hub.port)}\r\n" for line in lines)
            for way, mark in WAYS.items():
                with self.subTest(origin=origin, way=way, **kwargs):
                    answer = ask(hub.port, extra + mark, **kwargs)
                    self.assertEqual(answer.status, 101 if allowed else 403, answer.text)
                    if not allowed and lines[0].isascii():
                        self.assertIn(lines[0].format(port=hub.port), answer.text)

    def test_same_host(self):
        """Without a list, a page of the hub's host and port may connect, and no other; nor may two at once"""
        hub = Conicd(self)
        self.check(hub, ["http://127.0.0.1:{port}", "https://127.0.0.1:{port}", "HTTP://127.0.0.1:{port}", ()], True)
        self.check(hub, [
            "http://127.0.0.1", "http://127.0.0.1:1", "http://localhost:{port}", "https://evil.example", "null",
            "http://127.0.0.1:{port}/", "http://127.0.0.1:{port}.evil.example", "http://127.0.0.1:{port}@evil.example",
            "http://evil.example#http://127.0.0.1:{port}", "file://", "http://127.0.0.1:99999", "127.0.0.1:{port}",
            "http://127.0.0.1:{port}\t\u00ff", "http://[::1]:{port}",
            ("http://127.0.0.1:{port}", "http://127.0.0.1:{port}"), ("http://127.0.0.1:{port}", "https://evil.example"),
        ], False)

    def test_host(self):
        """The port may be left out where it is the one of the page's scheme; names are the same in any case"""
        hub = Conicd(self)
        self.check(hub, ["https://hub.example", "http://Hub.Example:80", "https://hub.example:443"], True,
                   host="HUB.example", more="X-Forwarded-For: 192.0.2.1\r\n")
        self.check(hub, ["https://hub.example"], True, host="hub.example:443")
        self.check(hub, ["http://hub.example"], False, host="hub.example:443")
        self.check(hub, ["http://[::1]:8080"], True, host="[::1]:8080")
        self.check(hub, ["https://hub.example"], False, host=["hub.example", "evil.example"])

    def test_rebound(self):
        """A stranger's page whose name was made to lead to this machine (DNS rebinding) is not the hub's own"""
        hub = Conicd(self)
        self.check(hub, ["http://evil.example:{port}"], False, host="evil.example:{port}")
        self.check(hub, ["http://localhost:{port}"], True, host="localhost:{port}")
        for proxy in ("X-Forwarded-For: 192.0.2.1\r\n", "Forwarded: for=192.0.2.1\r\n", "Via: 1.1 proxy\r\n"):
            self.check(hub, ["http://hub.example:{port}"], True, host="hub.example:{port}", more=proxy)
        # A page with TLS can't be there but by a proxy that has it.
        self.check(hub, ["https://hub.example"], True, host="hub.example")
        hub = Conicd(self, name="listed", arguments=["--origin", "http://dev.example"])
        self.check(hub, ["http://dev.example"], True, host="dev.example")

    def test_tls(self):
        """A hub with TLS lets in no page without: anybody on the way could have written it"""
        certificate = Certificate(self)
        hub = Conicd(self, arguments=certificate.options)
        tls = certificate.context()
        self.check(hub, ["https://127.0.0.1:{port}", ()], True, tls=tls)
        self.check(hub, ["http://127.0.0.1:{port}", "https://evil.example"], False, tls=tls)

    def test_list(self):
        """A list adds origins, as they are written: scheme, host and port count, the case doesn't"""
        hub = Conicd(self, arguments=["--origin", "https://App.example", "--origin", "http://dev:8080",
                                      "--origin", "null"])
        self.check(hub, ["https://app.example", "https://APP.example:443", "http://dev:8080", "null",
                         "http://127.0.0.1:{port}", ()], True)
        self.check(hub, ["http://app.example", "https://app.example:444", "https://sub.app.example", "http://dev",
                         ("https://app.example", "https://app.example"), ("null", "null")], False)

    def test_any(self):
        """With * any page may connect"""
        hub = Conicd(self, arguments=["--origin", "*"])
        self.check(hub, ["https://evil.example", "null", "nonsense", ("a", "b")], True)

    def test_bad_list(self):
        """What is no origin is refused at the start, by name"""
        for wrong in ("app.example", "https://app.example/page", "https://*.example", "https://"):
            for check in ([], ["--check-config"]):
                daemon = Process(self, "conicd", [CONICD, "--listen", "127.0.0.1:0", "--origin", wrong, *check])
                self.assertIn(daemon.wait_exit(), (1, 2))
                self.assertTrue(daemon.has_line(f"“{wrong.replace('*', '[*]')}” is not an origin"))

    def test_reload(self):
        """SIGHUP takes over another list; one that is wrong leaves the old one in force"""
        config = self.path("conicd.conf")

        def write(origins):
            with open(config, "w", encoding="utf-8") as file:
                file.write(f"[daemon]\norigins={origins}\n")

        def reload(hub, line):
            start = len(hub.lines)
            os.kill(hub.pid, signal.SIGHUP)
            hub.wait_line(line, start=start)

        write("https://one.example")
        hub = Conicd(self, arguments=["--config", config])
        self.check(hub, ["https://one.example"], True)
        write("https://two.example;https://three.example")
        reload(hub, "was reloaded")
        self.check(hub, ["https://two.example", "https://three.example"], True)
        self.check(hub, ["https://one.example"], False)
        write("four.example")
        reload(hub, "stays as it was: .*“four.example” is not an origin")
        self.check(hub, ["https://two.example"], True)


if __name__ == "__main__":
    tap.main()
