# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which ways there are from here to another peer: tried, with two peers in this process.

Nobody but the servers that are given is asked anything.
"""

import os
import socket
import struct
import urllib.parse

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstWebRTC  # noqa: E402  pylint: disable=wrong-import-position

# Time for two peers to find each other, beside a server that isn't there; in seconds.
CONNECT_SECONDS = 10
# A STUN server is asked as often, each time waiting for as many seconds: datagrams get lost.
STUN_TRIES, STUN_SECONDS = 3, 1.0

# RFC 8489, sections 5 and 14.
_BINDING_REQUEST, _BINDING_RESPONSE, _COOKIE = 0x0001, 0x0101, 0x2112A442
_MAPPED_ADDRESS, _XOR_MAPPED_ADDRESS = 0x0001, 0x0020
_IPV4, _IPV6 = 1, 2


def host_and_port(uri: str) -> tuple[str, int]:
    """Where the server of a STUN or TURN URI is. Raises ValueError if that can't be told."""
    scheme, _, rest = uri.partition(":")
    address = rest.removeprefix("//").partition("?")[0].rpartition("@")[2]
    parts = urllib.parse.urlsplit(f"//{address}")
    if not parts.hostname:
        # Without the URI: it may hold a password.
        raise ValueError("the URI names no host")
    return parts.hostname, parts.port or (5349 if scheme.endswith("s") else 3478)


def outside_address(uri: str) -> str:
    """Our address as a STUN server sees it. Raises OSError or ValueError with words."""
    host, port = host_and_port(uri)
    found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    family, kind, protocol, _, address = found[0]
    request = struct.pack(">HHI", _BINDING_REQUEST, 0, _COOKIE) + os.urandom(12)
    with socket.socket(family, kind, protocol) as link:
        link.settimeout(STUN_SECONDS)
        link.connect(address)
        for _ in range(STUN_TRIES):
            link.send(request)
            try:
                return _mapped_address(link.recv(2048), request)
            except TimeoutError:
                pass
    raise TimeoutError("it doesn't answer")


def _mapped_address(answer: bytes, request: bytes) -> str:
    """The address in the answer to a binding request."""
    if len(answer) < 20 or answer[:2] != struct.pack(">H", _BINDING_RESPONSE):
        raise ValueError("what answers is no STUN server")
    at = 20
    while at + 4 <= len(answer):
        kind, length = struct.unpack_from(">HH", answer, at)
        value = answer[at + 4 : at + 4 + length]
        if kind in (_MAPPED_ADDRESS, _XOR_MAPPED_ADDRESS) and len(value) in (8, 20):
            mask = request[4:20] if kind == _XOR_MAPPED_ADDRESS else bytes(16)
            packed = bytes(a ^ b for a, b in zip(value[4:], mask))
            family = socket.AF_INET if value[1] == _IPV4 else socket.AF_INET6
            return socket.inet_ntop(family, packed)
        at += 4 + (length + 3) // 4 * 4
    raise ValueError("its answer has no address")


def turn_uri(uri: str, username: str, credential: str) -> str:
    """A URI of the W3C's RTCIceServer as webrtcbin takes it: with user and password in it."""
    scheme, _, rest = uri.partition(":")
    user, password = (urllib.parse.quote(text, safe="") for text in (username, credential))
    return f"{scheme}://{user}:{password}@{rest.removeprefix('//')}"


class Attempt:
    """Two webrtcbins that are to find each other, directly or over one TURN server."""

    def __init__(self, turn_server: str | None = None):
        Gst.init(None)
        self.connected = False
        self._hopeless = False
        # Addresses that were found, and what they are (host, srflx, relay).
        self.candidates: set[tuple[str, str]] = set()
        self._context = GLib.MainContext.default()
        self._pipeline = Gst.Pipeline.new(None)
        self._ends = [self._end(turn_server) for _ in range(2)]

    def run(self) -> bool:
        """Tries, for a while; returns whether they found each other."""
        caller, callee = self._ends
        for this, other in ((caller, callee), (callee, caller)):
            this.connect("on-ice-candidate", self._on_candidate, other)
            this.connect("notify::connection-state", self._on_state)
            this.connect("notify::ice-gathering-state", self._on_gathered)
        caller.connect("on-negotiation-needed", self._on_negotiation_needed, callee)
        self._pipeline.set_state(Gst.State.READY)
        caller.emit("create-data-channel", "doctor", None)
        self._pipeline.set_state(Gst.State.PLAYING)
        late = []
        timer = GLib.timeout_add_seconds(CONNECT_SECONDS, lambda: late.append(True))
        while not self.connected and not self._hopeless and not late:
            self._context.iteration(True)
        if not late:
            GLib.source_remove(timer)
        self._pipeline.set_state(Gst.State.NULL)
        return self.connected

    def addresses(self, kind: str) -> list[str]:
        """The addresses of that kind that were found, sorted."""
        return sorted(address for address, found in self.candidates if found == kind)

    def _end(self, turn_server: str | None) -> Gst.Element:
        end = Gst.ElementFactory.make("webrtcbin")
        end.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        if turn_server:
            end.set_property("ice-transport-policy", GstWebRTC.WebRTCICETransportPolicy.RELAY)
            scheme, _, rest = turn_server.partition(":")
            end.emit("add-turn-server", f"{scheme}://{rest.removeprefix('//')}")
        self._pipeline.add(end)
        return end

    def _on_candidate(self, _end, line: int, candidate: str, other: Gst.Element) -> None:
        words = candidate.split()
        if len(words) >= 8:
            self.candidates.add((words[4], words[7]))
        other.emit("add-ice-candidate", line, candidate)

    def _on_state(self, end: Gst.Element, _property) -> None:
        if end.get_property("connection-state").value_nick == "connected":
            self.connected = True
            self._context.wakeup()

    def _on_gathered(self, end: Gst.Element, _property) -> None:
        complete = end.get_property("ice-gathering-state").value_nick == "complete"
        if complete and not self.candidates:
            self._hopeless = True
            self._context.wakeup()

    def _on_negotiation_needed(self, caller: Gst.Element, callee: Gst.Element) -> None:
        # A reply is a copy, and what is in it lives no longer: so each has a name here.
        def on_offer(promise, *_):
            reply = promise.get_reply()
            offer = reply.get_value("offer")
            caller.emit("set-local-description", offer, None)
            callee.emit("set-remote-description", offer, None)
            callee.emit("create-answer", None, Gst.Promise.new_with_change_func(on_answer, None))

        def on_answer(promise, *_):
            reply = promise.get_reply()
            answer = reply.get_value("answer")
            callee.emit("set-local-description", answer, None)
            caller.emit("set-remote-description", answer, None)

        caller.emit("create-offer", None, Gst.Promise.new_with_change_func(on_offer, None))
