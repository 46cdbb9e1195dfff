"""Do downloads cost more than nginx's sendfile of the same file? By gunicorn, and by X-Accel."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from string import Template

from clients import add_lfs_file, get_file, write_random
from measure import (
    MIB,
    ROOT,
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
from server import Server, free_port

MANY = 8


def main() -> None:
    asked = options(__doc__ or "")
    size = (64 if asked.quick else 1024) * MIB
    with Server() as server:
        ways = _ways(server, *_file_in_repo(server, size))
        for clients in (1, MANY):
            table = Table(f"{size // MIB} MiB, {clients} at a time, {asked.rounds} rounds")
            now = {name: partial(way, clients) for name, way in ways.items()}
            found = in_turn(now, rounds=asked.rounds)
            for name, samples in found.items():
                if name != "nginx":
                    _compare(table, name, samples, found["nginx"], clients * size)
            table.print()


def _compare(
    table: Table, name: str, ours: list[Sample], theirs: list[Sample], nbytes: int
) -> None:
    speeds = rates(ours, nbytes), rates(theirs, nbytes)
    table.compare(f"speed, {name} : nginx", *speeds, unit="MiB/s", target=Target(at_least=0.9))
    cpus = cpu_seconds(ours), cpu_seconds(theirs)
    table.compare(f"CPU, {name} : nginx", *cpus, unit="CPU s", target=Target(at_most=1.3))


def _file_in_repo(server: Server, size: int) -> tuple[str, Path]:
    """Upload one large file by LFS; answer its URL and where the store keeps it."""
    file = server.folder / "weights.bin"
    write_random(file, size)
    client = server.client()
    repo = client.create_repo("large")
    oid = add_lfs_file(client, repo, file)
    file.unlink()
    stored = Path("lfs") / oid[:2] / oid[2:4] / oid
    return f"/{repo}/resolve/main/weights.bin", stored


def _ways(server: Server, url: str, stored: Path) -> dict[str, Callable[[int], Sample]]:
    plain_port, accel_port = free_port(), free_port()
    store = server.data / "store"
    plain = f"server {{ listen 127.0.0.1:{plain_port}; root {store}; }}"
    nginx = Processes(server.nginx(plain, plain_port))
    web_port, web = server.second_web(WEIGHHOUSE_ACCEL_PREFIX="/_store/")
    proxy = server.nginx(_deployed(accel_port, web_port, store), accel_port)

    def way(port: int, path: str, watched: Processes) -> Callable[[int], Sample]:
        return lambda clients: sampled(lambda: _fetch(port, path, clients), watched)

    return {
        "nginx": way(plain_port, f"/{stored}", nginx),
        "gunicorn": way(server.port, url, server.all_web()),
        "X-Accel": way(accel_port, url, Processes(proxy, web)),
    }


def _deployed(port: int, web_port: int, store: Path) -> str:
    """The proxy's own template, filled in as its image would."""
    template = Template((ROOT / "deploy" / "nginx.conf.template").read_text())
    return template.safe_substitute(
        LISTEN=f"127.0.0.1:{port}", WEB_UPSTREAM=f"127.0.0.1:{web_port}", STORE_DIR=f"{store}/"
    )


def _fetch(port: int, path: str, clients: int) -> None:
    with ThreadPoolExecutor(clients) as pool:
        for done in [pool.submit(get_file, port, path) for _ in range(clients)]:
            done.result()


if __name__ == "__main__":
    main()
