"""``manage.py store_check``: what the S3 server really holds to."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hub.queries.store import bucket_address
from hub.storage.s3_probe import Finding, examine


class Command(BaseCommand):
    """Prints a line for each promise, and exits with 1 if bytes are not safe there."""

    help = "Try what the configured S3 server really enforces; exits with 1 if it is not safe."
    requires_system_checks = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        address = bucket_address()
        if address is None:
            raise CommandError("The store is a folder (WEIGHHOUSE_STORE_URL): there is no server.")
        broken = 0
        for finding in examine(address):
            broken += finding.needed and not finding.held
            self.stdout.write(_line(finding))
        if broken:
            self.stdout.write(f"Bytes are not safe there: {broken} of what is needed fails.")
            sys.exit(1)
        self.stdout.write("All that is needed holds.")


def _line(finding: Finding) -> str:
    mark = "yes" if finding.held else "NO" if finding.needed else "no"
    detail = f" ({finding.detail})" if finding.detail else ""
    return f"{mark:4}{'' if finding.needed else '(not needed) '}{finding.what}{detail}"
