"""Verdict: what scanners say of one file; everything that is not «safe» says why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self

RULES = 1
"""Grows with every change of what scanners look for; verdicts of older rules are taken anew."""
MOST_KEPT = 200
"""Imports and findings of one file that are kept; the worst first."""
MOST_TEXT = 300


class Status(StrEnum):
    """The words that clients read. «Unscanned» is the word for a file without any verdict."""

    UNSCANNED = "unscanned"
    QUEUED = "queued"
    SAFE = "safe"
    CAUTION = "caution"
    """Harmless to load, but something should not be there: a secret."""
    ERROR = "error"
    """Nobody could look at all of it; that is no better than suspicious."""
    SUSPICIOUS = "suspicious"
    UNSAFE = "unsafe"


_BADNESS = {status: place for place, status in enumerate(Status)}
_BADNESS[Status.SAFE] = -1


def worst(statuses: Iterable[Status]) -> Status:
    """Answer the worst of them; safe if there is none, and only if all are."""
    return max(statuses, key=_BADNESS.__getitem__, default=Status.SAFE)


class Safety(StrEnum):
    """What importing and calling something means for who loads a pickle."""

    INNOCUOUS = "innocuous"
    SUSPICIOUS = "suspicious"
    DANGEROUS = "dangerous"


STATUS_OF = {
    Safety.INNOCUOUS: Status.SAFE,
    Safety.SUSPICIOUS: Status.SUSPICIOUS,
    Safety.DANGEROUS: Status.UNSAFE,
}


@dataclass(frozen=True, slots=True, order=True)
class Import:
    """Something that a pickle would import."""

    module: str
    name: str
    safety: Safety


@dataclass(frozen=True, slots=True)
class Finding:
    """What one scanner has against a file, and in which member of it."""

    scanner: str
    status: Status
    message: str
    member: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """All that scanners say of one file."""

    kind: str = ""
    """What the bytes are, whatever the file's name says."""
    findings: tuple[Finding, ...] = ()
    imports: tuple[Import, ...] = ()
    leaked: tuple[str, ...] = ()
    """SHA-256 (hex) of every token of this hub's own making in it."""

    @property
    def status(self) -> Status:
        of_imports = (STATUS_OF[one.safety] for one in self.imports)
        return worst([*(finding.status for finding in self.findings), *of_imports])

    def and_also(self, other: "Verdict") -> "Verdict":
        """Answer both verdicts as one."""
        return replace(
            self,
            kind=self.kind or other.kind,
            findings=tuple(dict.fromkeys(self.findings + other.findings)),
            imports=tuple(dict.fromkeys(self.imports + other.imports)),
            leaked=tuple(dict.fromkeys(self.leaked + other.leaked)),
        )

    def within(self, member: str) -> "Verdict":
        """Answer the same, said of a member of the file."""
        found = (replace(one, member=f"{member}/{one.member}".rstrip("/")) for one in self.findings)
        return replace(self, findings=tuple(found))

    def to_json(self) -> dict[str, Any]:
        """As rows and pipes keep it: bounded, whatever a file has in it."""
        findings = sorted(self.findings, key=lambda one: -_BADNESS[one.status])[:MOST_KEPT]
        imports = sorted(self.imports, key=lambda one: (-_badness_of(one), one))[:MOST_KEPT]
        return {
            "kind": _short(self.kind),
            "findings": [
                {
                    "scanner": one.scanner,
                    "status": one.status.value,
                    "message": _short(one.message),
                    "member": _short(one.member),
                }
                for one in findings
            ],
            "imports": [
                {
                    "module": _short(one.module),
                    "name": _short(one.name),
                    "safety": one.safety.value,
                }
                for one in imports
            ],
            "leaked": list(self.leaked[:MOST_KEPT]),
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_json` wrote.

        Raises:
            ValueError, KeyError, TypeError: it wrote nothing of the kind.
        """
        return cls(
            str(told["kind"]),
            tuple(
                Finding(
                    str(one["scanner"]),
                    Status(one["status"]),
                    str(one["message"]),
                    str(one["member"]),
                )
                for one in told["findings"]
            ),
            tuple(
                Import(str(one["module"]), str(one["name"]), Safety(one["safety"]))
                for one in told["imports"]
            ),
            tuple(str(one) for one in told["leaked"]),
        )


SAFE = Verdict()


def trouble(scanner: str, status: Status, message: str) -> Verdict:
    """Answer a verdict of one finding."""
    return Verdict(findings=(Finding(scanner, status, message),))


def failure(message: str) -> Verdict:
    """Answer what is said of a file that could not be looked at."""
    return trouble("scan", Status.ERROR, message)


def _badness_of(one: Import) -> int:
    return _BADNESS[STATUS_OF[one.safety]]


def _short(text: str) -> str:
    """Text of a stranger as a database takes it: no NUL, no lone surrogate, not too much of it."""
    clean = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return clean.encode(errors="replace").decode()[:MOST_TEXT]
