"""``manage.py audit_reads NAMESPACE on|off``."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from teams.errors import Refusal
from teams.queries import namespace_named
from teams.services.audit import want_reads


class Command(BaseCommand):
    """Says whether reading private repos goes into the audit log of their namespace."""

    help = "Log who reads the private repos of a user or organisation, or do so no longer."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("namespace")
        parser.add_argument("wanted", choices=["on", "off"])

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            namespace = namespace_named(options["namespace"])
        except Refusal as refusal:
            raise CommandError(refusal.message) from None
        want_reads(namespace=namespace, wanted=options["wanted"] == "on", by=None)
