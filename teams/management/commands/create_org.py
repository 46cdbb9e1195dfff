"""``manage.py create_org NAME --owner USER``."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from teams.errors import Refusal
from teams.queries import user_named
from teams.services import organisations


class Command(BaseCommand):
    """Creates an organisation."""

    help = "Create an organisation whose admin is the given user; prints its name."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--owner", required=True)

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            owner = user_named(options["owner"])
            organisation = organisations.create(name=options["name"], owner=owner, by=None)
        except Refusal as refusal:
            raise CommandError(refusal.message) from None
        self.stdout.write(organisation.name)
