"""Sender: an event loop in a thread of its own, which does the talking to receivers."""

import asyncio
import queue
import socket
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from types import TracebackType
from typing import Self

import structlog
from django.conf import settings

from hub.outgoing.addresses import METADATA, Rules, networks
from hub.outgoing.client import Answer, Client
from hub.services.delivery_outcomes import Outcome

log = structlog.get_logger(__name__)

_LOOKUPS_AT_ONCE = 64
_BATCH = 50

Made = Callable[[Answer], Outcome]


class Sender:
    """Takes requests, and gives back what came of them, in any order."""

    def __init__(self, client: Client | None = None) -> None:
        self._client = client or own_client()
        self._loop = asyncio.new_event_loop()
        self._lookups = ThreadPoolExecutor(_LOOKUPS_AT_ONCE)
        # Names that are slow to resolve must not wait in line before those that are not.
        self._loop.set_default_executor(self._lookups)
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._over: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self.in_flight = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._lookups.shutdown(wait=False, cancel_futures=True)
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def submit(self, url: str, headers: dict[str, str], body: bytes, made: Made) -> None:
        """Begin a request."""
        self.in_flight += 1
        task = asyncio.run_coroutine_threadsafe(self._post(url, headers, body, made), self._loop)
        task.add_done_callback(_tell)

    def collect(self, seconds: float) -> list[Outcome]:
        """Wait for outcomes, at most that long; answer those that are there, at most 50."""
        found: list[Outcome] = []
        try:
            found.append(self._over.get(timeout=seconds))
            while len(found) < _BATCH:
                found.append(self._over.get_nowait())
        except queue.Empty:
            pass
        self.in_flight -= len(found)
        return found

    async def _post(self, url: str, headers: dict[str, str], body: bytes, made: Made) -> None:
        answer = Answer(error="a fault of ours")
        try:
            answer = await self._client.post(url, headers, body)
        finally:
            self._over.put(made(answer))


def _tell(task: "Future[None]") -> None:
    if not task.cancelled() and (fault := task.exception()):
        log.error("sending_is_broken", exc_info=fault)


def own_client() -> Client:
    """A client that keeps to the rules of this hub's operator."""
    rules = Rules(
        allow=networks(settings.WEBHOOK_ALLOW_CIDRS),
        deny=networks((*METADATA, *settings.WEBHOOK_DENY_CIDRS)),
        ports=settings.WEBHOOK_PORTS,
        require_https=settings.WEBHOOK_REQUIRE_HTTPS,
        own=_own_addresses(settings.WEBHOOK_OWN_SERVICES),
    )
    return Client(rules, tls=_tls(settings.WEBHOOK_CA_BUNDLE), proxy=settings.WEBHOOK_PROXY)


@cache
def _tls(bundle: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if bundle:
        context.load_verify_locations(bundle)
    return context


@cache
def _own_addresses(services: tuple[tuple[str, int], ...]) -> frozenset[tuple[str, int]]:
    found: set[tuple[str, int]] = set()
    for host, port in services:
        try:
            known = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as reason:
            log.warning("own_service_has_no_address", host=host, reason=str(reason))
            continue
        found.update((str(address[0]), port) for *_kind, address in known)
    return frozenset(found)
