# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whether the hub is there, and lets us in."""

import argparse
import urllib.parse
from collections.abc import Iterator

import gi

gi.require_version("Soup", "3.0")
from gi.repository import Gio, GLib, Soup  # noqa: E402  pylint: disable=wrong-import-position

# pylint: disable=wrong-import-position
from .. import hub  # noqa: E402
from ..exits import Exit, HubTrouble  # noqa: E402
from . import FAIL, OK, WARN, Finding  # noqa: E402

# pylint: enable=wrong-import-position

HTTP_SECONDS = 5
# Nobody is on the way to these.
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def check(options: argparse.Namespace) -> Iterator[Finding]:
    """The hub. What it answers to a registration is left in `options` for the next checks."""
    options.registration = {}
    for finding in _http(options):
        yield finding
        if finding.level == FAIL:
            return
    yield from _registration(options)


def _get_healthz(options: argparse.Namespace) -> tuple[int, str]:
    """The status of the hub's /healthz and, with TLS, until when its certificate is valid."""
    parts = urllib.parse.urlsplit(options.hub)
    scheme = {"ws": "http", "wss": "https"}[parts.scheme]
    session = Soup.Session()
    session.set_timeout(HTTP_SECONDS)
    if options.tls_ca:
        session.set_tls_database(hub.certificates(options.tls_ca))
    message = Soup.Message.new("GET", f"{scheme}://{parts.netloc}/healthz")
    session.send_and_read(message, None)
    certificate = message.get_tls_peer_certificate()
    until = certificate.get_not_valid_after().format("%Y-%m-%d") if certificate else ""
    return int(message.get_status()), until


def _http(options: argparse.Namespace) -> Iterator[Finding]:
    """Whether something answers where the hub should be."""
    try:
        status, until = _get_healthz(options)
    except GLib.Error as error:
        text = f"{options.hub}: {error.message}"
        advice = "start conicd there, or name another hub (--hub, CONIC_HUB)"
        if error.domain == "g-tls-error-quark":
            advice = "the certificate must be vouched for: --tls-ca FILE, or the system's"
        elif error.matches(Gio.resolver_error_quark(), Gio.ResolverError.NOT_FOUND):
            advice = "correct the name of the host (--hub, CONIC_HUB)"
        yield Finding(FAIL, "hub", text, advice, Exit.HUB)
        return
    if status == 200:
        yield Finding(OK, "hub", f"{options.hub} is healthy")
    else:
        advice = "it may be elsewhere (metrics-listen); or that is another server"
        yield Finding(WARN, "hub", f"/healthz says {status}", advice)
    if until:
        yield Finding(OK, "TLS", f"the certificate is accepted, and valid until {until}")
    elif options.token and urllib.parse.urlsplit(options.hub).hostname not in LOOPBACK:
        text = "without TLS everybody on the way can read the token"
        yield Finding(WARN, "TLS", text, "use a hub at wss://")


def _registration(options: argparse.Namespace) -> Iterator[Finding]:
    """Whether the hub takes us in; leaves its answer in `options` for the next checks."""
    try:
        with hub.Client(options.hub, options.token, options.tls_ca) as client:
            options.registration = client.registration
            count = len(client.peers())
    except HubTrouble as error:
        advice = "name one by --token or CONIC_TOKEN" if "token" in str(error) else ""
        yield Finding(FAIL, "registration", str(error), advice, Exit.HUB)
        return
    why = "with the token" if options.token else "without a token"
    text = f"accepted {why} as “{client.id}”; {count} other(s) to be seen"
    yield Finding(OK, "registration", text)
