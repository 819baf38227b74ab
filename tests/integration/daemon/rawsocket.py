# SPDX-License-Identifier: LGPL-2.1-or-later
"""A WebSocket client that keeps no rule it isn't told to: frames go out as they are asked for."""

import base64
import json
import os
import socket
import struct

from conictest import tap

# Memory that is measured must not be memory that a sanitizer keeps back.
os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"

TEXT, BINARY, CONTINUATION = 1, 2, 0
CLOSE, PING, PONG = 8, 9, 10


class Refused(AssertionError):
    """The handshake was not answered with an upgrade."""


class Closed(Exception):
    """The connection ended; `code` is the close frame's status, 1005 without one, 1006 without a frame."""

    def __init__(self, code, reason=""):
        super().__init__(f"closed with {code} {reason}")
        self.code = code
        self.reason = reason


def frame(opcode, payload=b"", fin=True, rsv=0, mask=b"\x11\x22\x33\x44", length=None):
    """The bytes of a frame; `length` announces another length than the payload has, mask=None masks nothing."""
    length = len(payload) if length is None else length
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    masked = 0x80 if mask else 0
    if length < 126:
        head += bytes([masked | length])
    elif length < 65536:
        head += bytes([masked | 126]) + struct.pack("!H", length)
    else:
        head += bytes([masked | 127]) + struct.pack("!Q", length)
    if mask:
        repeated = mask * (len(payload) // 4 + 1)
        payload = bytes(a ^ b for a, b in zip(payload, repeated))
        head += mask
    return head + payload


REQUEST = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{extra}\r\n"
)


class Client:
    """A connection to the daemon. Blocking, each read with a deadline of `timeout` seconds.

    tls     an ssl.SSLContext, for a connection with TLS
    host    the daemon's address, IPv4 or IPv6
    source  the client's own, if the kernel isn't to choose it
    """

    def __init__(self, case, port, extra="", early=b"", receive_buffer=None, timeout=10, path="/ws", tls=None,
                 host="127.0.0.1", source=None):
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        if source:
            self.socket.bind((source, 0))
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(tap.seconds(timeout))
        # What is sent in pieces is to travel in pieces, and at once.
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.connect((host, port))
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        case.addCleanup(self.socket.close)
        self.pending = b""
        self.id = None
        key = base64.b64encode(os.urandom(16)).decode()
        request = REQUEST.format(path=path, port=port, key=key, extra=extra)
        self.socket.sendall(request.encode() + early)
        self.response = self._until(b"\r\n\r\n").decode()
        if not self.response.startswith("HTTP/1.1 101 "):
            self.socket.close()
            raise Refused(f"no upgrade: {self.response}")

    def _more(self):
        data = self.socket.recv(65536)
        if not data:
            raise Closed(1006)
        self.pending += data

    def _until(self, mark):
        while mark not in self.pending:
            self._more()
        head, _, self.pending = self.pending.partition(mark)
        return head + mark

    def _take(self, n):
        while len(self.pending) < n:
            self._more()
        taken, self.pending = self.pending[:n], self.pending[n:]
        return taken

    def send_bytes(self, data):
        self.socket.sendall(data)

    def send_frame(self, opcode, payload=b"", **kwargs):
        self.socket.sendall(frame(opcode, payload, **kwargs))

    def send(self, message):
        """Sends a text message: a str or bytes as it is, anything else as JSON."""
        if isinstance(message, str):
            message = message.encode()
        elif not isinstance(message, bytes):
            message = json.dumps(message).encode()
        self.send_frame(TEXT, message)

    def receive_frame(self):
        """(fin, opcode, payload) of the next frame, whatever it is."""
        first, second = self._take(2)
        assert not second & 0x80, "a server's frame is masked"
        assert not first & 0x70, "reserved bits are set"
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", self._take(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self._take(8))
        return bool(first & 0x80), first & 0x0F, self._take(length)

    def receive(self):
        """The next text message as bytes. Pings are answered; a close frame is answered and raised."""
        while True:
            fin, opcode, payload = self.receive_frame()
            assert fin, "the hub fragments"
            if opcode == TEXT:
                return payload
            if opcode == PING:
                self.send_frame(PONG, payload)
            elif opcode == CLOSE:
                code = struct.unpack("!H", payload[:2])[0] if payload else 1005
                try:
                    self.send_frame(CLOSE, payload)
                except OSError:
                    pass
                raise Closed(code, payload[2:].decode())

    def receive_json(self):
        return json.loads(self.receive())

    def closed(self):
        """Reads to the end; returns the status that the connection was closed with."""
        try:
            while True:
                self.receive()
        except Closed as error:
            return error.code
        except ConnectionResetError:
            return 1006

    def ended(self):
        """Reads until the server has closed the socket as well."""
        try:
            while True:
                self.receive_frame()
        except (Closed, ConnectionResetError):
            return True

    def register(self, client_id=None, **data):
        """Registers in the envelope dialect; returns the hub's answer."""
        if client_id is not None:
            data["client_id"] = client_id
        self.send({"id": "r1", "type": "register_request", "timestamp": "2025-01-01T00:00:00Z", "data": data})
        answer = self.receive_json()
        assert answer["type"] == "register_response", answer
        self.id = answer["data"].get("client_id")
        return answer

    def register_readme(self, client_id=None):
        """Registers in the readme dialect; returns the hub's answer."""
        message = {"type": "register"}
        if client_id is not None:
            message["raw"] = json.dumps({"ID": client_id})
        self.send(message)
        answer = self.receive_json()
        assert answer["type"] == "register", answer
        self.id = answer["ID"]
        return answer

    def error(self):
        """The code of the error that has to come next, in either dialect, and the whole message."""
        message = self.receive_json()
        if message["type"] == "register_response":
            assert message["data"]["success"] is False, message
            return message["data"]["error"]["code"], message
        assert message["type"] == "error", message
        if "raw" in message:
            return json.loads(message["raw"])["Code"], message
        return message["data"]["code"], message

    def reset(self):
        """Leaves as if the network were gone: without a word but TCP's own."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        """Leaves properly."""
        self.send_frame(CLOSE, struct.pack("!H", 1000))
        return self.closed()
