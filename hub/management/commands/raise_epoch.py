"""``manage.py raise_epoch NAMESPACE ... | --all``."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hub.management.named import domains_of
from hub.services import xet_rebuilding


class Command(BaseCommand):
    """Prints which namespaces begin anew."""

    help = "Let Xet clients forget which xorbs of these namespaces they believe to be here."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("namespaces", nargs="*")
        parser.add_argument("--all", action="store_true", help="all namespaces")

    def handle(self, *_args: Any, **options: Any) -> None:
        if bool(options["namespaces"]) is options["all"]:
            raise CommandError("Name the namespaces, or say --all.")
        domains = domains_of(options["namespaces"])
        xet_rebuilding.raise_epochs(domains)
        for domain in domains:
            self.stdout.write(f"{domain.namespace.name}: epoch {domain.epoch + 1}")
