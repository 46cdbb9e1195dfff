"""What scanners say of files, in the shapes that clients read.

Source: ``BlobSecurityInfo`` and ``RepoFile`` of the public client, which takes the first three keys
for given; the words are those of the published OpenAPI description.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hub.queries.scans import Scanned
from hub.scanning.verdicts import Status

_OTHERS = ("jFrogScan", "protectAiScan", "virusTotalScan")
UNSCANNED: dict[str, Any] = {
    "status": "unscanned",
    "avScan": None,
    "pickleImportScan": None,
}
"""What we know of a file's safety until somebody looked: nothing."""


def file_status(scanned: Scanned | None) -> dict[str, Any]:
    """``securityFileStatus`` of one file."""
    if scanned is None:
        return UNSCANNED
    status = scanned.standing.value
    return {
        "status": status,
        "avScan": _anti_virus(scanned),
        "pickleImportScan": _imports(scanned),
        **{other: {"status": "unscanned"} for other in _OTHERS},
        # Ours: what else was found, and whether somebody let it out.
        "findings": list(scanned.details.get("findings", ())),
        "released": scanned.released_at is not None,
    }


def _imports(scanned: Scanned) -> dict[str, Any]:
    imports = list(scanned.details.get("imports", ()))
    found = [one["message"] for one in _findings(scanned) if one["scanner"] == "pickle"]
    return {
        "status": scanned.standing.value if imports or found else _quiet(scanned),
        "pickleImports": imports,
        "message": found[0] if found else None,
        "version": "1.0.5",
    }


def _anti_virus(scanned: Scanned) -> dict[str, Any] | None:
    found = [one for one in _findings(scanned) if one["scanner"] == "clamav"]
    if not found:
        return None
    return {"status": found[0]["status"], "message": found[0]["message"], "reportLink": ""}


def _quiet(scanned: Scanned) -> str:
    is_waiting = scanned.standing is Status.QUEUED
    return Status.QUEUED.value if is_waiting else Status.SAFE.value


def _findings(scanned: Scanned) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = scanned.details.get("findings", ())
    return found


def repo_status(files: Sequence[tuple[str, bytes]], states: Mapping[bytes, str]) -> dict[str, Any]:
    """``securityRepoStatus``: given paths with the keys of their verdicts, and these by key."""
    issues = [
        {"path": path, "level": states[key]}
        for path, key in files
        if states.get(key, "safe") not in {"safe", "queued"}
    ]
    done = all(states.get(key, "queued") != "queued" for _path, key in files)
    return {"scansDone": done, "filesWithIssues": issues}
