"""Stands in for the API's application: HTTP, WebSocket, streams and uploads, all in plain text.

It shows what reached it: ``/headers`` answers with the request's own headers, ``/upload`` with the size of
the body, ``/stream`` sends one chunk whenever the test says so, and a WebSocket echoes.
"""

import asyncio
import base64
import hashlib
import json
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BufferedRWPair

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455
_TEXT, _CLOSE = 0x81, 0x88


class Application:
    """Serves one port until its end; ``next_chunk`` lets ``/stream`` send its next chunk."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.port = 0
        self.received = 0
        """Bytes of the upload that is under way."""
        self.upgrades = 0
        self._chunks: asyncio.Queue[str] = asyncio.Queue()
        self._server: asyncio.Server | None = None

    def next_chunk(self, text: str) -> None:
        """Send a chunk to whoever asked for ``/stream``; an empty one ends the answer."""
        self.loop.call_soon_threadsafe(self._chunks.put_nowait, text)

    @contextmanager
    def running(self, port: int = 0) -> Iterator["Application"]:
        started = threading.Event()

        async def serve() -> None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
            self.port = self._server.sockets[0].getsockname()[1]
            started.set()

        def run() -> None:
            asyncio.set_event_loop(self.loop)
            self.loop.create_task(serve())  # the loop's only task at first; it ends at once
            self.loop.run_forever()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            assert started.wait(10)
            yield self
        finally:
            self.loop.call_soon_threadsafe(self._stop)
            thread.join()
            self.loop.close()

    def _stop(self) -> None:
        if self._server:
            self._server.close()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.call_later(0.05, self.loop.stop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await self._answer(reader, writer):
                pass
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; False when the connection is over."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        path = head[0].split()[1]
        headers = dict(line.split(": ", 1) for line in head[1:] if line)
        lower = {name.lower(): value for name, value in headers.items()}
        if lower.get("upgrade") == "websocket":
            await self._echo(lower["sec-websocket-key"], reader, writer)
            return False
        size = await self._body(lower, reader)
        if path == "/stream":
            await self._stream(writer)
        else:
            answer = {"/headers": json.dumps(headers), "/upload": str(size)}.get(path, "ok")
            extra = "Location: http://https/elsewhere\r\nX-Accel-Buffering: no\r\nServer: stand-in\r\n"
            writer.write(f"HTTP/1.1 200 OK\r\n{extra}Content-Length: {len(answer)}\r\n\r\n{answer}".encode())
        await writer.drain()
        return lower.get("connection", "").lower() != "close"

    async def _body(self, headers: Mapping[str, str], reader: asyncio.StreamReader) -> int:
        left = self.received = 0
        if "content-length" in headers:
            left = int(headers["content-length"])
        while left and (data := await reader.read(min(left, 2**16))):
            left -= len(data)
            self.received += len(data)
        while headers.get("transfer-encoding") == "chunked":
            length = int(await reader.readline(), 16)
            await reader.readexactly(length + 2)
            self.received += length
            if not length:
                break
        return self.received

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        text = None
        while text != "":
            text = await self._chunks.get()
            writer.write(f"{len(text):x}\r\n{text}\r\n".encode())
            await writer.drain()

    async def _echo(self, key: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.upgrades += 1
        accept = base64.b64encode(hashlib.sha1((key + _GUID).encode()).digest()).decode()  # noqa: S324
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )
        while True:
            kind, length = await reader.readexactly(2)
            mask, data = await reader.readexactly(4), await reader.readexactly(length & 0x7F)
            if kind == _CLOSE:
                break
            plain = bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))
            writer.write(struct.pack("!BB", _TEXT, len(plain)) + plain)
            await writer.drain()


@contextmanager
def websocket(connection: socket.socket, host: str, path: str = "/") -> Iterator["WebSocket"]:
    """Speak WebSocket over a connection that is open, and close it at the end."""
    with connection, connection.makefile("rwb") as file:
        yield WebSocket(file, host, path)


class WebSocket:
    """A client of short text messages."""

    def __init__(self, file: BufferedRWPair, host: str, path: str) -> None:
        self._file = file
        self._file.write(
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(b'0' * 16).decode()}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self._file.flush()
        status = self._file.readline()
        assert b" 101 " in status, status
        while self._file.readline() not in (b"\r\n", b""):
            pass

    def ask(self, text: str) -> str:
        """Send a message and return the answer."""
        data = text.encode()
        self._file.write(struct.pack("!BB", _TEXT, 0x80 | len(data)) + b"\0" * 4 + data)
        self._file.flush()
        head = self._file.read(2)
        assert len(head) == 2, "the connection was closed"
        return self._file.read(head[1]).decode()
