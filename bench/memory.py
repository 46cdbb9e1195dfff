"""How much memory does the web server take while eight large files move at the same time?"""

import json
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from struct import pack

from clients import Client, add_lfs_file, get_file, send_file, upload, write_weights
from measure import MIB, Processes, Table, Target, options
from server import Server

from hub.xet.chunks import MAX_CHUNK_BYTES
from hub.xet.hashing import chunk_hash, to_text, xorb_hash
from hub.xet.xorbs import MAX_RAW_BYTES

FILES = 8
XORBS = 64
LOOK_SECONDS = 0.1


def main() -> None:
    asked = options(__doc__ or "", rounds=1)
    size = (64 if asked.quick else 1024) * MIB
    table = Table(f"Peak of all web processes, {FILES} files of {size // MIB} MiB at a time")
    with Server() as server:
        web = server.all_web()
        _note(table, "at rest", lambda: None, web)
        client = server.client()
        by_lfs, by_xet = (
            [client.create_repo(f"{way}-{number}") for number in range(FILES)]
            for way in ("lfs", "xet")
        )
        files = [_source(server, number, size) for number in range(FILES)]
        _note(table, "uploads by LFS", partial(_all, _upload_lfs, server, by_lfs, files), web)
        _note(table, "uploads by Xet", partial(_all, _upload_xet, server, by_xet, files), web)
        _note(
            table,
            f"{XORBS} xorbs at a time",
            _sending_xorbs(server, 16 * MIB if asked.quick else MAX_RAW_BYTES),
            web,
        )
        for file in files:
            file.unlink()
        _note(table, "downloads, one blob", partial(_all, _get, server, by_lfs, files), web)
        _note(table, "downloads, Xet form", partial(_all, _get, server, by_xet, files), web)
    table.print()


def _source(server: Server, number: int, size: int) -> Path:
    file = server.folder / str(number) / "weights.bin"
    file.parent.mkdir()
    write_weights(file, size)
    return file


def _note(table: Table, what: str, work: Callable[[], object], web: Processes) -> None:
    """Watch the memory of the web server while the work is done."""
    with _watching(web) as peaks:
        work()
    rss, pss = (max(column) / MIB for column in zip(*peaks, strict=True))
    target = Target(at_most=400)
    table.note(f"{what}: RSS", rss, "MiB, sum of all processes", target)
    table.note(f"{what}: PSS", pss, "MiB, shared pages counted once", target)


@contextmanager
def _watching(web: Processes) -> Iterator[list[tuple[int, int]]]:
    seen = [web.memory()]
    done = threading.Event()

    def look() -> None:
        while not done.wait(LOOK_SECONDS):
            seen.append(web.memory())

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        done.set()
        watcher.join()
        seen.append(web.memory())


Move = Callable[[Server, Client, str, Path], object]


def _all(move: Move, server: Server, repos: list[str], files: list[Path]) -> None:
    with ThreadPoolExecutor(FILES) as pool:
        moving = [
            pool.submit(move, server, server.client(), repo, file)
            for repo, file in zip(repos, files, strict=True)
        ]
        for one in moving:
            one.result()
    os.sync()


def _upload_lfs(_server: Server, client: Client, repo: str, file: Path) -> None:
    add_lfs_file(client, repo, file)


def _upload_xet(_server: Server, client: Client, repo: str, file: Path) -> None:
    upload(client, repo, file, by_xet=True)


def _sending_xorbs(server: Server, size: int) -> Callable[[], object]:
    """Make so many xorbs; answer how to send them all at once."""
    client = server.client()
    repo = client.create_repo("xorbs")
    given = json.loads(client.get(f"/api/models/{repo}/xet-write-token/main"))
    chunks = size // MAX_CHUNK_BYTES
    made = [_write_xorb(server.folder / f"{number}.xorb", chunks) for number in range(XORBS)]

    def send(file: Path, xorb: bytes) -> None:
        url = f"{given['casUrl']}/v1/xorbs/default/{to_text(xorb)}"
        send_file("POST", url, file, given["accessToken"])
        file.unlink()

    def send_all() -> None:
        with ThreadPoolExecutor(XORBS) as pool:
            for sent in [pool.submit(send, file, xorb) for file, xorb in made]:
                sent.result()

    return send_all


def _write_xorb(file: Path, chunks: int) -> tuple[Path, bytes]:
    header = pack("<II", MAX_CHUNK_BYTES << 8, MAX_CHUNK_BYTES << 8)
    nodes: list[tuple[bytes, int]] = []
    with file.open("wb") as out:
        for _ in range(chunks):
            chunk = os.urandom(MAX_CHUNK_BYTES)
            nodes.append((chunk_hash(chunk), len(chunk)))
            out.write(header + chunk)
    return file, xorb_hash(nodes)


def _get(server: Server, _client: Client, repo: str, file: Path) -> None:
    get_file(server.port, f"/{repo}/resolve/main/{file.name}")


if __name__ == "__main__":
    main()
