# SPDX-License-Identifier: LGPL-2.1-or-later
"""What conic datachannel does: peers, channels and files, and what it says of them."""

import argparse
import asyncio
import base64
import signal

from .channels import Channel, Endpoint
from .console import Console
from .exits import Exit, Failed, HubTrouble
from .talk_commands import Commands
from .talk_files import Files
from .transfer import PROTOCOL as FILE_PROTOCOL

HISTORY = "datachannel_history"
# How much of a message of bytes is shown.
SHOWN_BYTES = 32


class Talk:
    """Runs until the input ends, and then until everything has arrived."""

    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.commands = Commands(self)
        self.console = Console(options.json, self.commands.completions(), HISTORY, self._end_by)
        self.files = Files(options, self.console)
        self.endpoint: Endpoint | None = None
        self.registered = False
        self.failures = 0
        self.quitting = False
        self._talked = False
        self._listeners: set[asyncio.Task] = set()
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
            self.files.cancel()
            for task in (main, *self._listeners):
                task.cancel()
            await self.endpoint.stop()
            # All is done. Python 3.11 can crash when it is interrupted while its last threads begin.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        failures = self.failures + self.files.failures
        return Exit.FAILED if failures and not self.console.interactive else Exit.DONE

    async def _main(self) -> None:
        own = await self.endpoint.start()
        self.registered = True
        self._say_registered(own)
        if self.options.role == "offer":
            await self._ask_for_peer()
        elif self.options.role == "answer" and not self.console.interactive:
            await self._until(lambda: self._talked)
        if self.console.interactive:
            self.console.say("hint", "help lists the commands; Ctrl-D ends")
        async for line in self.console.lines(f"{own}> "):
            await self.commands.obey(line)
            if self.quitting:
                break
        await self._finish()

    async def _ask_for_peer(self) -> None:
        """What the role of the offerer begins with."""
        async for line in self.console.lines("Id of the peer to call: ", self.commands.guess_peers):
            peer = line.strip()
            if not peer:
                continue
            if " " in peer and self.console.interactive:
                # No id, but perhaps the answer to one who called us meanwhile.
                await self.commands.obey(peer)
                continue
            try:
                await self.commands.do_offer(peer)
                return
            except Failed as error:
                if not self.console.interactive:
                    raise
                self.console.complain(str(error))
        self.quitting = True

    async def _finish(self) -> None:
        """Waits until all has arrived."""
        if self.options.role == "answer" and not self.console.interactive and not self.quitting:
            await self._until(lambda: not self.endpoint.peers)
        await self.files.finish()
        talked = [channel for channel in self.channels() if channel.sent.messages]
        arrived = await asyncio.gather(*(channel.close() for channel in talked))
        for channel, all_of_it in zip(talked, arrived):
            if not all_of_it:
                self.fail(f"not all that was sent to “{channel.name}” has arrived")

    # --- what happens by itself ---

    def _say_registered(self, own: str) -> None:
        self.console.say(
            "registered", f"You are “{own}” at {self.options.hub}", id=own, hub=self.options.hub
        )

    def _end_by(self, error: Exception) -> None:
        if not self._fatal.done():
            self._fatal.set_exception(error)

    def _on_event(self, name: str, **fields) -> None:
        if name == "failed":
            self._end_by(HubTrouble(fields["message"]))
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
        self._talked = True
        if channel.protocol == FILE_PROTOCOL:
            self.files.take(channel)
        else:
            self.listen(channel)

    def listen(self, channel: Channel) -> None:
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

        async def listen() -> None:
            while (message := await channel.receive()) is not None:
                self._show_message(channel, message)
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

    # --- for the commands ---

    def fail(self, words: str) -> None:
        """Tells of something that didn't work, which counts in the end."""
        self.failures += 1
        self.console.complain(words)

    def channels(self, label: str | None = None) -> list[Channel]:
        """The open channels for talking: all, those with a label, or the one of PEER/LABEL."""
        return [
            channel
            for channel in self.endpoint.channels
            if channel.is_open
            and channel.protocol != FILE_PROTOCOL
            and label in (None, channel.label, channel.name)
        ]

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
