# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files over data channels, in the words of docs/protocol.md (conic.file)."""

import asyncio
import contextlib
import dataclasses
import hashlib
import json
import mimetypes
import os
import re
import stat
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from .channels import Channel
from .exits import Failed

PROTOCOL = "conic.file"
# What one message carries, what may be on its way without an answer, and how often one comes.
CHUNK_BYTES, WINDOW_BYTES, ANSWER_BYTES = 16384, 1 << 20, 256 << 10
# A side that hears nothing for that long gives up; but who receives may have to ask somebody first.
SILENCE_SECONDS, ASKING_SECONDS = 30, 600
# The other side closes when it has heard that all arrived.
CLOSE_SECONDS = 10
# Between two words of progress.
REPORT_SECONDS = 1
# A file system's limit, with room for " (99)" and the like.
NAME_BYTES = 200


class Refused(Failed):
    """We don't take a file, for a reason of our own."""


@dataclasses.dataclass(eq=False)
class Transfer:
    """A file on its way; `state` is started, progress, done, failed or refused."""

    channel: Channel
    direction: str  # "out" or "in"
    name: str
    size: int
    on_change: Callable[["Transfer"], None]
    state: str = "started"
    bytes: int = 0
    sha256: str = ""
    path: Path | None = None
    error: str = ""
    started: float = dataclasses.field(default_factory=time.monotonic)
    reported: float = dataclasses.field(default_factory=time.monotonic)

    def tell(self, state: str) -> None:
        """Says that something has changed."""
        self.state, self.reported = state, time.monotonic()
        self.on_change(self)

    def advance(self, now_at: int) -> None:
        """Says how far it is, now and then."""
        self.bytes = now_at
        if time.monotonic() - self.reported >= REPORT_SECONDS:
            self.tell("progress")

    @property
    def rate(self) -> float:
        """Bytes a second so far."""
        return self.bytes / max(time.monotonic() - self.started, 0.001)


@contextlib.asynccontextmanager
async def _told(transfer: Transfer):
    """Tells both the user and the other side of a failure, and closes the channel in the end."""
    try:
        yield
        transfer.tell("done")
    except (Failed, OSError) as error:
        transfer.error = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        transfer.tell("refused" if isinstance(error, Refused) else "failed")
        with contextlib.suppress(Failed):
            await transfer.channel.send(json.dumps({"error": transfer.error}))
    if transfer.direction == "in" and transfer.state == "done":
        # It is the sender who closes, once it has heard.
        with contextlib.suppress(Failed, asyncio.TimeoutError):
            await transfer.channel.send(json.dumps({"received": transfer.size}))
            while await asyncio.wait_for(transfer.channel.receive(), CLOSE_SECONDS) is not None:
                pass
    await transfer.channel.close(CLOSE_SECONDS)


async def _next(channel: Channel, seconds: float = SILENCE_SECONDS) -> str | bytes:
    """The next message; raises Failed when there is none, or when it says that something failed."""
    try:
        message = await asyncio.wait_for(channel.receive(), seconds)
    except asyncio.TimeoutError:
        raise Failed(f"“{channel.peer}” has been silent for {seconds} s") from None
    if message is None:
        raise Failed(f"“{channel.peer}” closed the channel before the end")
    if isinstance(message, str) and "error" in _words(message):
        raise Failed(f"“{channel.peer}” says: {_words(message)['error']}")
    return message


def _words(text: str | bytes) -> dict:
    """What a text message says, or nothing if it isn't a JSON object."""
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {}


def check(path: str) -> Path:
    """The path of a file that can be sent; raises Failed if it can't."""
    found = Path(path).expanduser()
    try:
        mode = found.stat().st_mode
    except (OSError, ValueError) as error:
        raise Failed(f"{found}: {getattr(error, 'strerror', error)}") from None
    if not stat.S_ISREG(mode):
        raise Failed(f"{found} is not a file")
    if not os.access(found, os.R_OK):
        raise Failed(f"{found} can't be read")
    return found


async def send(channel: Channel, path: Path, on_change: Callable[[Transfer], None]) -> None:
    """Sends a file on a channel that was opened for it."""
    transfer = Transfer(channel, "out", path.name, 0, on_change, path=path)
    async with _told(transfer):
        with path.open("rb") as file:
            transfer.size = os.fstat(file.fileno()).st_size
            transfer.tell("started")
            await _send(transfer, file)


