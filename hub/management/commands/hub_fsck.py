"""``manage.py hub_fsck [--repo NAMESPACE/NAME] [--deep] [--repair] [--json]``."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from hub.management.named import repos_called
from hub.services import fsck
from hub.services.fsck import Finding, Scope

MOST_EXIT = 125
"""Shells give larger codes a meaning of their own."""


class Command(BaseCommand):
    """Prints a line per broken promise, and exits with their number."""

    help = "Check every invariant of the data; exits with the number of findings (at most 125)."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--repo", help="look only at the repos of this name")
        parser.add_argument("--deep", action="store_true", help="also read every byte again")
        parser.add_argument("--repair", action="store_true", help="repair what is safe to repair")
        parser.add_argument("--json", action="store_true", help="print one JSON object per line")

    def handle(self, *_args: Any, **options: Any) -> None:
        repos = repos_called(options["repo"]) if options["repo"] else None
        scope = Scope(repos, deep=options["deep"])
        counts = {"findings": 0, "repaired": 0}
        for finding in fsck.find(scope):
            repaired = options["repair"] and fsck.repair(finding)
            counts["repaired" if repaired else "findings"] += 1
            self._tell(_facts(finding, repaired=repaired), as_json=options["json"])
        self._tell({"summary": counts}, as_json=options["json"])
        if counts["findings"]:
            sys.exit(min(counts["findings"], MOST_EXIT))

    def _tell(self, facts: dict[str, Any], *, as_json: bool) -> None:
        self.stdout.write(json.dumps(facts) if as_json else _line(facts))


def _facts(finding: Finding, *, repaired: bool) -> dict[str, Any]:
    repo = finding.repo
    facts: dict[str, Any] = {"check": finding.check, "what": finding.what, "repaired": repaired}
    return facts | ({"repo": str(repo), "kind": repo.kind} if repo else {})


def _line(facts: dict[str, Any]) -> str:
    if "summary" in facts:
        counts = facts["summary"]
        return f"{counts['findings']} findings, {counts['repaired']} repaired"
    where = f" {facts['kind']} {facts['repo']}:" if "repo" in facts else ""
    return f"{facts['check']}:{where} {facts['what']}{' (repaired)' * facts['repaired']}"
