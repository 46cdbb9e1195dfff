"""Receivers of our requests: what they say, and how they misbehave."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from hub.outgoing.addresses import Rules, networks
from hub.outgoing.client import Client

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Receiver:
    """A server on loopback that counts who came."""

    behave: Behaviour
    port: int = 0
    calls: int = 0
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.calls += 1
        try:
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            await self.behave(reader, writer)
        except (OSError, EOFError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def receiving(behave: Behaviour) -> AsyncIterator[Receiver]:
    receiver = Receiver(behave)
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()


def saying(text: bytes) -> Behaviour:
    async def behave(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(text)
        await writer.drain()

    return behave


def dripping(head: bytes, drop: bytes) -> Behaviour:
    """Says ``head`` and then goes on for ever, a little at a time."""

    async def behave(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(0.05)

    return behave


def flooding(head: bytes, piece: bytes) -> Behaviour:
    """Says ``head`` and then as much as the other side takes."""

    async def behave(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(piece)
            await writer.drain()

    return behave


def inside(port: int, *, deadline: float = 5.0) -> Client:
    """A client that may go to loopback at ``port``."""
    rules = Rules(allow=networks(["127.0.0.0/8"]), ports=frozenset({port}))
    return Client(rules, deadline=deadline)
