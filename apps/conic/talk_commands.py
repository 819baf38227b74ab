# SPDX-License-Identifier: LGPL-2.1-or-later
"""The commands of conic datachannel, as they are typed."""

import asyncio
import inspect

from . import hub, transfer
from .exits import Failed, Trouble

# What a call opens by itself, and the page that conicd serves, too.
CHAT = "chat"


class Commands:
    """Each method `do_*` is a command: its arguments are what is typed, its text is the help."""

    def __init__(self, talk):
        self._talk = talk

    async def obey(self, line: str) -> None:
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
            self._talk.fail(str(error))

    async def do_offer(self, peer_id: str) -> None:
        """connect to a peer, and open the channel “chat”"""
        if not hub.PEER_ID.fullmatch(peer_id):
            raise Failed(
                f"“{peer_id}” is not an id: 1 to 128 of the characters A-Z a-z 0-9 . _ ~ -"
            )
        await self._talk.endpoint.call(peer_id)
        if not self._talk.channels(f"{peer_id}/{CHAT}"):
            self._talk.listen(await self._talk.endpoint.open(peer_id, CHAT))

    async def do_channel(self, label: str) -> None:
        """open a channel with all who are connected, or as PEER/LABEL with one"""
        peers, label = self._peers_of(label)
        new = [peer for peer in peers if not self._talk.channels(f"{peer}/{label}")]
        if not new:
            raise Failed(f"there is a channel “{label}” already")
        for peer in new:
            self._talk.listen(await self._talk.endpoint.open(peer, label))

    async def do_send(self, label: str, message: str) -> None:
        """send a message on a channel: to all who have it, or by PEER/LABEL to one"""
        found = {channel.peer: channel for channel in reversed(self._talk.channels(label))}
        if not found:
            raise Failed(f"there is no channel “{label}”; to open one: channel {label}")
        for channel in found.values():
            await channel.send(message)

    async def do_file(self, label: str, path: str) -> None:
        """send a file, on a channel of its own with that label"""
        found = transfer.check(path)
        peers, label = self._peers_of(label)
        for peer in peers:
            channel = await self._talk.endpoint.open(peer, label, transfer.PROTOCOL)
            self._talk.files.send(channel, found)

    async def do_accept(self, number: str) -> None:
        """take the file that a peer offers under that number"""
        self._talk.files.answer(number, True)

    async def do_decline(self, number: str) -> None:
        """refuse it"""
        self._talk.files.answer(number, False)

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
            for channel in self._talk.endpoint.channels
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
        connected = set(self._talk.endpoint.peers)
        lines = [f"{peer} (connected)" if peer in connected else peer for peer in peers]
        self._say_lines("peers", lines or ["nobody else is on the hub"], peers=peers)

    async def do_stats(self) -> None:
        """show the round trip of each connection, and what went over its channels"""
        sessions = []
        for measured in self._talk.endpoint.stats():
            peer = measured["peer-id"]
            sessions.append(
                {
                    "peer": peer,
                    "path": measured["path"],
                    "round_trip_time": measured["round-trip-time"],
                    "channels": [
                        {"label": channel.label, "sent": vars(channel.sent),
                         "received": vars(channel.received)}
                        for channel in self._talk.endpoint.channels if channel.peer == peer
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
        self._talk.quitting = True

    # --- what they share ---

    def _peers_of(self, label: str) -> tuple[list[str], str]:
        """Whom LABEL (all who are connected) or PEER/LABEL is about, and the label."""
        peer, slash, rest = label.partition("/")
        if slash and peer in self._talk.endpoint.peers:
            return [peer], rest
        if not self._talk.endpoint.peers:
            raise Failed("nobody is connected; to connect: offer PEER_ID")
        return self._talk.endpoint.peers, label

    def _say_lines(self, event: str, lines: list[str], **fields) -> None:
        if self._talk.console.as_json:
            self._talk.console.say(event, "", **fields)
        else:
            for line in lines:
                self._talk.console.say(event, line)

    def _ask_hub(self) -> list[str]:
        """Who else is there; by a connection of its own, since the element has no word for it."""
        options = self._talk.options
        try:
            with hub.Client(options.hub, options.token, options.tls_ca) as client:
                return [peer for peer in client.peers() if peer != self._talk.endpoint.id]
        except hub.Refused as error:
            if error.error_code == "id_taken":
                raise Failed(
                    "the hub tells that only to a token that is good for a second id"
                ) from None
            raise

    def guess_peers(self) -> list[str]:
        try:
            return self._ask_hub()
        except Trouble:
            return []

    def _labels(self) -> list[str]:
        found = self._talk.channels()
        names = {channel.label for channel in found}
        if len(self._talk.endpoint.peers) > 1:
            names |= {channel.name for channel in found}
        return sorted(names)

    def _offers(self) -> list[str]:
        return self._talk.files.offers()

    def completions(self) -> dict:
        arguments = {
            "offer": [self.guess_peers],
            "channel": [self._labels],
            "send": [self._labels],
            "file": [self._labels, None],
            "accept": [self._offers],
            "decline": [self._offers],
        }
        return {name: arguments.get(name, []) for name in self._names()}

    @classmethod
    def _names(cls) -> list[str]:
        return [name[3:] for name in vars(cls) if name.startswith("do_")]

    @classmethod
    def _usage(cls, name: str) -> str:
        wanted = list(inspect.signature(getattr(cls, "do_" + name)).parameters)[1:]
        return " ".join([name, *(f"<{parameter}>" for parameter in wanted)])


def _count(one: dict) -> str:
    return f"{one['messages']} messages ({one['bytes']} bytes)"
