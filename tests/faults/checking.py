"""``hub_fsck`` in one process that stays: to ask it often costs little.

``python -m tests.faults.checking`` reads names of repos, one a line, and answers each with the
findings as one line of JSON.
"""

import io
import json
import subprocess
import sys
from contextlib import suppress
from typing import Self

import django
from django.core.management import call_command
from django.db import connection

from tests.live import ROOT, LiveServer


class Checker:
    """Asks that process."""

    def __init__(self, live: LiveServer) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.checking"],
            cwd=ROOT,
            env=live.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_reason: object) -> None:
        self._process.kill()
        self._process.communicate()

    def findings(self, repo: str) -> list[str]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{repo}\n")
        self._process.stdin.flush()
        told: list[str] = json.loads(self._process.stdout.readline())
        return told


def main() -> None:
    django.setup()
    for line in sys.stdin:
        told = io.StringIO()
        with suppress(SystemExit):
            call_command("hub_fsck", "--repo", line.strip(), stdout=told)
        # The next time PostgreSQL may be another one.
        connection.close()
        print(json.dumps(told.getvalue().splitlines()[:-1]), flush=True)


if __name__ == "__main__":
    main()
