# SPDX-License-Identifier: LGPL-2.1-or-later
"""Data channels with any number of peers, for asyncio: a conicsink without pads.

It is one that sends nothing, rather than a conicbin, because that would ask for sound and pictures.

GStreamer speaks in threads of its own. What it says is handed to the event loop at once, and all
the state here is the loop's.
"""

import asyncio
import contextlib
import dataclasses
from collections.abc import Callable

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstWebRTC  # noqa: E402  pylint: disable=wrong-import-position

from . import elements  # noqa: E402  pylint: disable=wrong-import-position
from .exits import Failed, HubTrouble  # noqa: E402  pylint: disable=wrong-import-position

NEEDED = ["conicsink", "webrtcbin", "nicesrc", "dtlssrtpenc", "sctpenc"]

# The element gives a call 20 seconds by itself; this ends one that is stuck on the hub's side.
CALL_SECONDS = 25
# webrtcbin has the channel open as soon as its first packet is on the way.
OPEN_SECONDS = 10
# How long everything that was sent may take to arrive once nothing more is sent.
DELIVERY_SECONDS = 30
# What webrtcbin may hold for a channel before a sender waits.
BUFFERED_HIGH, BUFFERED_LOW = 1 << 20, 1 << 18
# GStreamer 1.22 refuses larger messages.
MESSAGE_BYTES = 65536
# What a peer may send faster than it is looked at; a file's sender keeps to an eighth of it.
PENDING_BYTES = 8 << 20
# What one of them is in memory beyond its text: an empty one isn't free.
PENDING_MESSAGE_BYTES = 128
# SCTP's own buffer. While that isn't full, what leaves webrtcbin is in it at once, else within the
# longer of the two times: nothing says so, and closing too early loses the last message.
SCTP_BYTES, SETTLE_SECONDS, SETTLE_FULL_SECONDS = 1 << 20, 0.05, 1.0

State = GstWebRTC.WebRTCDataChannelState


def _call_in(loop: asyncio.AbstractEventLoop, function: Callable, *args) -> None:
    """Has the loop call that, from whichever thread this is."""
    # It is closed when the program ends.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(function, *args)


@dataclasses.dataclass
class Count:
    """Messages and bytes one way."""

    messages: int = 0
    bytes: int = 0

    def add(self, size: int) -> None:
        """Counts one message."""
        self.messages += 1
        self.bytes += size


