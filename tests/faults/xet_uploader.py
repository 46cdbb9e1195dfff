"""A process that uploads with the real client until it is ended, and writes down what it is told.

``python -m tests.faults.xet_uploader REPO LOG``; endpoint and token come from the environment.
"""

import hashlib
import json
import os
import random
import sys
from pathlib import Path

import httpx2
from huggingface_hub import HfApi


def main(repo: str, log: Path) -> None:
    api, number = HfApi(), 0
    with log.open("a") as told:
        while True:
            number += 1
            content = os.urandom(random.randint(100_000, 2_000_000))
            facts = {
                "title": f"xet-{number}",
                "path": f"xet-{number}/large.bin",
                "sha256": hashlib.sha256(content).hexdigest(),
            }
            _tell(told.fileno(), facts | {"oid": _upload(api, repo, facts, content)})


def _upload(api: HfApi, repo: str, facts: dict[str, str], content: bytes) -> str:
    try:
        done = api.upload_file(
            path_or_fileobj=content,
            path_in_repo=facts["path"],
            repo_id=repo,
            commit_message=facts["title"],
        )
    except (httpx2.HTTPError, OSError, RuntimeError) as error:
        sys.stderr.write(f"{facts['title']}: {type(error).__name__}: {error}\n")
        return ""
    return str(done.oid)


def _tell(log: int, facts: dict[str, str]) -> None:
    os.write(log, json.dumps(facts).encode() + b"\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
