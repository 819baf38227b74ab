#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""python3-websockets as a client that takes commands and reports what happens, see test_clients.py."""

import asyncio
import json
import sys

import websockets


def report(event, **fields):
    print(json.dumps({"ev": event, **fields}), flush=True)


class Client(websockets.WebSocketClientProtocol):
    """The library's own client, which also tells of pings."""

    async def ping(self, data=None):
        waiter = await super().ping(data)
        waiter.add_done_callback(lambda done: done.cancelled() or done.exception() or report("pong", text=data))
        return waiter

    async def pong(self, data=b""):
        report("ping", text=data.decode())
        await super().pong(data)


async def listen(socket):
    try:
        async for data in socket:
            binary = isinstance(data, bytes)
            report("message", text=data.decode() if binary else data, binary=binary)
    except websockets.ConnectionClosed:
        pass
    report("close", code=socket.close_code, reason=socket.close_reason)


async def obey(socket, command):
    if command["cmd"] == "send":
        parts = command["parts"]
        await socket.send(parts if len(parts) > 1 else parts[0])
    elif command["cmd"] == "bytes":
        await socket.send(bytes.fromhex(command["hex"]))
    elif command["cmd"] == "ping":
        await socket.ping(command["text"])
    elif command["cmd"] == "close":
        await socket.close(command["code"], command["reason"])
    elif command["cmd"] == "terminate":
        socket.transport.abort()


async def main():
    socket = await websockets.connect(sys.argv[1], create_protocol=Client, max_size=1 << 20, ping_interval=None)
    report("open", extensions=", ".join(e.name for e in socket.extensions))
    listener = asyncio.ensure_future(listen(socket))
    lines = asyncio.StreamReader(limit=1 << 22)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        await obey(socket, json.loads(line))
    listener.cancel()


asyncio.run(main())
