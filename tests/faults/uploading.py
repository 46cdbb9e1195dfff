"""The real client, uploading by Xet in a process of its own while a test does harm."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.ledger import Attempt, Ledger
from tests.live import ROOT, LiveServer


@contextmanager
def uploading(live: LiveServer, ledger: Ledger, home: Path) -> Iterator[None]:
    """Afterwards the ledger has what the client was told, too."""
    told, errors = home / "told", home / "errors"
    told.touch()
    environ = {
        "PATH": os.defpath,
        "HOME": str(home),
        "HF_ENDPOINT": live.url,
        "HF_TOKEN": live.token(),
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_XET_CLIENT_RETRY_BASE_DELAY": "200ms",
    }
    command = [sys.executable, "-m", "tests.faults.xet_uploader", ledger.repo, str(told)]
    with errors.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stderr=output)
    try:
        yield
        assert process.poll() is None, errors.read_text()
    finally:
        process.kill()
        process.wait()
    for line in told.read_text().splitlines():
        facts = json.loads(line)
        attempt = Attempt(facts["title"], {facts["path"]: facts["sha256"]}, facts["oid"])
        (ledger.acked if attempt.oid else ledger.unknown).append(attempt)
