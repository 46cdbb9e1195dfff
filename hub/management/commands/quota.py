"""``manage.py quota NAMESPACE [--bytes NUMBER | --default]``."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hub.services.quotas import set_quota, usage_of
from teams.errors import Refusal
from teams.queries import namespace_named


class Command(BaseCommand):
    """Prints what a namespace holds and may hold; sets the latter."""

    help = "Show or set how many bytes the repos of a user or organisation may hold."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("namespace")
        choice = parser.add_mutually_exclusive_group()
        choice.add_argument("--bytes", type=int, help="so many from now on")
        choice.add_argument("--default", action="store_true", help="what the instance says")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            namespace = namespace_named(options["namespace"])
            if options["default"] or options["bytes"] is not None:
                set_quota(namespace=namespace, limit=options["bytes"], by=None)
            usage = usage_of(namespace)
        except Refusal as refusal:
            raise CommandError(refusal.message) from None
        limit = "any number of" if usage.limit is None else f"{usage.limit:,}"
        self.stdout.write(f"{namespace.name} holds {usage.used:,} of {limit} bytes")
