"""What do uploads cost? LFS against a plain write to the same disk, Xet's CPU against LFS's."""

import hashlib
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from clients import digest, put_file, upload, write_random, write_weights
from measure import (
    MIB,
    Processes,
    Sample,
    Table,
    Target,
    cpu_seconds,
    in_turn,
    options,
    rates,
    sampled,
    settle,
)
from server import Server


def main() -> None:
    asked = options(__doc__ or "")
    with Server() as server:
        size = (64 if asked.quick else 1024) * MIB
        _against_plain_write(server, size, asked.rounds)
        size = (32 if asked.quick else 512) * MIB
        _xet_against_lfs(server, size, asked.rounds)


def _against_plain_write(server: Server, size: int, rounds: int) -> None:
    file = server.folder / "source.bin"
    write_random(file, size)
    repo = server.client().create_repo("plain")
    watched = server.all_web()
    ways = {
        "lfs": partial(_put, server, repo, file, watched),
        "write": partial(_write, server, file),
        "hashed": partial(_write_hashed, server, file),
    }
    found = in_turn(ways, rounds=rounds)
    table = Table(f"LFS upload of {size // MIB} MiB, {rounds} rounds")
    lfs = rates(found["lfs"], size)
    target = Target(at_least=0.45)
    table.compare(
        "speed, LFS : write", lfs, rates(found["write"], size), unit="MiB/s", target=target
    )
    table.compare(
        "speed, LFS : sha256, then write", lfs, rates(found["hashed"], size), unit="MiB/s"
    )
    table.print()
    file.unlink()


def _put(server: Server, repo: str, file: Path, watched: Processes) -> Sample:
    """Upload the file with a new beginning: bytes that are known already would not be sent."""
    _change(file)
    oid, size = digest(file), file.stat().st_size
    link = server.client().lfs_link(repo, oid, size)
    settle()
    sample = sampled(lambda: put_file(link, file), watched)
    (server.data / "store" / "lfs" / oid[:2] / oid[2:4] / oid).unlink()
    return sample


def _change(file: Path) -> None:
    with file.open("r+b") as out:
        out.write(os.urandom(64))


def _write(server: Server, file: Path) -> Sample:
    return _copied(server, file, lambda _block: None)


def _write_hashed(server: Server, file: Path) -> Sample:
    """The least that any server must do: hash and write, one after the other."""
    return _copied(server, file, hashlib.sha256().update)


def _copied(server: Server, file: Path, look: Callable[[bytes], None]) -> Sample:
    target = server.data / "store" / "copy.bin"

    def copy() -> None:
        with file.open("rb", buffering=0) as source, target.open("xb", buffering=0) as out:
            while block := source.read(MIB):
                look(block)
                out.write(block)
            os.fsync(out.fileno())

    settle()
    sample = sampled(copy)
    target.unlink()
    return sample


def _xet_against_lfs(server: Server, size: int, rounds: int) -> None:
    kinds: dict[str, Callable[[Path, int], None]] = {
        "random bytes": write_random,
        "float32 weights": write_weights,
    }
    for kind, write in kinds.items():
        ways = {
            "xet": partial(_upload, server, write, size, by_xet=True),
            "lfs": partial(_upload, server, write, size, by_xet=False),
        }
        found = in_turn(ways, rounds=rounds)
        table = Table(f"Xet and LFS upload of {size // MIB} MiB of {kind}, {rounds} rounds")
        cpus = cpu_seconds(found["xet"]), cpu_seconds(found["lfs"])
        target = Target(at_most=1.3)
        table.compare("CPU of web and PostgreSQL, Xet : LFS", *cpus, unit="CPU s", target=target)
        table.print()


def _upload(
    server: Server, write: Callable[[Path, int], None], size: int, *, by_xet: bool
) -> Sample:
    file = server.folder / "weights.bin"
    write(file, size)
    client = server.client()
    repo = client.create_repo(f"upload-{os.urandom(6).hex()}")
    settle()
    sample = sampled(
        lambda: upload(client, repo, file, by_xet=by_xet),
        Processes(server.web, server.postgres),
    )
    _forget(server.data / "store")
    return sample


def _forget(store: Path) -> None:
    """Make room: what comes next is new anyway."""
    for file in store.rglob("*"):
        if file.is_file():
            file.unlink()


if __name__ == "__main__":
    main()
