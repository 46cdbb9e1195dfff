"""What somebody does with datasets: push, wait for the export, load; prints what they saw.

Runs as a program of its own, since the library reads its settings once: ``HF_ENDPOINT``,
``HF_TOKEN``, ``HF_HOME``.
"""

import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

from datasets import Dataset, DatasetDict, get_dataset_config_names, load_dataset
from huggingface_hub import HfApi

EXPORT = "refs/convert/parquet"
SECONDS = 240


def main() -> None:
    """Push a dataset of two configs and one of CSV files, and read both in every way."""
    api = HfApi()
    seen: dict[str, Any] = {}
    whole = DatasetDict(train=table(0, 1000), test=table(1000, 100))
    whole.push_to_hub("ada/pushed", private=True)
    table(0, 5).push_to_hub("ada/pushed", "tiny")
    api.create_repo("ada/sheets", repo_type="dataset")
    for name, start in (("train", 0), ("test", 50)):
        api.upload_file(
            path_or_fileobj=sheet(start),
            path_in_repo=f"{name}.csv",
            repo_id="ada/sheets",
            repo_type="dataset",
        )
    wait_for(api, "ada/pushed", ("default/test/", "default/train/", "tiny/train/"))
    wait_for(api, "ada/sheets", ("default/test/", "default/train/"))
    seen["configs"] = sorted(get_dataset_config_names("ada/pushed"))
    for where in ("main", EXPORT):
        pushed = load_dataset("ada/pushed", "default", revision=where)
        seen[f"pushed {where}"] = {name: list(part["n"])[-1] for name, part in pushed.items()}
        seen[f"label {where}"] = pushed["train"].features["label"].names
        tiny = load_dataset("ada/pushed", "tiny", revision=where, split="train", streaming=True)
        seen[f"tiny {where}"] = [row["text"] for row in tiny]
        sheets = load_dataset("ada/sheets", revision=where, split="test", streaming=True)
        seen[f"sheets {where}"] = list(sheets)
    print(json.dumps(seen))


def table(start: int, count: int) -> Dataset:
    from datasets import ClassLabel, Features, Value  # noqa: PLC0415 - only here

    rows = [{"n": n, "text": f"row {n}", "label": n % 2} for n in range(start, start + count)]
    kinds = Features(
        {"n": Value("int64"), "text": Value("string"), "label": ClassLabel(names=["even", "odd"])}
    )
    return Dataset.from_list(rows, features=kinds)


def sheet(start: int) -> bytes:
    return b"a,b\n" + b"".join(b"%d,x%d\n" % (n, n) for n in range(start, start + 3))


def wait_for(api: HfApi, repo: str, folders: Sequence[str]) -> None:
    """Until the export has files in all of these folders."""
    end = time.monotonic() + SECONDS
    while not all(any(path.startswith(one) for path in exported(api, repo)) for one in folders):
        if time.monotonic() > end:
            raise SystemExit(f"{repo} is not exported: {list(exported(api, repo))}")
        time.sleep(0.5)


def exported(api: HfApi, repo: str) -> Iterator[str]:
    refs = api.list_repo_refs(repo, repo_type="dataset").converts
    if any(one.ref == EXPORT for one in refs):
        yield from api.list_repo_files(repo, repo_type="dataset", revision=EXPORT)


if __name__ == "__main__":
    main()
