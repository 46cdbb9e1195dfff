"""Which store the settings name, and what that costs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hub.queries.store import bucket_address, store_at
from hub.storage.local import LocalStore
from hub.storage.s3 import S3Store
from tests.live import ROOT

LOADED = """
import django, sys
django.setup()
from hub.queries.store import blob_store
blob_store()
print(sorted(name for name in sys.modules if name in {"boto3", "botocore"}))
"""


def test_a_store_in_a_folder_loads_nothing_of_s3(tmp_path: Path) -> None:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("WEIGHHOUSE_")}
    environ |= {"WEIGHHOUSE_DATA": str(tmp_path), "DJANGO_SETTINGS_MODULE": "hub.config.settings"}

    told = subprocess.run(
        [sys.executable, "-c", LOADED],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert told.stdout.strip() == "[]", told.stderr


def test_an_address_names_a_folder_or_a_bucket(tmp_path: Path) -> None:
    assert isinstance(store_at(f"file://{tmp_path}"), LocalStore)
    assert isinstance(store_at("s3://bucket"), S3Store)


@pytest.mark.parametrize(
    ("url", "bucket", "prefix"),
    [("s3://b", "b", ""), ("s3://b/", "b", ""), ("s3://b/a/hub/", "b", "a/hub/")],
)
def test_what_is_ours_in_a_bucket_lies_below_a_folder(url: str, bucket: str, prefix: str) -> None:
    address = bucket_address(url)

    assert address is not None
    assert (address.bucket, address.prefix) == (bucket, prefix)


@pytest.mark.parametrize("url", ["", "file:relative", "gs://bucket", "s3://"])
def test_an_address_that_leads_nowhere_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is no store"):
        store_at(url)
