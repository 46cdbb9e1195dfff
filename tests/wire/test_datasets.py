"""The datasets library pushes; workers make Parquet of it; the library reads both."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import ROOT, LiveServer
from tests.wire.conftest import populated

pytestmark = pytest.mark.wire


@pytest.fixture(scope="module")
def working() -> Iterator[LiveServer]:
    with LiveServer(workers=True) as server:
        yield populated(server)


def test_what_is_pushed_is_read_back_and_its_export_too(
    working: LiveServer, tmp_path: Path
) -> None:
    environ = {
        **working.environ,
        "HF_ENDPOINT": working.url,
        "HF_TOKEN": working.token("ada"),
        "HF_HOME": str(tmp_path),
        "HF_UPDATE_DOWNLOAD_COUNTS": "0",
        "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    }

    done = subprocess.run(
        [sys.executable, "-m", "tests.wire.dataset_client"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, (
        f"{done.stdout[-2000:]}{done.stderr[-4000:]}{working.told()[-6000:]}"
    )
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["configs"] == ["default", "tiny"]
    for where in ("main", "refs/convert/parquet"):
        assert seen[f"pushed {where}"] == {"train": 999, "test": 1099}
        assert seen[f"label {where}"] == ["even", "odd"]
        assert seen[f"tiny {where}"] == [f"row {n}" for n in range(5)]
        assert seen[f"sheets {where}"] == [{"a": n, "b": f"x{n}"} for n in range(50, 53)]
    assert working.fsck() == []
