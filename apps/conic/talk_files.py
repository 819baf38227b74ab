# SPDX-License-Identifier: LGPL-2.1-or-later
"""The files of conic datachannel: which are taken, how far they are, and what is said of them.

A file that a peer offers is taken when somebody says so. With --accept-files that has been said
for all of them, with --no-files for none; else who sits at the terminal is asked about each. Where
nobody does, none is taken.
"""

import argparse
import asyncio
from pathlib import Path

from . import transfer
from .channels import Channel
from .console import Console
from .exits import Failed
from .transfer import Refused, Transfer

# How many files of one peer somebody can be asked about at a time; it may hold a part of each.
OFFERS_PER_PEER = 8


class Files:
    """All transfers; `failures` counts those that failed."""

    def __init__(self, options: argparse.Namespace, console: Console):
        self.failures = 0
        self._options, self._console = options, console
        self._tasks: set[asyncio.Task] = set()
        self._moving: list[Transfer] = []
        # By the number to answer with. None is used twice, so that no answer is for a file that
        # came while it was typed.
        self._offers: dict[str, tuple[Transfer, asyncio.Future]] = {}
        self._asked = 0

    def take(self, channel: Channel) -> None:
        """A peer has opened a channel for a file."""
        folder = self._options.downloads or Path(".")
        self._start(transfer.receive(channel, folder, self._permit, self._on_change))

    def send(self, channel: Channel, path: Path) -> None:
        """Sends a file on a channel that was opened for it."""
        self._start(transfer.send(channel, path, self._on_change))

    def offers(self) -> list[str]:
        """The numbers of the files that somebody is asked about."""
        return list(self._offers)

    def answer(self, number: str, accepted: bool) -> None:
        """What somebody says to one of those; raises Failed if there is none of that number."""
        if number not in self._offers:
            others = f", but {', '.join(self._offers)}" if self._offers else ""
            raise Failed(f"no file is offered as “{number}”{others}")
        _, answer = self._offers.pop(number)
        answer.set_result(accepted)

    async def finish(self) -> None:
        """Waits for those on their way; what nobody has accepted by now is declined."""
        for number in self.offers():
            self.answer(number, False)
        if self._tasks:
            if self._console.interactive:
                self._console.say("hint", "waiting for the files; Ctrl-C ends at once")
            await asyncio.wait(self._tasks)

    def cancel(self) -> None:
        """Ends all of them."""
        for task in self._tasks:
            task.cancel()

    def _start(self, coroutine) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _permit(self, what: Transfer) -> None:
        """Returns when a file may be taken; raises Refused if it may not."""
        if self._options.accept_files:
            return
        if self._options.no_files or not self._console.interactive:
            raise Refused("this peer takes no files")
        peer = what.channel.peer
        if sum(other.channel.peer == peer for other, _ in self._offers.values()) >= OFFERS_PER_PEER:
            raise Refused(f"{OFFERS_PER_PEER} files wait for an answer already")
        self._asked += 1
        number, answer = str(self._asked), asyncio.get_running_loop().create_future()
        self._offers[number] = what, answer
        self._console.say(
            "offered",
            f"“{peer}” offers {what.name}, {what.size} bytes: accept {number} or decline {number}?",
        )
        closing = asyncio.create_task(what.channel.wait_closed())
        try:
            await asyncio.wait({answer, closing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            closing.cancel()
            self._offers.pop(number, None)
        if not answer.done():
            raise Failed(f"“{peer}” offers it no more")
        if not answer.result():
            raise Refused("the file was declined")

    def _on_change(self, what: Transfer) -> None:
        if what.state == "started":
            self._moving.append(what)
        elif what.state != "progress" and what in self._moving:
            self._moving.remove(what)
        self.failures += what.state == "failed"
        if self._console.interactive:
            self._console.show_status(
                " | ".join(f"{one.name} {_progress(one)}" for one in self._moving if one.bytes)
            )
        if what.state != "progress" or not self._console.interactive:
            self._console.say("file", _words(what), **_fields(what))


def _words(what: Transfer) -> str:
    out, name = what.direction == "out", what.name or "a file"
    way = f"to “{what.channel.peer}”" if out else f"from “{what.channel.peer}”"
    if what.state == "started":
        return f"{'sending' if out else 'receiving'} {name} {way}: {what.size} bytes"
    if what.state == "progress":
        return f"{name} {way}: {_progress(what)}"
    if what.state == "done":
        done = f"sent {name} {way}" if out else f"received {name} {way} as {what.path}"
        return f"{done}: {what.size} bytes, sha256 {what.sha256}"
    return f"{name} {way} {what.state}: {what.error}"


def _fields(what: Transfer) -> dict:
    fields = {
        "state": what.state,
        "direction": what.direction,
        "peer": what.channel.peer,
        "label": what.channel.label,
        "name": what.name,
        "size": what.size,
        "bytes": what.bytes,
    }
    if what.state == "done":
        fields.update(path=str(what.path), sha256=what.sha256)
    if what.error:
        fields["message"] = what.error
    return fields


def _progress(what: Transfer) -> str:
    percent = 100 * what.bytes // max(what.size, 1)
    return f"{percent} % of {what.size} bytes, {what.rate / 1e6:.1f} MB/s"
