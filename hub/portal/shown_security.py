"""What pages show of verdicts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.http import links
from hub.models import Repo
from hub.queries.scans import Scanned, withholds
from hub.scanning.verdicts import Status

SCANNERS = {
    "archive": "Archives",
    "clamav": "ClamAV",
    "format": "Formats",
    "keras": "Keras",
    "pickle": "Pickles",
    "scan": "Scanner",
    "secrets": "Secrets",
    "template": "Templates",
}
_KINDS = {
    Status.SAFE: "badge-good",
    Status.CAUTION: "badge-care",
    Status.QUEUED: "",
    Status.UNSCANNED: "",
    Status.ERROR: "badge-care",
    Status.SUSPICIOUS: "badge-care",
    Status.UNSAFE: "badge-bad",
}
_TELLS = {
    Status.SAFE: "Scanners found nothing in this file.",
    Status.CAUTION: "Harmless to load, but there is something in it to look at.",
    Status.QUEUED: "This file is being scanned.",
    Status.UNSCANNED: "This file has not been scanned yet.",
    Status.ERROR: "Scanners could not look at all of this file.",
    Status.SUSPICIOUS: "Nobody can vouch for this file: load it only if you trust its author.",
    Status.UNSAFE: "Loading this file runs code that its author chose.",
}


@dataclass(frozen=True, slots=True)
class ShownFinding:
    """What one scanner has against a file."""

    scanner: str
    message: str
    member: str


@dataclass(frozen=True, slots=True)
class ShownVerdict:
    """The verdict on one file, as badges and panels show it."""

    status: str
    badge: str
    tells: str
    key: str
    imports: list[Mapping[str, Any]]
    findings: list[ShownFinding]
    scanned_at: datetime | None
    released_at: datetime | None
    released_by: str
    is_withheld: bool
    is_waiting: bool
    path: str = ""
    url: str = ""

    @property
    def is_quiet(self) -> bool:
        """Nothing to say in a list."""
        return self.status in {"safe", "unscanned"} and not self.is_withheld


def shown_verdict(repo: Repo, key: bytes, scanned: Scanned | None, path: str = "") -> ShownVerdict:
    """Prepare one verdict, or the lack of it."""
    known = scanned or Scanned(key, Status.UNSCANNED, {})
    is_let_out = known.is_harmless or known.released_at is not None
    return ShownVerdict(
        status=known.standing.value,
        badge=_KINDS[known.standing],
        tells=_TELLS[known.standing],
        key=key.hex(),
        imports=list(known.details.get("imports", ())),
        findings=[
            ShownFinding(
                SCANNERS.get(one["scanner"], one["scanner"]), one["message"], one["member"]
            )
            for one in known.details.get("findings", ())
        ],
        scanned_at=known.scanned_at,
        released_at=known.released_at,
        released_by=known.released_by,
        is_withheld=withholds(repo) and not is_let_out,
        is_waiting=known.status is Status.QUEUED,
        path=path,
        url=links.blob_url(repo.url, repo.default_branch, path) if path else "",
    )
