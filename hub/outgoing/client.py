"""post, get: one HTTP request to a URL that a user named, and nothing its receiver could abuse.

The name is resolved once, every address is checked, and the connection goes to the very address
that was checked: a name that changes its mind in between gains nothing. Redirects are not followed,
nothing is decompressed, no proxy or cookie of the environment is used. One deadline covers all of
it, from the look-up to the last byte that is read; a receiver who drips bytes gains nothing either.

Where an operator names a proxy all of it goes through that by CONNECT, and names are the proxy's to
resolve and to check (github.com/stripe/smokescreen is made for it); addresses are checked here too.
"""

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import h11

from hub.outgoing.addresses import Address, Blocked, Rules, Target

CONNECT_SECONDS = 3.0
DEADLINE_SECONDS = 15.0
MAX_READ_BYTES = 64 * 1024
MAX_HEAD_BYTES = 32 * 1024
_AT_ONCE = 16 * 1024

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Sent:
    """What is asked."""

    method: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(slots=True)
class Answer:
    """What came back; without a status ``error`` says why there is none."""

    status: int | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    """At most the first 64 KiB."""
    error: str = ""
    is_late: bool = False
    """The deadline passed before the answer had begun."""
    is_inside: bool = False
    """It came from a network that an operator allowed, so it is not for the eyes of users."""
    ms: int = 0


@dataclass(frozen=True, slots=True)
class Client:
    """How we go out: the rules, the trusted certificates, the patience."""

    rules: Rules
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    deadline: float = DEADLINE_SECONDS
    """Seconds."""
    resolve: Resolve | None = None
    """Answers all addresses of a name; None asks the system."""
    proxy: tuple[str, int] | None = None
    """Host and port of the proxy that everything goes through."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send ``body``; whatever goes wrong is told in the answer, not raised."""
        return await self._ask(url, Sent("POST", headers, body))

    async def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """Fetch a document of at most 64 KiB; what goes wrong is told as by :meth:`post`."""
        return await self._ask(url, Sent("GET", headers))

    async def _ask(self, url: str, sent: Sent) -> Answer:
        answer, start = Answer(), time.monotonic()
        try:
            async with asyncio.timeout(self.deadline):
                await self._exchange(Target.parse(url), sent, answer)
        except TimeoutError:
            answer.is_late = answer.status is None
            answer.error = f"cut off after {self.deadline:g} s"
        except Blocked as reason:
            answer.error = f"blocked: {reason}"
        except h11.ProtocolError as reason:
            answer.error = f"not HTTP: {reason}"
        except (OSError, EOFError) as reason:
            answer.error = f"{type(reason).__name__}: {reason}"[:300]
        answer.ms = round((time.monotonic() - start) * 1000)
        return answer

    async def _exchange(self, target: Target, sent: Sent, answer: Answer) -> None:
        reader, writer = await self._reach(target, answer)
        try:
            if self.proxy is not None:
                await self._pass_proxy(target, reader, writer)
            connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
            writer.write(_request(connection, target, sent))
            await writer.drain()
            await _read(connection, reader, answer)
        finally:
            # A polite goodbye would wait for the receiver's.
            writer.transport.abort()

    async def _reach(self, target: Target, answer: Answer) -> Streams:
        if self.proxy is not None:
            self.rules.check_unresolved(target)
            # Where the name leads is known to the proxy alone: it may well be inside.
            answer.is_inside = True
            host, port = self.proxy
            return await asyncio.open_connection(host, port, limit=MAX_READ_BYTES)
        found = await (self.resolve or _resolve)(target.host, target.port)
        addresses = self.rules.check(target, found)
        answer.is_inside = any(map(self.rules.is_allowed, addresses))
        return await self._connect(target, addresses)

    async def _pass_proxy(
        self, target: Target, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Ask the proxy for a way through.

        Raises:
            Blocked: it gives none.
        """
        host = f"[{target.host}]" if ":" in target.host else target.host
        where = f"{host}:{target.port}"
        writer.write(f"CONNECT {where} HTTP/1.1\r\nHost: {where}\r\n\r\n".encode())
        await writer.drain()
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            raise Blocked("The proxy does not speak HTTP.") from None
        version, _, said = head.partition(b"\r\n")[0].partition(b" ")
        if not version.startswith(b"HTTP/1.") or not said.startswith(b"200"):
            raise Blocked(f"The proxy says: {said[:100].decode('latin-1') or 'nothing'}")
        if target.scheme == "https":
            await writer.start_tls(self.tls, server_hostname=target.host)

    async def _connect(self, target: Target, addresses: Sequence[Address]) -> Streams:
        problem: OSError = ConnectionError(f"{target.host} has no address")
        for address in addresses:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    return await asyncio.open_connection(
                        str(address),
                        target.port,
                        limit=MAX_READ_BYTES,
                        ssl=self.tls if target.scheme == "https" else None,
                        server_hostname=target.host if target.scheme == "https" else None,
                    )
            except TimeoutError:
                problem = TimeoutError(f"no connection within {CONNECT_SECONDS:g} s")
            except OSError as reason:
                problem = reason
        # Only the deadline of the whole is told as such.
        raise ConnectionError(str(problem)) if isinstance(problem, TimeoutError) else problem


async def _resolve(host: str, port: int) -> list[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_kind, address in found))


def _request(connection: h11.Connection, target: Target, sent: Sent) -> bytes:
    fixed = {"Host": target.authority, "Accept-Encoding": "identity", "Connection": "close"}
    if sent.method == "POST":
        fixed["Content-Length"] = str(len(sent.body))
    head = h11.Request(
        method=sent.method, target=target.path, headers=list((fixed | dict(sent.headers)).items())
    )
    events = (head, h11.Data(data=sent.body), h11.EndOfMessage())
    return b"".join(connection.send(event) or b"" for event in events)


async def _read(connection: h11.Connection, reader: asyncio.StreamReader, answer: Answer) -> None:
    """Read the head, and as much of the body as anybody may want to see."""
    while len(answer.body) < MAX_READ_BYTES:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_AT_ONCE))
        elif isinstance(event, h11.Response):
            answer.status = event.status_code
            answer.headers = [
                (name.decode("ascii"), value.decode("latin-1")) for name, value in event.headers
            ]
        elif isinstance(event, h11.Data):
            answer.body += bytes(event.data[: MAX_READ_BYTES - len(answer.body)])
        elif not isinstance(event, h11.InformationalResponse):
            return
