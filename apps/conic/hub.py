# SPDX-License-Identifier: LGPL-2.1-or-later
"""A client of the hub, in the envelope dialect of docs/protocol.md.

    with hub.Client(options.hub, options.token, options.tls_ca) as client:
        print(client.id, client.peers())

Every call waits for the hub's answer and raises HubTrouble with words that say what was wrong. A
client belongs to the thread that made it, and runs on a main context of its own, so it does not
get in the way of a main loop elsewhere.
"""

import contextlib
import itertools
import json
import re

import gi

gi.require_version("Soup", "3.0")
from gi.repository import Gio, GLib, Soup  # noqa: E402  pylint: disable=wrong-import-position

from .exits import HubTrouble, WrongUsage  # noqa: E402  pylint: disable=wrong-import-position

# The hub gives a client as long for its request.
ANSWER_SECONDS = 10
# The hub's own limit unless configured otherwise; a list of peers is the longest that comes.
MESSAGE_BYTES = 512 * 1024
# Pings keep a connection on which nothing else happens (conic peers --watch) from being taken for dead.
KEEPALIVE_SECONDS = 20
# docs/protocol.md: what an id is. One goes to terminals and shells, so a hub isn't taken at its word.
PEER_ID = re.compile(r"[A-Za-z0-9._~-]{1,128}")

STATUS_WORDS = {
    401: "the hub wants a token, and doesn't take this one",
    403: "the hub refuses pages of this origin",
    404: "there is a web server, but no hub at this path; a hub's ends in /ws",
    408: "the hub says that the request took too long",
    429: "the hub has enough connections from this address",
    503: "the hub has no room, or is stopping",
}
NO_TOKEN = "the hub wants a token (see --token)"
CLOSE_WORDS = {
    1001: "it stops",
    1008: "it waited too long for a registration",
    1009: "a message was larger than it takes",
    4001: "somebody else resumed this registration",
    4003: "the token has expired",
    4004: "it denies our id",
    4008: "we read too slowly",
}
CERTIFICATE_WORDS = {
    Gio.TlsCertificateFlags.UNKNOWN_CA: "who signed it is not trusted here (see --tls-ca)",
    Gio.TlsCertificateFlags.BAD_IDENTITY: "it is for another name",
    Gio.TlsCertificateFlags.NOT_ACTIVATED: "it is not valid yet",
    Gio.TlsCertificateFlags.EXPIRED: "it has expired",
    Gio.TlsCertificateFlags.REVOKED: "it was revoked",
    Gio.TlsCertificateFlags.INSECURE: "its algorithm is not safe",
}


class Refused(HubTrouble):
    """The hub answered with an error; `error_code` is one of docs/protocol.md's error codes."""

    def __init__(self, error):
        error = error if isinstance(error, dict) else {}
        self.error_code = error.get("code", "")
        super().__init__(f"the hub says: {error.get('message') or self.error_code}")


@contextlib.contextmanager
def _default(context: GLib.MainContext):
    """Has Soup work on that context, whichever thread this is."""
    context.push_thread_default()
    try:
        yield
    finally:
        context.pop_thread_default()


