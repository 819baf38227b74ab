# SPDX-License-Identifier: LGPL-2.1-or-later
"""conic datachannel: talks to peers, and sends and receives files, over data channels."""

import argparse
import asyncio
import base64
import inspect
import re
import signal
import sys
from pathlib import Path

from .. import hub, transfer
from ..channels import Channel, Endpoint
from ..console import Console
from ..exits import Exit, Failed, HubTrouble, Trouble, WrongUsage

SUMMARY = "talk to peers over data channels, send and receive files"
DESCRIPTION = """\
Talks to peers over data channels. In a terminal it has a line to type commands in; `help` lists
them. In a pipe each line of standard input is a command, and it ends when there are no more and
what was sent has arrived."""

PEER_ID = re.compile("[A-Za-z0-9._~-]{1,128}")
# What a call opens by itself, and the page that conicd serves, too.
CHAT = "chat"
HISTORY = "datachannel_history"
# How much of a message of bytes is shown.
SHOWN_BYTES = 32


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its arguments. Go's flags, as conic's own programs have them, begin with one dash."""
    parser.add_argument(
        "--role",
        "-role",
        choices=("offer", "answer"),
        help="offer: asks for a peer's id and calls it; answer: waits for a call, in a pipe also "
        "before the first command and after the last one; default: neither",
    )
    parser.add_argument("--id", metavar="NAME", help="our id (default: one that the hub assigns)")
    parser.add_argument(
        "--downloads",
        metavar="DIR",
        type=Path,
        default=Path("."),
        help="where received files go (default: the current directory)",
    )
    parser.add_argument("--no-files", action="store_true", help="refuse files")


def run(options: argparse.Namespace) -> int:
    """Runs until the end of the input, `quit` or Ctrl-C."""
    if not options.no_files and not options.downloads.is_dir():
        raise WrongUsage(f"{options.downloads} is not a directory")
    # GStreamer's texts needn't be UTF-8, and Python's bindings say so in a traceback.
    sys.excepthook = lambda _kind, error, _trace: print(
        f"conic datachannel: a message makes no sense: {error}", file=sys.stderr
    )
    talk = Talk(options)
    try:
        return asyncio.run(talk.run())
    except (KeyboardInterrupt, asyncio.CancelledError):
        return Exit.DONE if talk.registered else Exit.INTERRUPTED


class Talk:
    """The program: its commands are the methods `do_*`, whose first line of text is their help."""

    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.console = Console(options.json, self._completions(), HISTORY)
        self.endpoint: Endpoint | None = None
        self.registered = False
        self.failures = 0
        self._quitting = False
        self._transfers: dict[asyncio.Task, transfer.Transfer | None] = {}
        self._listeners: set[asyncio.Task] = set()
        self._closed: dict[str, str] = {}
        self._news = asyncio.Condition()

    async def run(self) -> int:
        """The whole of it; returns the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:
                loop.add_signal_handler(number, asyncio.current_task().cancel)
        self._fatal = loop.create_future()
        self.endpoint = Endpoint(self.options, self._on_event, self._on_channel)
        main = loop.create_task(self._main())
        try:
            await asyncio.wait({main, self._fatal}, return_when=asyncio.FIRST_COMPLETED)
            await (main if main.done() else self._fatal)
        finally:
            for task in (main, *self._transfers, *self._listeners):
                task.cancel()
            await self.endpoint.stop()
        return Exit.FAILED if self.failures and not self.console.interactive else Exit.DONE

    async def _main(self) -> None:
        own = await self.endpoint.start()
        self.registered = True
        self._say_registered(own)
        if self.options.role == "offer":
            await self._ask_for_peer()
        elif self.options.role == "answer" and not self.console.interactive:
            await self._until(lambda: self._channels())
        if self.console.interactive:
            self.console.say("hint", "help lists the commands; Ctrl-D ends")
        async for line in self.console.lines(f"{own}> "):
            await self._obey(line)
            if self._quitting:
                break
        await self._finish()

    async def _ask_for_peer(self) -> None:
        """What the role of the offerer begins with."""
        async for line in self.console.lines("Id of the peer to call: ", self._guess_peers):
            if not line.strip():
                continue
            try:
                await self.do_offer(line.strip())
                return
            except Failed as error:
                if not self.console.interactive:
                    raise
                self.console.complain(str(error))
        self._quitting = True

    async def _obey(self, line: str) -> None:
        """Does what a line says."""
        name, _, rest = line.strip("\r\n ").partition(" ")
        if not name or name.startswith("#"):
            return
        method = getattr(self, f"do_{name}", None)
        try:
            if method is None:
                raise Failed(f"there is no command “{name}”; help lists them")
            wanted = inspect.signature(method).parameters
            words = rest.strip(" ").split(" ", max(len(wanted) - 1, 0)) if rest.strip(" ") else []
            if len(words) != len(wanted):
                raise Failed(f"{name} is used so: {self._usage(name)}")
            await method(*words)
        except Trouble as error:
            self.failures += 1
            self.console.complain(str(error))

    async def _finish(self) -> None:
        """Waits until all has arrived."""
        if self.options.role == "answer" and not self.console.interactive and not self._quitting:
            await self._until(lambda: not self.endpoint.peers)
        if self._transfers:
            if self.console.interactive:
                self.console.say("hint", "waiting for the files; Ctrl-C ends at once")
            await asyncio.wait(self._transfers)
        talked = [channel for channel in self._channels() if channel.sent.messages]
        arrived = await asyncio.gather(*(channel.close() for channel in talked))
        for channel, all_of_it in zip(talked, arrived):
            if not all_of_it:
                self.failures += 1
                self.console.complain(f"not all that was sent to “{channel.name}” has arrived")

    # --- what happens by itself ---

    def _say_registered(self, own: str) -> None:
        self.console.say(
            "registered", f"You are “{own}” at {self.options.hub}", id=own, hub=self.options.hub
        )

    def _on_event(self, name: str, **fields) -> None:
        if name == "failed":
            if not self._fatal.done():
                self._fatal.set_exception(HubTrouble(fields["message"]))
        elif name == "registered":
            self._say_registered(fields["id"])
        elif name == "warning":
            self.console.complain(fields["message"])
        elif name == "connected":
            self.console.say(name, f"connected to “{fields['peer']}”", **fields)
        else:
            self.console.say(name, f"“{fields['peer']}” is gone: {fields['reason']}", **fields)
        self._tell()

    def _on_channel(self, channel: Channel) -> None:
        """A peer has opened a channel."""
        if channel.protocol == transfer.PROTOCOL:
            folder = None if self.options.no_files else self.options.downloads
            self._start_transfer(transfer.receive(channel, folder, self._on_transfer))
        else:
            self._listen(channel)

    def _listen(self, channel: Channel) -> None:
        fields = {"peer": channel.peer, "label": channel.label}
        who = "this peer" if channel.ours else f"“{channel.peer}”"
        self.console.say(
            "opened",
            f"{who} opened the channel “{channel.label}”"
            + (f" with “{channel.peer}”" if channel.ours else ""),
            **fields,
            protocol=channel.protocol,
            by="us" if channel.ours else "peer",
        )
        self._closed.pop(channel.label, None)

        async def listen() -> None:
            while (message := await channel.receive()) is not None:
                self._show_message(channel, message)
            self.endpoint.forget(channel)
            self._closed[channel.label] = channel.peer
            self.console.say(
                "closed", f"the channel “{channel.label}” with “{channel.peer}” is closed", **fields
            )
            self._tell()

        task = asyncio.get_running_loop().create_task(listen())
        self._listeners.add(task)
        task.add_done_callback(self._listeners.discard)
        self._tell()

    def _show_message(self, channel: Channel, message: str | bytes) -> None:
        fields = {"peer": channel.peer, "label": channel.label}
        if isinstance(message, str):
            self.console.say("message", f"{channel.name}: {message}", **fields, text=message)
            return
        self.console.say(
            "message",
            f"{channel.name}: {_show_bytes(message)}",
            **fields,
            data=base64.b64encode(message).decode(),
        )

    def _start_transfer(self, coroutine) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._transfers[task] = None
        task.add_done_callback(self._end_transfer)

    def _end_transfer(self, task: asyncio.Task) -> None:
        self._transfers.pop(task, None)
        if not task.cancelled():
            self.endpoint.forget(task.result().channel)
        self._show_transfers()

    def _on_transfer(self, what: transfer.Transfer) -> None:
        self._transfers[asyncio.current_task()] = what
        if what.state == "failed":
            self.failures += 1
        peer, out = what.channel.peer, what.direction == "out"
        way = f"to “{peer}”" if out else f"from “{peer}”"
        if what.state == "progress" and self.console.interactive:
            self._show_transfers()
        elif what.state == "started" and not out:
            pass  # nothing is known of it yet
        else:
            words = {
                "started": f"sending {what.name} {way}: {what.size} bytes",
                "progress": f"{what.name} {way}: {_progress(what)}",
                "done": f"{'sent' if out else 'received'} {what.name} {way}"
                + f"{'' if out else f' as {what.path}'}: {what.size} bytes, sha256 {what.sha256}",
                "failed": f"{what.name or 'a file'} {way} failed: {what.error}",
            }[what.state]
            self.console.say(
                "file",
                words,
                state=what.state,
                direction=what.direction,
                peer=peer,
                label=what.channel.label,
                name=what.name,
                size=what.size,
                bytes=what.bytes,
                **({"path": str(what.path), "sha256": what.sha256} if what.state == "done" else {}),
                **({"message": what.error} if what.error else {}),
            )

    def _show_transfers(self) -> None:
        running = [what for what in self._transfers.values() if what and what.state == "progress"]
        self.console.show_status(" | ".join(f"{what.name} {_progress(what)}" for what in running))

    # --- the commands ---

    async def do_offer(self, peer_id: str) -> None:
        """connect to a peer, and open the channel “chat”"""
        if not PEER_ID.fullmatch(peer_id):
            raise Failed(
                f"“{peer_id}” is not an id: 1 to 128 of the characters A-Z a-z 0-9 . _ ~ -"
            )
        await self.endpoint.call(peer_id)
        if not self._channels(f"{peer_id}/{CHAT}"):
            self._listen(await self.endpoint.open(peer_id, CHAT))

    async def do_channel(self, label: str) -> None:
        """open a channel with all who are connected, or as PEER/LABEL with one"""
        peers, label = self._peers_of(label)
        new = [peer for peer in peers if not self._channels(f"{peer}/{label}")]
        if not new:
            raise Failed(f"there is a channel “{label}” already")
        for peer in new:
            self._listen(await self.endpoint.open(peer, label))

    async def do_send(self, label: str, message: str) -> None:
        """send a message on a channel: to all who have it, or by PEER/LABEL to one"""
        found = {channel.peer: channel for channel in reversed(self._channels(label))}
        if not found and label in self._closed:
            raise Failed(f"the channel “{label}” with “{self._closed[label]}” is closed")
        if not found:
            raise Failed(f"there is no channel “{label}”; to open one: channel {label}")
        for channel in found.values():
            await channel.send(message)

    async def do_file(self, label: str, path: str) -> None:
        """send a file, on a channel of its own with that label"""
        found = transfer.check(path)
        peers, label = self._peers_of(label)
        for peer in peers:
            channel = await self.endpoint.open(peer, label, transfer.PROTOCOL)
            self._start_transfer(transfer.send(channel, found, self._on_transfer))

    async def do_list(self) -> None:
        """show the channels"""
        channels = [
            {
                "peer": channel.peer,
                "label": channel.label,
                "protocol": channel.protocol,
                "sent": channel.sent.messages,
                "received": channel.received.messages,
            }
            for channel in self.endpoint.channels
        ]
        lines = [
            f"{one['peer']}/{one['label']}: {one['sent']} sent, {one['received']} received"
            + (f" ({one['protocol']})" if one["protocol"] else "")
            for one in channels
        ]
        self._say_lines("channels", lines or ["there are no channels"], channels=channels)

    async def do_peers(self) -> None:
        """show who is on the hub"""
        peers = await asyncio.to_thread(self._ask_hub)
        connected = set(self.endpoint.peers)
        lines = [f"{peer} (connected)" if peer in connected else peer for peer in peers]
        self._say_lines("peers", lines or ["nobody else is on the hub"], peers=peers)

    async def do_stats(self) -> None:
        """show the round trip of each connection, and what went over its channels"""
        sessions = []
        for measured in self.endpoint.stats():
            peer = measured["peer-id"]
            sessions.append(
                {
                    "peer": peer,
                    "path": measured["path"],
                    "round_trip_time": measured["round-trip-time"],
                    "channels": [
                        {"label": channel.label, "sent": vars(channel.sent),
                         "received": vars(channel.received)}
                        for channel in self.endpoint.channels if channel.peer == peer
                    ],
                }
            )  # fmt: skip
        lines = []
        for one in sessions:
            # GStreamer 1.22 tells the path of sound and pictures only.
            known = [] if one["path"] == "unknown" else [f"path {one['path']}"]
            if one["round_trip_time"] >= 0:
                known.append(f"round trip {one['round_trip_time'] * 1000:.1f} ms")
            lines.append(f"{one['peer']}: {', '.join(known) or 'nothing measured yet'}")
            lines += [
                f"  {channel['label']}: sent {_count(channel['sent'])},"
                f" received {_count(channel['received'])}"
                for channel in one["channels"]
            ]
        self._say_lines("stats", lines or ["nobody is connected"], sessions=sessions)

    async def do_help(self) -> None:
        """show the commands"""
        names = self._names()
        lines = [f"{self._usage(name):24}{getattr(self, 'do_' + name).__doc__}" for name in names]
        self._say_lines("help", lines, commands=[self._usage(name) for name in names])

    async def do_quit(self) -> None:
        """end, once what was sent has arrived"""
        self._quitting = True

    # --- what the commands share ---

    def _channels(self, label: str | None = None) -> list[Channel]:
        """The open channels for talking: all, those with a label, or the one of PEER/LABEL."""
        return [
            channel
            for channel in self.endpoint.channels
            if channel.is_open
            and channel.protocol != transfer.PROTOCOL
            and label in (None, channel.label, channel.name)
        ]

    def _peers_of(self, label: str) -> tuple[list[str], str]:
        """Whom LABEL (all who are connected) or PEER/LABEL is about, and the label."""
        peer, slash, rest = label.partition("/")
        if slash and peer in self.endpoint.peers:
            return [peer], rest
        if not self.endpoint.peers:
            raise Failed("nobody is connected; to connect: offer PEER_ID")
        return self.endpoint.peers, label

    def _say_lines(self, event: str, lines: list[str], **fields) -> None:
        if self.console.as_json:
            self.console.say(event, "", **fields)
        else:
            for line in lines:
                self.console.say(event, line)

    def _ask_hub(self) -> list[str]:
        """Who else is there; by a connection of its own, since the element has no word for it."""
        options = self.options
        try:
            with hub.Client(options.hub, options.token, options.tls_ca) as client:
                return [peer for peer in client.peers() if peer != self.endpoint.id]
        except hub.Refused as error:
            if error.error_code == "id_taken":
                raise Failed(
                    "the hub tells that only to a token that is good for a second id"
                ) from None
            raise

    def _guess_peers(self) -> list[str]:
        try:
            return self._ask_hub()
        except Trouble:
            return []

    def _labels(self) -> list[str]:
        found = self._channels()
        names = {channel.label for channel in found}
        if len(self.endpoint.peers) > 1:
            names |= {channel.name for channel in found}
        return sorted(names)

    def _completions(self) -> dict:
        arguments = {
            "offer": [self._guess_peers],
            "channel": [self._labels],
            "send": [self._labels],
            "file": [self._labels, None],
        }
        return {name: arguments.get(name, []) for name in self._names()}

    @classmethod
    def _names(cls) -> list[str]:
        return [name[3:] for name in vars(cls) if name.startswith("do_")]

    @classmethod
    def _usage(cls, name: str) -> str:
        wanted = list(inspect.signature(getattr(cls, "do_" + name)).parameters)[1:]
        return " ".join([name, *(f"<{parameter}>" for parameter in wanted)])

    async def _until(self, condition) -> None:
        async with self._news:
            await self._news.wait_for(condition)

    def _tell(self) -> None:
        async def notify() -> None:
            async with self._news:
                self._news.notify_all()

        asyncio.get_running_loop().create_task(notify())


def _show_bytes(data: bytes) -> str:
    """Bytes as a text if they are one, which some programs send so; else in hexadecimal."""
    try:
        text = data.decode()
        if text.isprintable():
            return text
    except UnicodeDecodeError:
        pass
    shown = data[:SHOWN_BYTES].hex() + ("…" if len(data) > SHOWN_BYTES else "")
    return f"{len(data)} bytes: {shown}"


def _progress(what: transfer.Transfer) -> str:
    percent = 100 * what.bytes // max(what.size, 1)
    return f"{percent} % of {what.size} bytes, {what.rate / 1e6:.1f} MB/s"


def _count(one: dict) -> str:
    return f"{one['messages']} messages ({one['bytes']} bytes)"
