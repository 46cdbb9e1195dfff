"""``manage.py audit_verify [--namespace NAME] [--head CHAIN:SEQ:HASH …]``."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from teams.models import AuditChain, AuditEntry
from teams.queries import namespace_named
from teams.queries.audit_faults import AuditFault, audit_faults


class Command(BaseCommand):
    """Prints a line per fault; exits with 1 if there is one."""

    help = "Read the whole audit log again and say what was changed, removed or added."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--namespace", help="only the log of this user or organisation")
        parser.add_argument(
            "--head",
            action="append",
            default=[],
            metavar="CHAIN:SEQ:HASH",
            help="an audit_head that the log of the hub once told; it must still be in its chain",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        name = options["namespace"]
        chain = namespace_named(name).pk if name else None
        faults = [*audit_faults(now=timezone.now(), chain=chain), *map(_kept, options["head"])]
        found = [fault for fault in faults if fault is not None]
        for fault in found:
            self.stdout.write(str(fault))
        chains = AuditChain.objects.filter(**({} if chain is None else {"chain": chain}))
        for head in chains.order_by("chain"):
            self.stdout.write(f"{head.chain}:{head.seq}:{bytes(head.hash).hex()}")
        self.stdout.write(f"{len(found)} faults in {len(chains)} chains")
        if found:
            sys.exit(1)


def _kept(told: str) -> AuditFault | None:
    chain, _, rest = told.partition(":")
    seq, _, digest = rest.partition(":")
    if not (chain.isdigit() and seq.isdigit()):
        raise CommandError("A head reads CHAIN:SEQ:HASH.")
    entry = AuditEntry.objects.filter(chain=int(chain), seq=int(seq)).first()
    if entry is None or bytes(entry.hash or b"").hex() != digest:
        return AuditFault(int(chain), int(seq), "it is not the entry that the hub once told of")
    return None
