"""Write a repo's rows into a bare repository, so that the real git can judge them."""

import subprocess
import zlib
from pathlib import Path

from hub.git.deltas import apply_delta
from hub.models import Repo, sql


def export(repo: Repo, folder: Path) -> Path:
    run(folder, "init", "--bare", "-q", "-b", "main", ".")
    query = (
        "SELECT o.oid, o.kind, o.data, b.data FROM git_object o LEFT JOIN git_object b "
        "ON b.repo_id = o.repo_id AND b.oid = o.base WHERE o.repo_id = %s"
    )
    for oid, kind, data, base in sql.rows(query, [repo.pk]):
        raw = zlib.decompress(data)
        if base is not None:
            raw = apply_delta(zlib.decompress(base), raw)
        word = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}[kind]
        home = folder / "objects" / oid.hex()[:2] / oid.hex()[2:]
        home.parent.mkdir(exist_ok=True)
        home.write_bytes(zlib.compress(f"{word} {len(raw)}\0".encode() + raw))
    for name, oid in sql.rows("SELECT name, oid FROM git_ref WHERE repo_id = %s", [repo.pk]):
        run(folder, "update-ref", name, oid.hex())
    return folder


def run(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
