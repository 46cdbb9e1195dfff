"""What browsers get and we did not write is what the lock file names, byte for byte."""

import hashlib
import json
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
VENDOR = ROOT / "hub" / "static" / "vendor"
MANIFEST: list[dict[str, str]] = json.loads((VENDOR / "MANIFEST.json").read_text())


def test_a_vendored_file_has_the_digest_of_its_manifest() -> None:
    for line in MANIFEST:
        digest = hashlib.sha512((VENDOR / line["file"]).read_bytes()).hexdigest()

        assert digest == line["sha512"], line["file"]


def test_the_manifest_names_every_vendored_file() -> None:
    files = {path.name for path in VENDOR.iterdir()} - {"MANIFEST.json"}

    assert files == {line["file"] for line in MANIFEST}


def test_the_manifest_agrees_with_the_lock_file() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]

    for line in MANIFEST:
        locked = packages[f"node_modules/{line['name']}"]
        assert (locked["version"], locked["integrity"]) == (
            line["version"],
            line["package_integrity"],
        )


def test_package_json_pins_exact_versions() -> None:
    wanted = json.loads((ROOT / "package.json").read_text())["dependencies"]

    assert wanted == {line["name"]: line["version"] for line in MANIFEST}