class Channel:
    """A data channel: `send`, and `receive` until that returns None because it has closed.

    Made in whichever thread a channel first shows itself in, so that nothing of it is missed.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        native,
        peer: str,
        ours: bool,
        on_closed: Callable[["Channel"], None],
    ):
        self.peer = peer
        self.ours = ours
        self.label: str = native.get_property("label")
        self.protocol: str = native.get_property("protocol")
        self.sent, self.received = Count(), Count()
        self._loop = loop
        self._native = native
        self._on_closed = on_closed
        self._queue: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        # Characters or bytes with PENDING_MESSAGE_BYTES each, counted by one thread only.
        self._arrived = self._taken = 0
        self._changed = asyncio.Condition()
        self._closed = False
        native.set_property("buffered-amount-low-threshold", BUFFERED_LOW)
        self._handlers = [
            native.connect("on-message-string", lambda _native, text: self._on_message(text or "")),
            native.connect(
                "on-message-data",
                lambda _native, data: self._on_message(data.get_data() if data else b""),
            ),
            native.connect("notify::ready-state", lambda *_: _call_in(self._loop, self._on_state)),
            native.connect("on-buffered-amount-low", lambda *_: _call_in(self._loop, self._wake)),
        ]

    @property
    def name(self) -> str:
        """How the user names it if there are more with this label."""
        return f"{self.peer}/{self.label}"

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        return not self._closed and self._native.get_property("ready-state") == State.OPEN

    @property
    def is_closed(self) -> bool:
        """Whether nothing comes any more but what has come already."""
        return self._closed

    async def wait_open(self) -> None:
        """Waits until it is open; raises Failed if it doesn't get there, and lets go of it."""
        await self._wait(lambda: self.is_open or self._closed, OPEN_SECONDS)
        if not self.is_open:
            self._native.close()
            self.abandon()
            raise Failed(f"the channel “{self.label}” with “{self.peer}” didn't open")

    async def wait_closed(self) -> None:
        """Waits until it has closed, whatever comes meanwhile."""
        await self._wait(lambda: self._closed)

    async def send(self, message: str | bytes) -> None:
        """Sends it when there is room; raises Failed if it can't be sent."""
        size = len(message.encode() if isinstance(message, str) else message)
        if size == 0:
            raise Failed("an empty message can't be sent")
        if size > MESSAGE_BYTES:
            raise Failed(f"a message has at most {MESSAGE_BYTES} bytes, this one has {size}")
        if isinstance(message, str) and "\0" in message:
            raise Failed("a text with a NUL character can't be sent")
        await self._wait(lambda: self._buffered() < BUFFERED_HIGH or not self.is_open)
        if not self.is_open:
            raise Failed(f"the channel “{self.label}” with “{self.peer}” is closed")
        try:
            if isinstance(message, str):
                self._native.send_string_full(message)
            else:
                self._native.send_data_full(GLib.Bytes.new(message))
        except GLib.Error as error:
            raise Failed(f"“{self.name}” can't send: {error.message}") from None
        self.sent.add(size)

    async def receive(self) -> str | bytes | None:
        """The next message, or None once it has closed."""
        message = await self._queue.get()
        if message is None:
            self._queue.put_nowait(None)
            return None
        self._taken += len(message) + PENDING_MESSAGE_BYTES
        self.received.add(len(message.encode() if isinstance(message, str) else message))
        return message

    async def close(self, seconds: float = DELIVERY_SECONDS) -> bool:
        """Closes it once all has been sent. Returns whether the other side got that far."""
        if self._closed:
            return self._buffered() == 0
        self._native.set_property("buffered-amount-low-threshold", 0)
        await self._wait(lambda: self._buffered() == 0 or self._closed, seconds)
        if self.sent.messages:
            full = self.sent.bytes > SCTP_BYTES
            await asyncio.sleep(SETTLE_FULL_SECONDS if full else SETTLE_SECONDS)
        self._native.close()
        # The other side closes in turn when it has everything before that.
        return await self._wait(lambda: self._closed, seconds)

    def abandon(self) -> None:
        """It has closed, or its session is gone and takes it along."""
        if self._closed:
            return
        self._closed = True
        for handler in self._handlers:
            self._native.disconnect(handler)
        self._queue.put_nowait(None)
        self._on_closed(self)
        self._wake()

    def _buffered(self) -> int:
        return self._native.get_property("buffered-amount")

    def _on_message(self, message: str | bytes) -> None:
        self._arrived += len(message) + PENDING_MESSAGE_BYTES
        if self._arrived - self._taken > PENDING_BYTES:
            self._native.close()
            return
        _call_in(self._loop, self._queue.put_nowait, message)

    def _on_state(self) -> None:
        if self._native.get_property("ready-state") == State.CLOSED:
            self.abandon()
        self._wake()

    def _wake(self) -> None:
        async def notify() -> None:
            async with self._changed:
                self._changed.notify_all()

        self._loop.create_task(notify())

    async def _wait(self, condition: Callable[[], bool], seconds: float | None = None) -> bool:
        async def wait() -> None:
            async with self._changed:
                await self._changed.wait_for(condition)

        if condition():
            return True
        try:
            await asyncio.wait_for(wait(), seconds)
        except asyncio.TimeoutError:
            return condition()
        return True


