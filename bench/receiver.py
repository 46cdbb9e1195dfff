"""A receiver of webhooks for measurements: answers at once, or at ``/hang`` never.

``GET /told`` answers, for each request to ``/good`` since the last time, the event's number and
when its first byte was read.
"""

import asyncio
import json
import sys
import time

HANGS_SECONDS = 3600


class Receiver:
    """Remembers what came when."""

    def __init__(self) -> None:
        self.got: list[tuple[int, float]] = []

    async def serve(self, port: int) -> None:
        server = await asyncio.start_server(self.connection, "127.0.0.1", port, backlog=1024)
        await server.serve_forever()

    async def connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(await self.answer(reader, line.split()[1], time.time()))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def answer(self, reader: asyncio.StreamReader, path: bytes, at: float) -> bytes:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        _, _, length = head.partition(b"content-length:")
        body = await reader.readexactly(int(length.split(b"\r\n")[0] or 0))
        if path == b"/hang":
            await asyncio.sleep(HANGS_SECONDS)
        if path == b"/good":
            self.got.append((json.loads(body)["seq"], at))
        found, said = self.got, b""
        if path == b"/told":
            self.got, said = [], json.dumps(found).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(said), said)


if __name__ == "__main__":
    asyncio.run(Receiver().serve(int(sys.argv[1])))