async def _send(transfer: Transfer, file) -> None:
    about = {"name": transfer.name, "size": transfer.size}
    if kind := mimetypes.guess_type(transfer.name)[0]:
        about["type"] = kind
    await transfer.channel.send(json.dumps(about))
    digest, sent, received = hashlib.sha256(), 0, -1
    while received < transfer.size:
        while sent < transfer.size and sent + CHUNK_BYTES - max(received, 0) <= WINDOW_BYTES:
            chunk = file.read(min(CHUNK_BYTES, transfer.size - sent))
            if not chunk:
                raise Failed(f"{transfer.name} became shorter meanwhile")
            digest.update(chunk)
            await transfer.channel.send(chunk)
            sent += len(chunk)
        patience = ASKING_SECONDS if received < 0 else SILENCE_SECONDS
        number = _words(await _next(transfer.channel, patience)).get("received")
        if type(number) is not int or not max(received, 0) <= number <= sent:
            raise Failed(f"“{transfer.channel.peer}” answers what makes no sense")
        received = number
        transfer.advance(received)
    transfer.sha256 = digest.hexdigest()


async def receive(
    channel: Channel,
    folder: Path,
    permit: Callable[[Transfer], Awaitable[None]],
    on_change: Callable[[Transfer], None],
) -> None:
    """Receives a file into a folder once `permit` has returned, which may raise Refused instead."""
    transfer = Transfer(channel, "in", "", 0, on_change)
    async with _told(transfer):
        about = _words(await _next(channel))
        name, size = about.get("name"), about.get("size")
        if not isinstance(name, str) or type(size) is not int or size < 0:
            raise Failed("the file has no name or no size")
        transfer.name, transfer.size = safe_name(name), size
        await permit(transfer)
        with _kept(transfer, folder) as file:
            transfer.tell("started")
            await _receive(transfer, file)


async def _receive(transfer: Transfer, file) -> None:
    digest, answered = hashlib.sha256(), 0
    while transfer.bytes < transfer.size:
        chunk = await _next(transfer.channel)
        if not isinstance(chunk, bytes):
            raise Failed("there is text where the file should be")
        if transfer.bytes + len(chunk) > transfer.size:
            raise Failed("more came than the size that was said")
        file.write(chunk)
        digest.update(chunk)
        transfer.advance(transfer.bytes + len(chunk))
        if transfer.bytes - answered >= ANSWER_BYTES and transfer.bytes < transfer.size:
            answered = transfer.bytes
            await transfer.channel.send(json.dumps({"received": answered}))
    transfer.sha256 = digest.hexdigest()


def safe_name(name: str) -> str:
    """The last component of a name that a peer gave, as a name for a visible file here."""
    last = re.split(r"[/\\]", name)[-1]
    last = "".join(char if char.isprintable() else "_" for char in last).strip()
    if last.startswith("."):
        last = "_" + last[1:]
    stem, suffix = os.path.splitext(last)
    suffix = suffix if len(suffix.encode()) <= NAME_BYTES // 4 else ""
    stem = stem.encode()[: NAME_BYTES - len(suffix.encode())].decode(errors="ignore")
    return (stem + suffix).strip() or "file"


def _free_names(folder: Path, name: str) -> Iterator[Path]:
    stem, suffix = os.path.splitext(name)
    yield folder / name
    for number in range(1, 10000):
        yield folder / f"{stem} ({number}){suffix}"


@contextlib.contextmanager
def _kept(transfer: Transfer, folder: Path):
    """A file to write to, which gets a free name in the folder when all has come, else vanishes."""
    descriptor, part = tempfile.mkstemp(prefix=f".{transfer.name}.", suffix=".part", dir=folder)
    try:
        with open(descriptor, "wb") as file:
            yield file
        transfer.path = _claim(folder, transfer.name)
        # With the permissions that a new file gets, not those of a temporary one.
        os.chmod(part, stat.S_IMODE(transfer.path.stat().st_mode))
        os.replace(part, transfer.path)
    except BaseException:
        os.unlink(part)
        raise


def _claim(folder: Path, name: str) -> Path:
    """Makes an empty file under the first name that nothing has yet."""
    for path in _free_names(folder, name):
        with contextlib.suppress(FileExistsError):
            path.touch(exist_ok=False)
            return path
    raise Failed(f"there are too many files like {name}")
