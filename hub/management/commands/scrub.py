"""``manage.py scrub [--all]``."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from hub.services import scrubbing

MOST_EXIT = 125
"""Shells give larger codes a meaning of their own."""


class Command(BaseCommand):
    """Prints a line per damaged object, and exits with their number."""

    help = "Read stored bytes again and mark what is damaged; exits with how many (at most 125)."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--all", action="store_true", help="read everything, not only this hour's share"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        report = scrubbing.scrub(everything=options["all"])
        for line in report.damaged:
            self.stdout.write(line)
        self.stdout.write(
            f"{report.objects} objects, {report.nbytes:,} bytes, {len(report.damaged)} damaged"
        )
        if report.damaged:
            sys.exit(min(len(report.damaged), MOST_EXIT))