class Endpoint:
    """Our end of everything: registered on the hub, with a session for each peer.

    on_event(name, **fields) is told what happens by itself: `connected` (peer), `disconnected`
    (peer, reason), `registered` (id), `warning` (message), `failed` (message: the end of it all).
    on_channel(channel) is given the channels that peers open.
    """

    def __init__(self, options, on_event: Callable, on_channel: Callable[[Channel], None]):
        if absent := [name for name in NEEDED if not elements.is_there(name)]:
            raise elements.missing(absent)
        self._element = Gst.ElementFactory.make("conicsink")
        for name, value in (
            ("uri", options.hub),
            ("token", options.token),
            ("tls-ca", options.tls_ca),
            ("client-id", options.id),
        ):
            if value:
                self._element.set_property(name, value)
        self.id = options.id
        # All that haven't closed.
        self.channels: list[Channel] = []
        self._sessions: dict[str, str] = {}
        self._on_event, self._on_channel = on_event, on_channel
        self._loop = asyncio.get_running_loop()
        self._registered = self._loop.create_future()
        self._trouble = ""
        self._calling: tuple[str, asyncio.Future] | None = None
        self._pipeline = Gst.Pipeline.new()
        self._pipeline.add(self._element)
        self._pipeline.get_bus().set_sync_handler(self._from_bus)
        self._element.connect("data-channel", self._from_channel)

    @property
    def peers(self) -> list[str]:
        """Whom we are connected to."""
        return sorted(self._sessions)

    async def start(self) -> str:
        """Registers; returns our id, or raises HubTrouble."""
        self._pipeline.set_state(Gst.State.PLAYING)
        return await self._registered

    async def stop(self) -> None:
        """Leaves everybody; nothing is told any more."""
        self._on_event = lambda *_args, **_fields: None
        # Elsewhere, since GStreamer waits there for its own threads.
        await asyncio.to_thread(self._pipeline.set_state, Gst.State.NULL)
        for channel in list(self.channels):
            channel.abandon()

    async def call(self, peer: str) -> None:
        """Connects to a peer; raises Failed with the reason if that can't be."""
        if peer in self._sessions:
            return
        if peer == self.id:
            raise Failed(f"“{peer}” is this peer itself")
        self._calling = peer, self._loop.create_future()
        self._element.set_property("target-id", peer)
        try:
            await asyncio.wait_for(self._calling[1], CALL_SECONDS)
        except asyncio.TimeoutError:
            raise Failed(f"“{peer}” doesn't answer") from None
        finally:
            self._calling = None
            # With a target it would call again and again, and take no calls of others.
            self._element.set_property("target-id", None)

    async def open(self, peer: str, label: str, protocol: str = "") -> Channel:
        """Opens a channel; raises Failed if it can't be."""
        if not label or "\0" in label:
            raise Failed("a channel needs a label")
        options = Gst.Structure.new_empty("options")
        options.set_value("protocol", protocol)
        # Waits for the association, in C.
        native = await asyncio.to_thread(
            self._element.emit, "open-data-channel", peer, None, label, options
        )
        if native is None:
            raise Failed(f"“{peer}” and this peer can't open the channel “{label}”")
        channel = Channel(self._loop, native, peer, True, self._forget)
        self.channels.append(channel)
        await channel.wait_open()
        return channel

    def stats(self) -> list[dict]:
        """What the element measures of each session, by the names of docs/elements."""
        sessions = self._element.get_property("stats").get_value("sessions") or []
        return [
            {session.nth_field_name(i): session.get_value(session.nth_field_name(i))
             for i in range(session.n_fields())}
            for session in sessions
        ]  # fmt: skip

    def _from_channel(self, _element, peer: str, _session: str, native) -> bool:
        try:
            channel = Channel(self._loop, native, peer, False, self._forget)
        except UnicodeDecodeError:
            native.close()
            return True
        _call_in(self._loop, self._add_channel, channel)
        return True

    def _add_channel(self, channel: Channel) -> None:
        # It may be closed by now, and what it said is to be heard nevertheless.
        if not channel.is_closed:
            self.channels.append(channel)
        self._on_channel(channel)

    def _forget(self, channel: Channel) -> None:
        if channel in self.channels:
            self.channels.remove(channel)

    def _from_bus(self, _bus, message: Gst.Message) -> Gst.BusSyncReply:
        if message.type == Gst.MessageType.ELEMENT:
            found = message.get_structure()
            words = [found.get_string(name) for name in ("peer-id", "session-id", "reason")]
            _call_in(self._loop, self._on_element_message, found.get_name(), found, *words)
        elif message.type == Gst.MessageType.WARNING:
            _call_in(self._loop, self._on_warning, *message.parse_warning())
        elif message.type == Gst.MessageType.ERROR:
            _call_in(self._loop, self._on_error, *message.parse_error())
        return Gst.BusSyncReply.DROP

    def _on_element_message(self, name, structure, peer, session, reason) -> None:
        if name == "conic-registered":
            self.id = structure.get_string("client-id")
            self._trouble = ""
            if not self._registered.done():
                self._registered.set_result(self.id)
            else:
                self._on_event("registered", id=self.id)
        elif name == "conic-session-started":
            self._sessions[peer] = session
            self._on_event("connected", peer=peer)
            if self._is_calling(peer):
                self._calling[1].set_result(None)
        elif name in ("conic-session-ended", "conic-session-failed"):
            self._on_session_ended(peer, session, reason)

    def _on_session_ended(self, peer: str, session: str, reason: str) -> None:
        if peer in self._sessions and self._sessions[peer] == session:
            del self._sessions[peer]
            for channel in [channel for channel in self.channels if channel.peer == peer]:
                channel.abandon()
            self._on_event("disconnected", peer=peer, reason=reason)
        elif self._is_calling(peer):
            self._calling[1].set_exception(Failed(reason))

    def _on_warning(self, warning: GLib.Error, words: str | None) -> None:
        # The element's own words, without its promise to try again.
        words = words or warning.message
        if not self._registered.done():
            self._registered.set_exception(HubTrouble(words))
        elif self._calling and f"“{self._calling[0]}”" in words:
            if not self._calling[1].done():
                self._calling[1].set_exception(Failed(words))
        elif "the hub" in words and words != self._trouble:
            # It tries again and again; one hears of that when the reason is another.
            self._trouble = words
            self._on_event("warning", message=f"{words}; calls go on, and it is tried again")

    def _on_error(self, error: GLib.Error, words: str | None) -> None:
        if not self._registered.done():
            self._registered.set_exception(HubTrouble(words or error.message))
        else:
            self._on_event("failed", message=words or error.message)

    def _is_calling(self, peer: str) -> bool:
        return bool(self._calling) and self._calling[0] == peer and not self._calling[1].done()
