"""What does one more byte cost to send? How fast is a file put together from xorbs?"""

import os
import shutil
import statistics
from functools import partial
from pathlib import Path

from clients import add_lfs_file, get_file, upload, write_random
from measure import (
    MIB,
    Options,
    Processes,
    Sample,
    Table,
    Target,
    cpu_seconds,
    in_turn,
    options,
    rates,
    sampled,
)
from server import Server

MB = 1_000_000
EDITS = 7


def main() -> None:
    asked = options(__doc__ or "", rounds=3)
    with Server(WEIGHHOUSE_WEB_WORKERS="1") as server:
        _one_more_byte(server, asked)
        _rebuilt(server, asked)


def _one_more_byte(server: Server, asked: Options) -> None:
    """Each upload is that of a client who remembers nothing, so all it knows it has asked."""
    size = (80 if asked.quick else 200) * MIB
    file = server.folder / "weights.bin"
    write_random(file, size)
    content = file.read_bytes()
    repo = server.client().create_repo("dedup")
    first = _sent(server, repo, file)
    later = []
    for number in range(2 if asked.quick else EDITS):
        at = size * (number + 1) // (EDITS + 1)
        file.write_bytes(content[:at] + os.urandom(1) + content[at:])
        later.append(_sent(server, repo, file))
    table = Table(
        f"{size // MIB} MiB of random bytes, then with one byte more at {len(later)} places"
    )
    table.note("sent of the file, first time", 100 * first / size, "%")
    median = statistics.median(later)
    table.note("sent with one byte more, median", 100 * median / size, "%", Target(at_most=0.06))
    table.note("sent with one byte more, most", 100 * max(later) / size, "%")
    table.note("the same, median", median, "bytes")
    table.print()
    file.unlink()


def _sent(server: Server, repo: str, file: Path) -> int:
    """Upload a file; answer how many bytes of xorbs and shards came with it."""
    shutil.rmtree(file.parent / "home", ignore_errors=True)
    before = _kept(server)
    upload(server.client(), repo, file, by_xet=True)
    return _kept(server) - before


def _kept(server: Server) -> int:
    found = (server.data / "store" / "xet").rglob("*")
    return sum(one.stat().st_size for one in found if one.is_file() and one.suffix != ".idx")


def _rebuilt(server: Server, asked: Options) -> None:
    """Two downloads by one process: a file of xorbs, every chunk compared, and one blob."""
    size = (64 if asked.quick else 512) * MIB
    file = server.folder / "weights.bin"
    client = server.client()
    names = {"xorbs": client.create_repo("xorbs"), "blob": client.create_repo("blob")}
    write_random(file, size)
    upload(client, names["xorbs"], file, by_xet=True)
    write_random(file, size)
    add_lfs_file(client, names["blob"], file)
    file.unlink()
    ways = {
        name: partial(_download, server, f"/{repo}/resolve/main/weights.bin")
        for name, repo in names.items()
    }
    found = in_turn(ways, rounds=asked.rounds)
    table = Table(f"Download of {size // MIB} MiB of random bytes, {asked.rounds} rounds")
    speed = sorted(size / MB / one.seconds for one in found["xorbs"])
    target = Target(at_least=300)
    table.note("put together from xorbs, median", speed[len(speed) // 2], "MB/s", target)
    cpu = sorted(size / MB / one.cpu for one in found["xorbs"] if one.cpu)
    table.note("the same for each second of CPU", cpu[len(cpu) // 2], "MB/s")
    both = rates(found["xorbs"], size), rates(found["blob"], size)
    table.compare("speed, xorbs : blob", *both, unit="MiB/s")
    cpus = cpu_seconds(found["xorbs"]), cpu_seconds(found["blob"])
    table.compare("CPU, xorbs : blob", *cpus, unit="CPU s")
    table.print()


def _download(server: Server, path: str) -> Sample:
    return sampled(lambda: get_file(server.port, path), Processes(server.web))


if __name__ == "__main__":
    main()
