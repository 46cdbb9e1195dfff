"""``manage.py rebuild_dedup [NAMESPACE ...]``."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from hub.management.named import domains_of
from hub.services import xet_rebuilding, xet_shards


class Command(BaseCommand):
    """Prints a line per namespace, and one per shard that cannot be read."""

    help = "Find anew, from stored shards and xorbs, by which chunks Xet clients find files."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("namespaces", nargs="*", help="only these; all where none is named")

    def handle(self, *_args: Any, **options: Any) -> None:
        domains = domains_of(options["namespaces"])
        for fault in xet_shards.take_in_unnamed():
            self.stderr.write(fault)
        for domain in domains:
            done = xet_rebuilding.rebuild(domain)
            line = f"{domain.namespace.name}: {done.chunks} chunks of {done.files} files"
            more = f", {done.unreadable} unreadable: run scrub --all, then this again"
            self.stdout.write(line + more * bool(done.unreadable))
