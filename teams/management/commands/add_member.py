"""``manage.py add_member ORG USER [--role ROLE]``."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from teams.errors import Refusal
from teams.queries import organisation_named, user_named
from teams.roles import Role
from teams.services import organisations


class Command(BaseCommand):
    """Adds a member to an organisation."""

    help = "Make a user a member of an organisation, or change their role; prints the role."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("organisation")
        parser.add_argument("user")
        parser.add_argument("--role", choices=[role.label for role in Role], default="read")

    def handle(self, *_args: Any, **options: Any) -> None:
        role = Role[options["role"].upper()]
        try:
            organisation = organisation_named(options["organisation"])
            user = user_named(options["user"])
            organisations.change_role(organisation=organisation, user=user, role=role, by=None)
        except Refusal as refusal:
            raise CommandError(refusal.message) from None
        self.stdout.write(role.label)
