"""Copy pinned browser files from ``node_modules``, with their digests."""

import hashlib
import json
import shutil
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

FILES = {"htmx.org": "dist/htmx.min.js"}
"""Package -> its one file that browsers get."""

NAMES = {"htmx.org": "htmx.min.js"}
"""Package -> what that file is called here."""


class Command(BaseCommand):
    """Run it after ``npm ci --ignore-scripts``; the copies are committed."""

    # It moves files; it must work in a tree whose code does not.
    requires_system_checks = ()
    help = "Copy pinned browser files from node_modules into hub/static/vendor."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--root", type=Path, default=Path(settings.BASE_DIR))

    def handle(self, *_args: Any, root: Path, **_options: Any) -> None:
        vendor = root / "hub" / "static" / "vendor"
        vendor.mkdir(exist_ok=True)
        lock = json.loads((root / "package-lock.json").read_text())
        manifest = [copy(package, root, vendor, lock) for package in sorted(FILES)]
        (vendor / "MANIFEST.json").write_text(json.dumps(manifest, indent=2) + "\n")
        self.stdout.write(f"{len(manifest)} file(s) in {vendor.relative_to(root)}")


def copy(package: str, root: Path, vendor: Path, lock: dict[str, Any]) -> dict[str, str]:
    """Copy the file of one package and answer its line of the manifest."""
    source = root / "node_modules" / package / FILES[package]
    if not source.exists():
        raise CommandError(f"{source} is missing; run npm ci --ignore-scripts first.")
    target = vendor / NAMES[package]
    shutil.copyfile(source, target)
    locked = lock["packages"][f"node_modules/{package}"]
    return {
        "file": target.name,
        "name": package,
        "version": locked["version"],
        "licence": locked["license"],
        "sha512": hashlib.sha512(target.read_bytes()).hexdigest(),
        "package_integrity": locked["integrity"],
    }
