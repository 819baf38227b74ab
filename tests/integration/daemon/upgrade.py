# SPDX-License-Identifier: LGPL-2.1-or-later
"""Asking for a WebSocket in every way that conicd answers by, and what it says when it refuses."""

import http.client
import io
import socket

from conictest import tap

# conicd answers what is plainly a handshake by itself, and leaves all other requests to libsoup, also
# those that are handshakes if one looks closely, such as one that says that it has no body.
WAYS = {"straight": "", "by libsoup": "Content-Length: 0\r\n"}

REQUEST = (
    "GET {path} HTTP/1.1\r\n{host}Upgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n{extra}\r\n"
)


class Answer:
    """An HTTP response: its status, its headers (an email.message.Message) and its text."""

    def __init__(self, raw):
        response = http.client.HTTPResponse(_Recorded(raw))
        response.begin()
        self.status = response.status
        self.headers = response.headers
        self.text = b"" if self.status == 101 else response.read()
        self.text = self.text.decode()


class _Recorded:
    def __init__(self, raw):
        self.raw = raw

    def makefile(self, *_):
        return io.BytesIO(self.raw)


def ask(port, extra="", path="/ws", host="127.0.0.1:{port}", tls=None):
    """Sends a handshake with more header lines; returns the Answer. The connection is closed then."""
    connection = socket.create_connection(("127.0.0.1", port), tap.seconds(10))
    if tls:
        connection = tls.wrap_socket(connection, server_hostname="localhost")
    with connection:
        lines = "".join(f"Host: {name}\r\n" for name in ([host] if isinstance(host, str) else host))
        connection.sendall(REQUEST.format(path=path, host=lines.format(port=port), extra=extra).encode("latin-1"))
        raw = b""
        while b"\r\n\r\n" not in raw or not raw.startswith(b"HTTP/1.1 101 "):
            more = connection.recv(65536)
            if not more:
                break
            raw += more
        return Answer(raw)
