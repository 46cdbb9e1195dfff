"""What a client does that does not give up: one story for each way into the store."""

import hashlib
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from io import BytesIO

import pytest

from hub.xet.hashing import to_text
from hub.xet.shards import Term
from hub.xet.xorbs import verify_xorb
from tests.faults.checking import Checker
from tests.faults.ledger import Attempt, Ledger, send_large
from tests.hub.xet.samples import FileSample, shard_of, xorb_of
from tests.live import LiveServer
from tests.wire.git_client import Clone
from tests.wire.plain import Answer, file
from tests.wire.uploads import LFS, Cas, target_of

TRIES = 4
PART_BYTES = 64 * 1024
"""What a hub that is told these stories must call a part: see ``lfs_part_bytes``."""


@dataclass(frozen=True)
class Teller:
    """Tells stories to one repo, and writes into the ledger what came of them."""

    ledger: Ledger
    live: LiveServer
    clone: Clone
    checker: Checker

    def insist(self, attempt: Callable[[], bool]) -> None:
        """Try again as a client would; what a failure left behind is sound each time."""
        for _ in range(TRIES):
            if attempt():
                return
            self.live.wait_ready()
            assert self.checker.findings(self.ledger.repo) == []
        pytest.fail(f"in vain {TRIES} times")

    def ask(self, send: Callable[[], Answer], *fine: int) -> Answer:
        """Insist on an answer of one of these statuses."""
        answers: list[Answer] = []

        def attempt() -> bool:
            try:
                answers.append(send())
            except (OSError, HTTPException):
                return False
            assert answers[-1].status in {*fine, 500, 503}, answers[-1]
            return answers[-1].status in fine

        self.insist(attempt)
        return answers[-1]

    def commit(self, name: str, path: str, content: bytes, operation: tuple[str, object]) -> None:
        attempt = Attempt(name, {path: hashlib.sha256(content).hexdigest()})
        self.insist(lambda: self.ledger.commit(attempt, [operation]))

    def commit_large(self, name: str, content: bytes) -> None:
        """Commit a large file that the hub said it has."""
        oid, path = hashlib.sha256(content).hexdigest(), f"{name}/large.bin"
        self.ledger.uploaded[oid] = len(content)
        entry = {"path": path, "algo": "sha256", "oid": oid, "size": len(content)}
        self.commit(name, path, content, ("lfsFile", entry))


Story = Callable[[Teller, str], None]


def by_commit(teller: Teller, name: str) -> None:
    text = secrets.token_hex(3000)
    teller.commit(name, f"{name}/small.txt", text.encode(), file(f"{name}/small.txt", text))


def by_branch(teller: Teller, name: str) -> None:
    ledger = teller.ledger
    target = f"/api/models/{ledger.repo}/branch/{name}"
    # Whoever made it and lost the answer hears that it is there.
    teller.ask(lambda: ledger.hub("POST", target, {}), 200, 201, 409)

    told = ledger.hub("GET", f"/api/models/{ledger.repo}/refs").json["branches"]
    assert name in {branch["name"] for branch in told}


def by_push(teller: Teller, name: str) -> None:
    clone = teller.clone
    clone("fetch", "--quiet")
    clone("reset", "--quiet", "--hard", "origin/main")
    files = {f"{name}/{number}": os.urandom(200).hex() for number in range(20)}
    for path, text in files.items():
        (clone.folder / path).parent.mkdir(exist_ok=True)
        (clone.folder / path).write_text(text)
    clone("add", "--all")
    clone("commit", "--quiet", "--message", name)

    teller.insist(lambda: clone.git.tried("push", "origin", at=clone.folder).returncode == 0)

    digests = {path: hashlib.sha256(text.encode()).hexdigest() for path, text in files.items()}
    teller.ledger.acked.append(Attempt(name, digests, clone("rev-parse", "HEAD")))


def by_lfs(teller: Teller, name: str) -> None:
    content = os.urandom(300_000)

    def send() -> bool:
        try:
            answer = send_large(teller.ledger.hub, teller.ledger.repo, content)
        except (OSError, HTTPException):
            return False
        except KeyError:
            # Nothing is to be done: it had arrived, and only the answer was lost.
            return True
        return answer.status == 200

    teller.insist(send)
    teller.commit_large(name, content)


def by_parts(teller: Teller, name: str) -> None:
    content = os.urandom(3 * PART_BYTES - 100)
    # Whoever lost the answer to the last request may have to begin again with the first.
    teller.insist(lambda: _sent_in_parts(teller, content))
    teller.commit_large(name, content)


def _sent_in_parts(teller: Teller, content: bytes) -> bool:
    hub = teller.ledger.hub
    entry = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content)}
    asked = {"operation": "upload", "transfers": ["basic", "multipart"], "objects": [entry]}
    target = f"/{teller.ledger.repo}.git/info/lfs/objects/batch"
    (told,) = hub("POST", target, asked, headers=LFS).json["objects"]
    if "actions" not in told:
        return True
    action = told["actions"]["upload"]
    for number in range(3):
        part = content[number * PART_BYTES : (number + 1) * PART_BYTES]
        link = target_of(action["header"][str(number + 1)])
        teller.ask(partial(hub, "PUT", link, part, who=""), 200)
    done = {"oid": entry["oid"], "parts": [{"partNumber": n, "etag": "x"} for n in (1, 2, 3)]}
    return (
        teller.ask(lambda: hub("POST", target_of(action["href"]), done, who=""), 200, 422).status
        == 200
    )


def by_xet(teller: Teller, name: str) -> None:
    chunks = [os.urandom(20_000) for _ in range(4)]
    xorb, body = xorb_of(chunks)
    content = b"".join(chunks)
    index = verify_xorb(BytesIO(body), len, expected=xorb)
    true = FileSample.over((index, 0, index.n_chunks))
    sample = FileSample(
        (Term(xorb, 0, index.n_chunks, len(content)),),
        true.proofs,
        true.hash,
        hashlib.sha256(content).digest(),
    )
    cas = Cas(teller.ledger.hub, teller.ledger.repo)
    teller.ask(lambda: cas("POST", f"/v1/xorbs/default/{to_text(xorb)}", body), 200)
    teller.ask(lambda: cas("POST", "/v1/shards", shard_of([sample], [index])), 200)
    teller.commit_large(name, content)


STORIES: dict[str, tuple[Story, ...]] = {
    "commit": (by_commit,),
    "blob": (by_lfs,),
    "part": (by_parts,),
    "parts": (by_parts,),
    "xorb": (by_xet,),
    "shard": (by_xet,),
    "push": (by_push,),
    "publish": (by_commit, by_push, by_branch),
}
"""What to tell a hub for it to come to the points of a family, in turn."""
