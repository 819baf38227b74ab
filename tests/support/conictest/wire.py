# SPDX-License-Identifier: LGPL-2.1-or-later
"""A peer that is nothing but a WebSocket, and a hub in between that rewrites what passes."""

import asyncio
import json
import queue
import re
import socket
import threading

import websockets

from . import tap

MAX_MESSAGE_BYTES = 1 << 20


class _Loop:
    """An asyncio loop on a thread of its own."""

    def __init__(self, case):
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        case.addCleanup(self._stop)

    def run(self, coroutine, timeout=10):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(tap.seconds(timeout))

    def _stop(self):
        async def cancel():
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self.run(cancel())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


class BarePeer:
    """A client of the envelope dialect that answers nothing by itself; `received` holds what came for it."""

    def __init__(self, case, uri, client_id):
        self.client_id = client_id
        self.received = queue.Queue()
        self._loop = _Loop(case)
        self._socket = self._loop.run(self._connect(uri))
        # Left open, it would keep the hub waiting for the end of the closing handshake.
        case.addCleanup(self.close)

    async def _connect(self, uri):
        connection = await websockets.connect(uri, max_size=MAX_MESSAGE_BYTES)
        await connection.send(
            json.dumps(
                {"id": "1", "type": "register_request", "data": {"client_id": self.client_id}}
            )
        )
        answer = json.loads(await connection.recv())
        assert answer["type"] == "register_response" and answer["data"]["success"], answer
        self.client_id = answer["data"]["client_id"]
        asyncio.get_running_loop().create_task(self._read(connection))
        return connection

    async def _read(self, connection):
        try:
            async for text in connection:
                self.received.put(json.loads(text))
        except websockets.ConnectionClosed:
            pass

    def send(self, kind, **data):
        """Sends a message of that type."""
        message = {"id": "2", "type": kind, "data": {"from_id": self.client_id, **data}}
        self._loop.run(self._socket.send(json.dumps(message)))

    def wait(self, kind, timeout=20):
        """The next message of that type; others are passed over."""
        while True:
            message = self.received.get(timeout=tap.seconds(timeout))
            if message["type"] == kind:
                return message

    def close(self):
        """Leaves the hub."""
        self._loop.run(self._socket.close())


class MeddlingHub:
    """Stands between clients and a hub and rewrites messages on their way to a client.

    rewrite(client_id, text) → text, called for each text message the hub sends to that client.
    """

    def __init__(self, case, upstream, rewrite):
        self._upstream = upstream
        self._rewrite = rewrite
        self._loop = _Loop(case)
        server = self._loop.run(self._serve())
        self.port = server.sockets[0].getsockname()[1]
        self.uri = f"ws://127.0.0.1:{self.port}/ws"
        case.addCleanup(self._loop.loop.call_soon_threadsafe, server.close)

    async def _serve(self):
        return await websockets.serve(self._client, "127.0.0.1", 0, max_size=MAX_MESSAGE_BYTES)

    async def _client(self, client, path="/ws"):
        name = [""]
        async with websockets.connect(self._upstream, max_size=MAX_MESSAGE_BYTES) as hub:

            async def upwards():
                async for text in client:
                    await hub.send(text)

            async def downwards():
                async for text in hub:
                    if not name[0]:
                        name[0] = json.loads(text).get("data", {}).get("client_id", "")
                    await client.send(self._rewrite(name[0], text))

            tasks = [asyncio.ensure_future(upwards()), asyncio.ensure_future(downwards())]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)


_FINGERPRINT = re.compile(r"(a=fingerprint:\S+ )([0-9A-Fa-f]{2})((?::[0-9A-Fa-f]{2})+)")


def tamper_fingerprint(text):
    """The text with the first byte of each certificate fingerprint in it changed."""
    return _FINGERPRINT.sub(
        lambda m: f"{m.group(1)}{int(m.group(2), 16) ^ 0xFF:02X}{m.group(3)}", text
    )


def unused_port():
    """A loopback port on which nothing listens, held by the socket returned until that is closed."""
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    return holder, holder.getsockname()[1]


class BlackHole:
    """A listener that takes connections and never says a word."""

    def __init__(self, case):
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.uri = f"ws://127.0.0.1:{self.port}/ws"
        case.addCleanup(self._socket.close)
