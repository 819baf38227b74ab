#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The page as conicd serves it, seen by an HTTP client.

Shows that every file of apps/web comes as it is, with the type and the headers that keep a page safe, over TLS as
well; that it is asked for again only when it has changed; that nothing else is there; that an operator can do without
the page; and that who reads it counts as any other client does.
"""

import http.client
import os
import re
import socket
import sys

from conictest import tap
from conictest.peers import ROOT, Conicd

sys.path.insert(0, os.path.join(ROOT, "tests", "integration", "daemon"))
# pylint: disable=wrong-import-position
from certificates import Certificate

FOLDER = os.path.join(ROOT, "apps", "web")
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
FILES = sorted(name for name in os.listdir(FOLDER) if os.path.splitext(name)[1] in TYPES)


def read(name):
    """A file of the page as it is in the sources."""
    with open(os.path.join(FOLDER, name), "rb") as file:
        return file.read()


def ask(port, path, method="GET", headers=None, context=None, body=None):
    """The status, the headers and the body that a request is answered with."""
    connection = (
        http.client.HTTPSConnection("127.0.0.1", port, timeout=tap.seconds(10), context=context)
        if context
        else http.client.HTTPConnection("127.0.0.1", port, timeout=tap.seconds(10))
    )
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


class PageHttp(tap.TestCase):
    def check_all(self, port, context=None):
        """Every file of the sources is there, byte for byte."""
        for name in FILES:
            with self.subTest(name):
                code, headers, body = ask(port, f"/{name}", context=context)
                self.assertEqual((code, body), (200, read(name)))
                self.assertEqual(headers["Content-Type"], TYPES[os.path.splitext(name)[1]])

    def test_files(self):
        """The page is at /, and every file of apps/web below it with its type"""
        hub = Conicd(self)
        self.assertIn("index.html", FILES)
        self.check_all(hub.port)
        code, headers, body = ask(hub.port, "/?anything")
        self.assertEqual((code, body), (200, read("index.html")))
        self.assertEqual(headers["Content-Type"], TYPES[".html"])

    def test_complete(self):
        """Every file that the page names is there, and every module is compiled in"""
        hub = Conicd(self)
        named = set(re.findall(r'(?:src|href)="(?!https?:|#|data:)([^"]+)"', read("index.html").decode()))
        for name in FILES:
            if name.endswith(".js"):
                named |= set(re.findall(r'(?:from|import)\s+"\./([^"]+)"', read(name).decode()))
        self.assertGreater(len(named), 1)
        for name in named:
            self.assertEqual(ask(hub.port, f"/{name}")[0], 200, name)

    def test_tls(self):
        """The same over TLS"""
        certificate = Certificate(self)
        hub = Conicd(self, arguments=certificate.options)
        self.check_all(hub.port, certificate.context())

    def test_headers(self):
        """A page may do nothing but what this one does: no foreign or inline script, no frame around it"""
        hub = Conicd(self)
        for path in ("/", "/conic.js"):
            _, headers, _ = ask(hub.port, path)
            policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
            self.assertEqual(policy["default-src"], "'none'")
            for source in ("script-src", "style-src", "img-src"):
                self.assertEqual(policy[source], "'self'")
            for none in ("frame-ancestors", "base-uri", "form-action"):
                self.assertEqual(policy[none], "'none'")
            address = f"127.0.0.1:{hub.port}"
            self.assertEqual(policy["connect-src"], f"'self' ws://{address} wss://{address}")
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
            self.assertEqual(headers["Referrer-Policy"], "no-referrer")
            self.assertEqual(headers["Cross-Origin-Opener-Policy"], "same-origin")
            self.assertEqual(headers["Cross-Origin-Resource-Policy"], "same-origin")
            for feature in ("camera", "microphone", "display-capture"):
                self.assertIn(f"{feature}=(self)", headers["Permissions-Policy"])

    def test_host(self):
        """A host that is no plain name isn't repeated in the policy"""
        hub = Conicd(self)
        for host in ("a b", "x;script-src *", "[::1]:3000", "x'y", "x,y", "é"):
            with self.subTest(host):
                with socket.create_connection(("127.0.0.1", hub.port), tap.seconds(10)) as connection:
                    connection.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
                    answer = b"".join(iter(lambda c=connection: c.recv(65536), b"")).decode()
                policy = re.search(r"(?mi)^Content-Security-Policy: (.*)\r$", answer)
                if policy:
                    self.assertIn("connect-src 'self'; frame-ancestors", policy[1])
                else:
                    self.assertRegex(answer, r"^HTTP/1.1 4\d\d ")

    def test_known(self):
        """What a browser has already isn't sent again"""
        hub = Conicd(self)
        tags = {ask(hub.port, f"/{name}")[1]["ETag"] for name in FILES}
        self.assertEqual(len(tags), len(FILES))
        tag = ask(hub.port, "/")[1]["ETag"]
        for known in (tag, f"W/{tag}", f'"x", {tag}', "*"):
            code, headers, body = ask(hub.port, "/", headers={"If-None-Match": known})
            self.assertEqual((code, body, headers["ETag"]), (304, b"", tag), known)
        for other in ('"x"', tag.strip('"'), "", tag[:-2] + '"', ",,,"):
            self.assertEqual(ask(hub.port, "/", headers={"If-None-Match": other})[0], 200, other)

    def test_methods(self):
        """HEAD tells what GET would; other methods are refused, and bodies"""
        hub = Conicd(self)
        for name in ("", "conic.js"):
            _, wanted, body = ask(hub.port, f"/{name}")
            code, headers, nothing = ask(hub.port, f"/{name}", "HEAD")
            self.assertEqual((code, nothing), (200, b""))
            self.assertEqual(headers["Content-Length"], str(len(body)))
            self.assertEqual(headers["ETag"], wanted["ETag"])
            for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE"):
                code, headers, _ = ask(hub.port, f"/{name}", method)
                self.assertEqual((code, headers["Allow"]), (405, "GET, HEAD"), method)
        self.assertEqual(ask(hub.port, "/", body=b"x")[0], 413)

    def test_nothing_else(self):
        """Paths that are no file of the page are 404, however they are written"""
        hub = Conicd(self)
        for path in ("/x", "/index.html/", "//", "/%2e%2e/x", "/INDEX.HTML",
                     "/page.gresource.xml", "/conic/page/index.html", "/index.html%00", "/ws/index.html"):
            self.assertIn(ask(hub.port, path)[0], (400, 404), path)
        self.assertEqual(ask(hub.port, "/healthz")[2], b"ok\n")

    def test_off(self):
        """With page=no there is no page; a reload brings it back, and page=perhaps is refused"""
        config = self.path("conicd.conf")

        def write(word):
            with open(config, "w", encoding="utf-8") as file:
                file.write(f"[daemon]\npage={word}\n")

        write("no")
        hub = Conicd(self, arguments=("--config", config))
        for path in ("/", "/index.html", "/conic.js"):
            self.assertEqual(ask(hub.port, path)[0], 404)
        self.assertEqual(ask(hub.port, "/ws")[0], 426)
        for word, line, code in (
            ("yes", "The configuration was reloaded", 200),
            ("perhaps", "conicd.conf:2: “page” has to be yes or no, not “perhaps”", 200),
            ("no", "The configuration was reloaded", 404),
        ):
            write(word)
            start = len(hub.lines)
            os.kill(hub.pid, 1)
            hub.wait_line(re.escape(line), start=start)
            self.assertEqual(ask(hub.port, "/")[0], code)

    def test_metrics_address(self):
        """Where only metrics are there is no page"""
        hub = Conicd(self, arguments=("--metrics-listen", "127.0.0.1:0"))
        port = int(hub.wait_line(r"http://127\.0\.0\.1:(\d+)/metrics").group(1))
        self.assertEqual(ask(port, "/")[0], 404)
        self.assertEqual(ask(port, "/metrics")[0], 200)
        self.assertEqual(ask(hub.port, "/")[0], 200)

    def test_limits(self):
        """Who reads the page counts as any other client does"""
        hub = Conicd(self, arguments=("--clients", "1"))
        with socket.create_connection(("127.0.0.1", hub.port), tap.seconds(10)) as connection:
            connection.sendall(
                b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            )
            self.assertIn(b"101", connection.recv(1024))
            self.assertEqual(ask(hub.port, "/")[0], 503)
        hub = Conicd(self, arguments=("--handshake-seconds", "0.3"), name="impatient")
        with socket.create_connection(("127.0.0.1", hub.port), tap.seconds(10)) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
            self.assertIn(connection.recv(1024)[:12], (b"HTTP/1.1 408", b""))
        self.assertEqual(ask(hub.port, "/")[0], 200)

    def test_reason(self):
        """A page can ask why its WebSocket was refused: the token is looked at without an upgrade, too"""
        key = self.path("key")
        with open(key, "w", encoding="utf-8") as file:
            file.write("x" * 40)
        hub = Conicd(self, arguments=("--auth-key", key))
        code, headers, body = ask(hub.port, "/ws")
        self.assertEqual((code, body), (401, b"A token is needed\n"))
        self.assertEqual(headers["WWW-Authenticate"], 'Bearer realm="conic"')
        code, _, body = ask(hub.port, "/ws", headers={"Authorization": "Bearer a.b.c"})
        self.assertEqual(code, 401)
        self.assertNotEqual(body, b"A token is needed\n")
        self.assertEqual(ask(hub.port, "/")[0], 200)


if __name__ == "__main__":
    tap.main()
