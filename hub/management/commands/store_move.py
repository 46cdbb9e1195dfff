"""``manage.py store_move --to URL``: all bytes to another store, or back."""

import sys
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from hub.queries.store import store_at
from hub.services import moving
from hub.services.moving import Fate, Outcome
from hub.storage.ports import BlobStore
from teams.errors import Refusal

PROGRESS_SECONDS = 5.0


class Command(BaseCommand):
    """Tells how far it is, and of each key that is left behind; exits with 1 if there is one."""

    help = (
        "Copy all large files to another store, file:///folder or s3://bucket/folder; may be "
        "repeated. Afterwards set WEIGHHOUSE_STORE_URL. Nothing is deleted."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--to", required=True, help="the new store")
        parser.add_argument("--from", dest="source", default="", help="default: the present store")
        parser.add_argument("--jobs", type=int, default=8, help="how many files at a time")

    def handle(self, *_args: Any, **options: Any) -> None:
        here, there = options["source"] or settings.STORE_URL, options["to"]
        if here.rstrip("/") == there.rstrip("/"):
            raise CommandError("That is where the bytes lie already.")
        try:
            source, target = store_at(here), store_at(there)
        except ValueError as problem:
            raise CommandError(str(problem)) from None
        try:
            bad = self._move(source, target, jobs=max(options["jobs"], 1))
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} What came stays; begin again.") from None
        if bad:
            self.stdout.write("Not everything is there. Nothing was deleted; try again.")
            sys.exit(1)
        self.stdout.write(f"Everything is there. Now set WEIGHHOUSE_STORE_URL={there}")

    def _move(self, source: BlobStore, target: BlobStore, *, jobs: int) -> int:
        bad = self._follow("moved", moving.move(source, target, jobs=jobs))
        return bad + self._follow("compared", moving.compare(source, target, jobs=jobs))

    def _follow(self, what: str, outcomes: Iterator[Outcome]) -> int:
        """Tell of what goes wrong at once, of the rest now and then; answer how much is bad."""
        counts: Counter[Fate] = Counter()
        size, told = 0, time.monotonic()
        for outcome in outcomes:
            counts[outcome.fate] += 1
            size += outcome.size if outcome.fate != Fate.BAD else 0
            if outcome.fate == Fate.BAD:
                self.stdout.write(f"{outcome.key}: {outcome.why}")
            if time.monotonic() - told > PROGRESS_SECONDS:
                told = time.monotonic()
                self.stdout.write(f"{what}: {_sum(counts, size)}")
        self.stdout.write(f"{what}: {_sum(counts, size)}")
        return counts[Fate.BAD]


def _sum(counts: Counter[Fate], size: int) -> str:
    told = ", ".join(f"{counts[fate]:,} {fate}" for fate in Fate if counts[fate])
    return f"{told or 'nothing'}; {size:,} bytes"
