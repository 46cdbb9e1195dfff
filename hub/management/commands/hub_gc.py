"""``manage.py hub_gc [--dry-run] [--json] [NAMESPACE/NAME ...]``."""

import json
from argparse import ArgumentParser
from dataclasses import fields
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from hub.management.named import repos_called
from hub.models import Repo
from hub.services import collect
from hub.services.collect import BytesReport, RepoReport
from hub.services.collect_files import Dropped

_BYTES_PER_MIB = 1024 * 1024


class Command(BaseCommand):
    """Prints a line per repo in which something was collected, and one per step about bytes."""

    help = "Collect git objects, large files and bytes that nobody can reach any more."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("repos", nargs="*", help="collect only git objects and rows of these")
        parser.add_argument("--dry-run", action="store_true", help="say it and delete nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON object per line")

    def handle(self, *_args: Any, **options: Any) -> None:
        now, dry_run, as_json = timezone.now(), options["dry_run"], options["json"]
        chosen = [repo for text in options["repos"] for repo in repos_called(text)]
        for report in collect.collect_repos(now=now, repos=chosen or None, dry_run=dry_run):
            if report.objects or report.files.rows or report.problem:
                self.stdout.write(_repo_json(report) if as_json else _repo_line(report))
        if not chosen:
            done = collect.collect_bytes_of_nobody(now=now, dry_run=dry_run)
            self.stdout.write(_bytes_json(done) if as_json else _bytes_lines(done))
        if dry_run and not as_json:
            self.stdout.write("Nothing was deleted: this was a dry run.")


def _name_of(report: RepoReport) -> str:
    repo = Repo.objects.select_related("namespace").filter(pk=report.repo_id).first()
    return f"{repo.kind} {repo}" if repo else f"repo {report.repo_id}"


def _repo_json(report: RepoReport) -> str:
    objects = {kind.name.lower(): pile._asdict() for kind, pile in report.objects.items()}
    facts = {"repo": _name_of(report), "objects": objects, "files": report.files._asdict()}
    return json.dumps(facts | {"problem": report.problem})


def _repo_line(report: RepoReport) -> str:
    if report.problem:
        return f"{_name_of(report)}: left as it is: {report.problem}"
    kinds = [
        f"{pile.objects} {kind.name.lower()}s ({_mib(pile.nbytes)})"
        for kind, pile in report.objects.items()
    ]
    files = [f"{report.files.rows} large files forgotten"] if report.files.rows else []
    return f"{_name_of(report)}: {', '.join(kinds + files)}"


def _bytes_json(done: BytesReport) -> str:
    return json.dumps({one.name: getattr(done, one.name)._asdict() for one in fields(done)})


def _bytes_lines(done: BytesReport) -> str:
    steps = {
        "files in Xet form that no repo holds": done.files,
        "attachments that no comment shows": done.attachments,
        "blobs condemned": done.condemned_blobs,
        "blobs deleted": done.deleted_blobs,
        "xorbs condemned": done.condemned_xorbs,
        "xorbs deleted": done.deleted_xorbs,
        "shards condemned": done.condemned_shards,
        "shards deleted": done.deleted_shards,
    }
    return "\n".join(f"{what}: {_told(dropped)}" for what, dropped in steps.items())


def _told(dropped: Dropped) -> str:
    return f"{dropped.rows} ({_mib(dropped.nbytes)})"


def _mib(nbytes: int) -> str:
    return f"{nbytes / _BYTES_PER_MIB:.1f} MiB"
