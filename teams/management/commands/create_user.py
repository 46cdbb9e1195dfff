"""``manage.py create_user NAME [--admin]``."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from teams.errors import Refusal
from teams.services import accounts


class Command(BaseCommand):
    """Creates a user and prints a link that signs them in once."""

    help = "Create a user; prints the path of a one-time sign-in link."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--admin", action="store_true", help="may administer the instance")
        parser.add_argument("--email", default="")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            user = accounts.create_user(
                name=options["name"], by=None, admin=options["admin"], email=options["email"]
            )
        except Refusal as refusal:
            raise CommandError(refusal.message) from None
        self.stdout.write(accounts.sign_in_link(user))
