"""``manage.py create_token USER [--role read|write]``."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from teams.errors import Refusal
from teams.queries import user_named
from teams.services import tokens


class Command(BaseCommand):
    """Prints a new token and nothing else, so that scripts can take it as it comes."""

    help = "Create an access token for a user; prints the token and nothing else."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user")
        parser.add_argument("--role", choices=["read", "write"], default="write")
        parser.add_argument("--name", default="command line")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            user = user_named(options["user"])
        except Refusal as refusal:
            raise CommandError(refusal.message) from None
        _token, secret = tokens.issue(user=user, name=options["name"], role=options["role"])
        self.stdout.write(secret)
