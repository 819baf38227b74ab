# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which ways there are from here to other peers."""

import argparse
from collections.abc import Iterator

from .. import elements
from . import FAIL, OK, WARN, Finding

try:
    from .. import icepaths
except (ImportError, ValueError):
    icepaths = None


def check(options: argparse.Namespace) -> Iterator[Finding]:
    """The ways to other peers."""
    if icepaths is None:
        text = "can't be tried: Python has no description of GstWebRTC"
        yield Finding(WARN, "paths", text, "install gir1.2-gst-plugins-bad-1.0")
        return
    if not elements.is_there("webrtcbin") or not elements.is_there("nicesrc"):
        yield Finding(WARN, "paths", "can't be tried without the elements that are missing")
        return
    yield from _host()
    try:
        servers = list(_servers(options))
    except (AttributeError, TypeError):
        yield Finding(FAIL, "path STUN/TURN", "how the hub names its servers makes no sense")
        return
    for uri, who in servers:
        yield (_stun if uri.startswith("stun") else _turn)(uri, who)
    if not servers:
        text = "no STUN or TURN server is named by the hub or by you"
        advice = (
            "none is needed on one network; across NATs the hub can name some (docs/operating.md)"
        )
        yield Finding(OK, "path STUN/TURN", f"{text}; {advice}")


def _servers(options: argparse.Namespace) -> Iterator[tuple[str, str]]:
    """The URIs of STUN and TURN servers to try, and who names each."""
    for server in options.registration.get("ice_servers") or []:
        urls = server.get("urls") or []
        for uri in [urls] if isinstance(urls, str) else urls:
            if uri.startswith("turn"):
                uri = icepaths.turn_uri(
                    uri, server.get("username", ""), server.get("credential", "")
                )
            yield uri, "the hub"
    for uri in [*options.stun_server, *options.turn_server]:
        yield uri, "you"


def _shown(uri: str) -> str:
    """The URI without what may be a secret."""
    scheme, _, rest = uri.partition(":")
    return f"{scheme}:{rest.removeprefix('//').rpartition('@')[2]}"


def _host() -> Iterator[Finding]:
    """Whether two peers here find each other."""
    attempt = icepaths.Attempt()
    connected = attempt.run()
    addresses = ", ".join(attempt.addresses("host"))
    if connected:
        yield Finding(OK, "path host", f"two peers on this machine connect ({addresses})")
    elif not addresses:
        text = "there is no address that others could reach, only the loopback"
        yield Finding(WARN, "path host", text, "connect this machine to a network")
    else:
        text = f"two peers on this machine do not connect ({addresses})"
        yield Finding(FAIL, "path host", text, "let a firewall pass UDP between these addresses")


def _stun(uri: str, who: str) -> Finding:
    """Whether a STUN server tells us our address."""
    name = f"{_shown(uri)}, named by {who},"
    try:
        address = icepaths.outside_address(uri)
    except (OSError, ValueError) as error:
        words = getattr(error, "strerror", None) or error
        advice = "correct it, or let UDP pass to it"
        return Finding(FAIL, "path STUN", f"{name} fails: {words}", advice)
    return Finding(OK, "path STUN", f"{name} sees us at {address}")


def _turn(uri: str, who: str) -> Finding:
    """Whether two peers find each other over nothing but a TURN server."""
    name = f"{_shown(uri)}, named by {who},"
    try:
        icepaths.host_and_port(uri)
        attempt = icepaths.Attempt(uri)
        connected = attempt.run()
    except ValueError as error:
        advice = "write turn://USER:PASSWORD@HOST:PORT"
        return Finding(FAIL, "path TURN", f"{name} can't be read: {error}", advice)
    relays = ", ".join(attempt.addresses("relay"))
    if connected:
        return Finding(OK, "path TURN", f"{name} relays, from {relays}")
    if relays:
        text = f"{name} gives an address ({relays}), but nothing comes through"
        return Finding(FAIL, "path TURN", text, "let its firewall pass UDP to its relay ports")
    text = f"{name} gives no address"
    return Finding(FAIL, "path TURN", text, "check host, port, user, password and the time limit")
