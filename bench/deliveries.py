"""How fast are webhooks delivered, and does a slow or dead receiver hold up the others?

First a line of waiting deliveries is sent off, beside a bare asyncio client that posts bodies of
the same size to the same receiver. Then comments are written at a steady rate, once with good
receivers alone and once with one that never answers and one that is not there beside them, and the
time from each event's commit to its first byte at the good receivers is taken.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import quantiles

import inside
from django.conf import settings
from measure import options
from server import free_port, wait_until

from hub.models import Event, Repo, Webhook
from hub.names import RepoKind, RepoName
from hub.services import comments, delivering, discussions, repos, webhooks
from hub.services.fan_out import fan_out
from hub.services.webhooks import Watched, Wish
from teams.policies import Principal
from teams.services import accounts
from tests.live import LiveServer

GOOD = 8
RATE = 200
"""Events a second."""
BARE_CONNECTIONS = 8


def main() -> None:
    given = options(__doc__ or "", rounds=3)
    seconds, waiting, rate = (3, 200, 10) if given.quick else (20, 4000, RATE)
    dead = free_port()
    with receiver() as port:
        environ = {
            "WEIGHHOUSE_WEBHOOK_ALLOW_CIDRS": "127.0.0.0/8",
            "WEIGHHOUSE_WEBHOOK_PORTS": f"{port},{dead}",
            "WEIGHHOUSE_WEBHOOK_REQUIRE_HTTPS": "false",
        }
        settings.WEBHOOK_ALLOW_CIDRS = ("127.0.0.0/8",)
        settings.WEBHOOK_PORTS, settings.WEBHOOK_REQUIRE_HTTPS = frozenset({port, dead}), False
        with LiveServer(inside.FOLDER / "data", environ=environ, durable=True) as server:
            bench = Bench(port, dead, rate)
            for _ in range(given.rounds):
                bench.backlog(waiting)
            server.start_workers()
            bench.steady("until the worker is there", 1)
            for _ in range(given.rounds):
                alone = bench.steady("good receivers alone", seconds)
                beside = bench.steady("a hanging and a dead one beside", seconds, bad=True)
                print(f"p99 with them : without them {beside / alone:.2f}", flush=True)


class Bench:
    """One repo with webhooks, and the receiver that they lead to."""

    def __init__(self, port: int, dead: int, rate: int) -> None:
        self.port, self.dead, self.rate = port, dead, rate
        ada = accounts.create_user(name="ada", by=None)
        self.by = Principal(user=ada, may_change=True)
        kind, name = RepoKind.MODEL, RepoName.parse("ada/tiny")
        self.repo = repos.create(kind=kind, name=name, by=self.by, visibility="public")
        self.talk = discussions.open_discussion(
            repo=self.repo, title="Talk", text="Begin", by=self.by
        )

    def watch(self, url: str) -> None:
        wish = Wish(url=url, watched=[Watched("model", "ada/tiny")], events=["comment"])
        webhooks.register(owner=self.repo.namespace, wish=wish, by=self.by)

    def forget(self) -> None:
        for webhook in Webhook.objects.all():
            webhooks.delete(webhook=webhook, by=self.by)
        Event.objects.update(is_waiting=False)
        self.heard()

    def say(self) -> None:
        comments.comment(discussion=self.talk, text="x" * 300, by=self.by)

    def heard(self) -> list[tuple[int, float]]:
        """Since the last time: for each request the event's number, and when it began."""
        with closing(HTTPConnection("127.0.0.1", self.port)) as connection:
            connection.request("GET", "/told", headers={"Content-Length": "0"})
            return [(seq, at) for seq, at in json.load(connection.getresponse())]

    def backlog(self, count: int) -> None:
        """Send off what has waited, beside a client that does nothing but post."""

        for _ in range(GOOD):
            self.watch(f"http://127.0.0.1:{self.port}/good")
        for _ in range(count // GOOD):
            self.say()
        while fan_out():
            pass
        begun = time.monotonic()
        sent = delivering.drain(linger=0, shift=600)
        ours = sent / (time.monotonic() - begun)
        arrived = len(self.heard())
        body = json.dumps({"seq": 1, "text": "x" * 1200}).encode()
        bare = asyncio.run(posted(self.port, body, sent))
        self.forget()
        print(
            f"{arrived} of {sent} deliveries arrived: {ours:.0f}/s, a bare client {bare:.0f}/s; "
            f"ours : bare {ours / bare:.2f}",
            flush=True,
        )

    def steady(self, name: str, seconds: float, *, bad: bool = False) -> float:
        """The p99, in seconds, from commit to first byte, of events at a steady rate."""
        for _ in range(GOOD):
            self.watch(f"http://127.0.0.1:{self.port}/good")
        if bad:
            self.watch(f"http://127.0.0.1:{self.port}/hang")
            self.watch(f"http://127.0.0.1:{self.dead}/dead")
        self.heard()
        begun, count = time.monotonic(), int(seconds * self.rate)
        committed: dict[int, float] = {}
        for number in range(count):
            time.sleep(max(0, begun + number / self.rate - time.monotonic()))
            self.say()
            committed[self._last_seq()] = time.time()
        rate = count / (time.monotonic() - begun)
        found: list[tuple[int, float]] = []

        def all_arrived() -> bool:
            found.extend(one for one in self.heard() if one[0] in committed)
            return len(found) >= count * GOOD

        wait_until(all_arrived, "All deliveries")
        took = sorted(at - committed[seq] for seq, at in found)
        cuts = quantiles(took, n=100)
        twice = len(found) - count * GOOD
        print(
            f"{name}: {rate:.0f} events/s to {GOOD}, p50 {cuts[49] * 1e3:.0f} ms, "
            f"p99 {cuts[98] * 1e3:.0f} ms, {twice} came twice",
            flush=True,
        )
        self.forget()
        return cuts[98]

    def _last_seq(self) -> int:
        return int(Repo.objects.values_list("version", flat=True).get(pk=self.repo.pk))


async def posted(port: int, body: bytes, count: int) -> float:
    """Requests a second of a client that keeps some connections and does nothing else."""
    request = (
        b"POST /bare HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body)
    ) + body

    async def one(times: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(times):
            writer.write(request)
            await reader.readuntil(b"\r\n\r\n")
        writer.close()

    begun = time.monotonic()
    await asyncio.gather(*(one(count // BARE_CONNECTIONS) for _ in range(BARE_CONNECTIONS)))
    return count / (time.monotonic() - begun)


@contextmanager
def receiver() -> Iterator[int]:
    """Start the receiver; answer its port."""
    port = free_port()
    program = str(Path(__file__).with_name("receiver.py"))
    process = subprocess.Popen([sys.executable, program, str(port)])
    try:
        wait_until(lambda: _listens(port), "The receiver")
        yield port
    finally:
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    with closing(HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        try:
            connection.request("GET", "/", headers={"Content-Length": "0"})
            return connection.getresponse().status == 200
        except OSError:
            return False


if __name__ == "__main__":
    main()
