"""Guard: refuse a commit with a file that is known to be unsafe, where its owner wants that.

Only files that travel with the commit are looked at in time; a large file is scanned afterwards,
and withheld until then.
"""

from types import TracebackType
from typing import Self

from hub.errors import UnsafeFile
from hub.models import Repo
from hub.queries.scans import Policy, policy_of
from hub.scanning.scanners import Scanners
from hub.scanning.verdicts import Safety, Status, Verdict

_FILE_SECONDS = 30.0


class Guard:
    """Looks at the files of one commit or push; where nobody wants it, it does nothing."""

    def __init__(self, repo: Repo) -> None:
        self.is_on_duty = policy_of(repo) is Policy.BLOCK
        self._scanners = Scanners(file_seconds=_FILE_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._scanners.__exit__(kind, error, traceback)

    def check(self, path: str, content: bytes) -> None:
        """Look at one file.

        Raises:
            UnsafeFile: loading it runs code.
        """
        if not self.is_on_duty or not content:
            return
        verdict = self._scanners.scan(path, len(content), lambda a, b: iter([content[a:b]]))
        if verdict.status is Status.UNSAFE:
            raise UnsafeFile(f"{path or 'A file'} is unsafe to load: {_reason(verdict)}.")


def _reason(verdict: Verdict) -> str:
    bad = [one for one in verdict.imports if one.safety is Safety.DANGEROUS]
    if bad:
        return f"it imports {bad[0].module}.{bad[0].name}"
    found = [one.message for one in verdict.findings if one.status is Status.UNSAFE]
    return found[0].rstrip(".") if found else "scanners say so"
