"""``manage.py convert_to_xet [--again]``."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from hub.models import Blob
from hub.services import conversion


class Command(BaseCommand):
    """Converts what waits, and says how much that was."""

    help = "Make xorbs of large files that came by LFS. The web server has to be up."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--again", action="store_true", help="also try what failed within the last day"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["again"]:
            Blob.objects.update(conversion_tried_at=None)
        self.stdout.write(f"{conversion.convert_pending()} files converted")
