"""What writers did and what they were told: the history against which a hub is judged."""

import hashlib
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any

from tests.live import LiveServer
from tests.wire.plain import Answer, Plain, file

PAUSE_SECONDS = 0.02
RETREAT_SECONDS = 0.2
"""How long a writer waits after a failure: a dead server is no reason to hurry."""
FILES_A_COMMIT = 3


@dataclass(frozen=True)
class Attempt:
    """One commit that somebody asked for, and its id if they were told of success."""

    title: str
    files: dict[str, str]
    """Path -> SHA-256 of its bytes."""
    oid: str = ""


@dataclass
class Ledger:
    """All attempts on one repo. Lists only grow, and threads may append to them."""

    hub: Plain
    repo: str
    acked: list[Attempt] = field(default_factory=list)
    unknown: list[Attempt] = field(default_factory=list)
    uploaded: dict[str, int] = field(default_factory=dict)
    """SHA-256 -> size of large files whose upload was acknowledged."""
    refused: list[Answer] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """What readers saw that must never be seen."""

    def commit(self, attempt: Attempt, operations: list[tuple[str, object]]) -> bool:
        """Try to commit, and answer whether we were told of success."""
        try:
            answer = self.hub.commit(self.repo, *operations, summary=attempt.title)
        except ConnectionRefusedError:
            # Nobody heard it, so there is nothing to know about it.
            time.sleep(RETREAT_SECONDS)
            return False
        except (OSError, HTTPException):
            self._fail(attempt)
            return False
        if answer.status == 200:
            oid = answer.json["commitOid"]
            self.acked.append(Attempt(attempt.title, attempt.files, oid))
            return True
        if answer.status >= 500:
            self._fail(attempt)
        else:
            self.refused.append(answer)
        return False

    def _fail(self, attempt: Attempt) -> None:
        self.unknown.append(attempt)
        time.sleep(RETREAT_SECONDS)

    def upload(self, content: bytes) -> dict[str, object] | None:
        """Send a large file; answer how a commit names it, or nothing if it may not be there."""
        try:
            answer = send_large(self.hub, self.repo, content)
        except (OSError, HTTPException):
            return None
        if answer.status != 200:
            self.refused += [answer] if answer.status < 500 else []
            return None
        oid, size = hashlib.sha256(content).hexdigest(), len(content)
        self.uploaded[oid] = size
        return {"algo": "sha256", "oid": oid, "size": size}


def send_large(hub: Plain, repo: str, content: bytes) -> Answer:
    """Send a large file by LFS; answer how that ended."""
    entry = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content)}
    batch = {"operation": "upload", "objects": [entry]}
    asked = hub("POST", f"/{repo}.git/info/lfs/objects/batch", batch)
    if asked.status != 200:
        return asked
    href = asked.json["objects"][0]["actions"]["upload"]["href"]
    return hub("PUT", href.removeprefix(hub.url), content)


def commit_small(ledger: Ledger, folder: str) -> None:
    """One commit of a few small files: all of them are there afterwards, or none."""
    texts = {f"{folder}/{n}.txt": f"{folder} {n} {random.random()}" for n in range(FILES_A_COMMIT)}
    files = {path: hashlib.sha256(text.encode()).hexdigest() for path, text in texts.items()}
    ledger.commit(Attempt(folder, files), [file(path, text) for path, text in texts.items()])


def commit_large(ledger: Ledger, folder: str) -> None:
    """One commit of a large file that was uploaded before, and a small one beside it."""
    content = os.urandom(random.randint(1, 3_000_000))
    pointer = ledger.upload(content)
    if pointer is None:
        return
    path, note = f"{folder}/large.bin", f"{folder}/note.txt"
    files = {
        path: hashlib.sha256(content).hexdigest(),
        note: hashlib.sha256(folder.encode()).hexdigest(),
    }
    ledger.commit(
        Attempt(folder, files), [("lfsFile", {"path": path, **pointer}), file(note, folder)]
    )


def read_back(ledger: Ledger, _folder: str) -> None:
    """A folder that one commit makes has all of its files, or is not there."""
    attempts = ledger.acked[-20:]
    if not attempts:
        return
    attempt = random.choice(attempts)
    folder = attempt.title
    try:
        answer = ledger.hub("GET", f"/api/models/{ledger.repo}/tree/main/{folder}")
    except (OSError, HTTPException):
        return
    if answer.status < 500 and (
        answer.status != 200 or {entry["path"] for entry in answer.json} != attempt.files.keys()
    ):
        ledger.wrong.append(f"{folder}: {answer}")


Work = Callable[[Ledger, str], None]


class Writers:
    """Threads that work until told to stop; each has folders of its own."""

    def __init__(self, ledger: Ledger, *works: Work) -> None:
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(ledger, work, f"w{number}"))
            for number, work in enumerate(works)
        ]

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_reason: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, ledger: Ledger, work: Work, name: str) -> None:
        number = 0
        while not self._stop.wait(PAUSE_SECONDS):
            number += 1
            work(ledger, f"{name}-{number}")


def judge(ledger: Ledger, live: LiveServer) -> None:
    """Hold the hub against the ledger: nothing acknowledged is lost, nothing is there by half."""
    assert ledger.refused == []
    assert ledger.wrong == []
    history = _history(ledger)
    titles = Counter(title for _oid, title in history)
    oids = {oid for oid, _title in history}
    assert [a for a in ledger.acked if a.oid not in oids or titles[a.title] != 1] == []
    assert [a for a in ledger.unknown if titles[a.title] > 1] == []
    paths = _paths(ledger)
    landed = [attempt for attempt in ledger.unknown if titles[attempt.title] == 1]
    for attempt in ledger.unknown:
        expected = attempt.files.keys() if attempt in landed else set()
        assert paths & attempt.files.keys() == expected, attempt
    there = [entry for attempt in (*ledger.acked, *landed) for entry in attempt.files.items()]
    assert [path for path, sha256 in there if _sha256(ledger, path) != sha256] == []
    assert _missing_uploads(ledger) == []
    assert live.fsck("--deep") == []


def _history(ledger: Ledger) -> list[tuple[str, str]]:
    commits = _pages(ledger, f"/api/models/{ledger.repo}/commits/main?limit=1000")
    return [(commit["id"], commit["title"]) for commit in commits]


def _paths(ledger: Ledger) -> set[str]:
    entries = _pages(ledger, f"/api/models/{ledger.repo}/tree/main?recursive=true&limit=1000")
    return {entry["path"] for entry in entries}


def _pages(ledger: Ledger, target: str) -> Iterator[Any]:
    while target:
        answer = ledger.hub("GET", target)
        assert answer.status == 200, answer
        yield from answer.json
        link = answer.headers["Link"] or ""
        target = link.partition("<")[2].partition(">")[0].removeprefix(ledger.hub.url)


def _sha256(ledger: Ledger, path: str) -> str:
    """The hash of a file as a download gives it."""
    answer = ledger.hub("GET", f"/{ledger.repo}/resolve/main/{path}")
    assert answer.status == 200, answer
    return hashlib.sha256(answer.body).hexdigest()


def _missing_uploads(ledger: Ledger) -> list[object]:
    entries = [{"oid": oid, "size": size} for oid, size in ledger.uploaded.items()]
    missing: list[object] = []
    for at in range(0, len(entries), 500):
        body = {"operation": "download", "objects": entries[at : at + 500]}
        answer = ledger.hub("POST", f"/{ledger.repo}.git/info/lfs/objects/batch", body)
        missing += [entry for entry in answer.json["objects"] if "error" in entry]
    return missing