class Client:
    """A registered client. `registration` is the data of the hub's register_response."""

    def __init__(
        self,
        uri: str,
        token: str | None = None,
        tls_ca: str | None = None,
        client_id: str | None = None,
    ):
        """Connects and registers; without `client_id` the hub assigns an id."""
        self.uri = uri
        self._no_hub = f"{uri}: what answers there is no hub"
        self._context = GLib.MainContext.new()
        self._numbers = itertools.count(1)
        self._answers: dict[str, dict] = {}
        self._ended: str | None = None
        with _default(self._context):
            self._session = Soup.Session()
            # Longer than we wait ourselves, so that it is we who find the words.
            self._session.set_timeout(2 * ANSWER_SECONDS)
            if tls_ca:
                self._session.set_tls_database(certificates(tls_ca))
            self._socket = self._connect(token)
        try:
            self.registration = self.request("register_request", client_id=client_id or "")
            if not self.registration.get("success"):
                raise Refused(self.registration.get("error"))
            if not _is_id(self.registration.get("client_id")):
                raise HubTrouble(self._no_hub)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.close()

    @property
    def id(self) -> str:
        """The id that we are registered with."""
        return self.registration["client_id"]

    def peers(self) -> list[str]:
        """The ids of the others whom we may reach, sorted."""
        try:
            ids = [client["client_id"] for client in self.request("list_request")["clients"]]
        except (TypeError, KeyError):
            raise HubTrouble(self._no_hub) from None
        return sorted(peer for peer in ids if _is_id(peer) and peer != self.id)

    def request(self, kind: str, **data) -> dict:
        """Sends a message that the hub answers; returns the answer's data."""
        number = str(next(self._numbers))
        if self._ended is None:
            self._socket.send_text(json.dumps({"id": number, "type": kind, "data": data}))
        self._wait(lambda: number in self._answers or self._ended)
        if number not in self._answers:
            raise HubTrouble(self._ended or f"{self.uri}: the hub doesn't answer")
        message = self._answers.pop(number)
        if message["type"] == "error":
            raise Refused(message["data"])
        return message["data"]

    def pause(self, seconds: float) -> None:
        """Lets that time pass while the connection stays alive; raises if it ends."""
        self._wait(lambda: self._ended, seconds)
        if self._ended:
            raise HubTrouble(self._ended)

    def close(self) -> None:
        """Leaves the hub; it knows when this returns, unless it doesn't answer any more."""
        if self._ended is None:
            self._socket.close(Soup.WebsocketCloseCode.NORMAL, None)
            self._wait(lambda: self._ended, 1)
        with _default(self._context):
            self._session.abort()

    def _wait(self, condition, seconds: float = ANSWER_SECONDS) -> None:
        """Runs the context until condition() or until that much time has passed."""
        late = []
        timer = GLib.timeout_source_new(int(seconds * 1000))
        timer.set_callback(lambda *_: late.append(True))
        timer.attach(self._context)
        with _default(self._context):
            while not condition() and not late:
                self._context.iteration(True)
        timer.destroy()

    def _connect(self, token: str | None) -> Soup.WebsocketConnection:
        try:
            message = Soup.Message.new("GET", self.uri)
        except TypeError:
            message = None
        if message is None:
            raise WrongUsage(f"“{self.uri}” is not a URI")
        if token:
            message.get_request_headers().append("Authorization", f"Bearer {token}")
        # Where we end up isn't ours to choose then, and the token would go along.
        message.set_flags(Soup.MessageFlags.NO_REDIRECT)
        rejected = []
        message.connect("accept-certificate", lambda _m, _c, flags: rejected.append(flags))
        cancel, results = Gio.Cancellable(), []
        self._session.websocket_connect_async(
            message, None, None, 0, cancel, lambda _session, result: results.append(result)
        )
        self._wait(lambda: results)
        if not results:
            cancel.cancel()
            self._wait(lambda: results, 1)
            tls = "; does it speak TLS?" if self.uri.startswith("wss:") else ""
            raise HubTrouble(f"{self.uri}: the hub doesn't answer{tls}")
        try:
            socket = self._session.websocket_connect_finish(results[0])
        except GLib.Error as error:
            raise HubTrouble(f"{self.uri}: {_why(error, message, rejected)}") from None
        socket.set_max_incoming_payload_size(MESSAGE_BYTES)
        socket.set_keepalive_interval(KEEPALIVE_SECONDS)
        socket.connect("message", self._on_message)
        socket.connect("closed", self._on_closed)
        return socket

    def _on_message(self, _socket, _kind, data: GLib.Bytes) -> None:
        try:
            message = json.loads(data.get_data())
            if not isinstance(message["data"], dict) or not isinstance(message["type"], str):
                raise TypeError
            if "reply_to" in message:
                self._answers[message["reply_to"]] = message
        except (ValueError, TypeError, KeyError, RecursionError):
            self._ended = self._no_hub

    def _on_closed(self, socket) -> None:
        code = socket.get_close_code()
        words = CLOSE_WORDS.get(code) or socket.get_close_data()
        self._ended = f"{self.uri}: the hub ended the connection" + (f": {words}" if words else "")


def _is_id(text) -> bool:
    return isinstance(text, str) and PEER_ID.fullmatch(text) is not None


def certificates(path: str) -> Gio.TlsDatabase:
    """What vouches for a hub, from a file. Raises WrongUsage if it has no certificates."""
    try:
        if not Gio.TlsCertificate.list_new_from_file(path):
            raise WrongUsage(f"{path} has no certificates")
        return Gio.TlsFileDatabase.new(GLib.canonicalize_filename(path, None))
    except GLib.Error as error:
        raise WrongUsage(f"the certificates can't be read: {error.message}") from None


def _why(error: GLib.Error, message: Soup.Message, rejected: list[Gio.TlsCertificateFlags]) -> str:
    """Why a connection failed, in words."""
    if rejected:
        reasons = [words for flag, words in CERTIFICATE_WORDS.items() if rejected[0] & flag]
        return f"the hub's certificate is not accepted: {', '.join(reasons) or error.message}"
    if error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CONNECTION_REFUSED):
        return "nobody listens there (is the hub running?)"
    if error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.TIMED_OUT):
        return "nobody answers"
    closed = (Gio.IOErrorEnum.BROKEN_PIPE, Gio.IOErrorEnum.CONNECTION_CLOSED)
    if any(error.matches(Gio.io_error_quark(), code) for code in closed):
        return "what answers there hung up (does the hub want TLS, wss://?)"
    if error.domain == "g-tls-error-quark":
        return f"TLS failed (is it a hub at wss://?): {error.message}"
    status = message.get_status()
    if not status:
        return error.message
    if status == 401 and not message.get_request_headers().get_one("Authorization"):
        return NO_TOKEN
    words = STATUS_WORDS.get(status)
    if words is None:
        return f"what answers there is no hub (HTTP status {int(status)})"
    challenge = message.get_response_headers().get_one("WWW-Authenticate") or ""
    reason = re.search(r'error_description="([^"]*)"', challenge)
    return f"{words}: {reason.group(1)}" if reason else words
