"""Do clone, fetch and push cost more than nginx with git http-backend on the same content?"""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

import psutil  # type: ignore[import-untyped]
from git_content import Shape, add_commit, fill, git
from measure import (
    MIB,
    Options,
    Processes,
    Sample,
    Table,
    Target,
    in_turn,
    options,
    sampled,
    seconds,
)
from server import Server, free_port

BACKEND = "/usr/lib/git-core/git-http-backend"
PUSHED_FILES = 1000
SMALL, LARGE = Shape(folders=10, edits=1000), Shape(folders=100, edits=10_000)
QUICK = Shape(folders=2, edits=60)
LOOK_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Pair:
    """One history on both sides."""

    source: Path
    """Where new commits are made."""
    urls: dict[str, str]
    push_seconds: float
    peak: int
    """Resident bytes of the largest process of the web server while the history was pushed."""


def main() -> None:
    asked = options(__doc__ or "")
    with Server() as server:
        theirs = Backend(server)
        shapes = [QUICK] if asked.quick else [SMALL, LARGE]
        pairs = {shape: theirs.pair(shape) for shape in shapes}
        for shape, pair in pairs.items():
            _compare_clones(server, shape, pair, asked)
        _compare_steps(server, pairs[shapes[0]], asked)
        _note_push(pairs[shapes[-1]], shapes[-1])


class Backend:
    """Debian's nginx, fcgiwrap and git http-backend over bare repositories."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._home = server.folder / "repos"
        self._home.mkdir()
        self._port = free_port()
        socket = server.folder / "fcgiwrap.socket"
        wrapper = shutil.which("fcgiwrap", path="/usr/sbin:/usr/bin")
        if wrapper is None:
            raise SystemExit("fcgiwrap is missing: apt-get install fcgiwrap")
        server.start_beside([wrapper, "-c", "4", "-s", f"unix:{socket}"])
        config = _NGINX.format(port=self._port, home=self._home, backend=BACKEND, socket=socket)
        server.nginx(config, self._port)

    def pair(self, shape: Shape) -> Pair:
        name = f"r{shape.objects}"
        repo = self._server.client().create_repo(name)
        ours = self._server.url.replace("://", f"://admin:{self._server.token}@") + f"/{repo}"
        source, bare = self._server.folder / f"source-{name}", self._home / f"{name}.git"
        git("clone", "--quiet", "--bare", ours, str(source), at=self._home)
        fill(source, shape)
        git("clone", "--quiet", "--bare", str(source), str(bare), at=self._home)
        git("config", "http.receivepack", "true", at=bare)
        start = time.perf_counter()
        peak = _peak_while(self._server.web, source, ours)
        urls = {"hub": ours, "git": f"http://127.0.0.1:{self._port}/{name}.git"}
        return Pair(source, urls, time.perf_counter() - start, peak)


def _peak_while(web: int, source: Path, url: str) -> int:
    """Push a whole history; answer the most memory that one process of the web server had."""
    command = ["git", "push", "--quiet", url, "main"]
    pushing = subprocess.Popen(command, cwd=source)
    peak = 0
    while pushing.poll() is None:
        for process in psutil.Process(web).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                peak = max(peak, process.memory_info().rss)
        time.sleep(LOOK_SECONDS)
    if pushing.returncode:
        raise SystemExit(f"The push to {url.rpartition('@')[2]} failed")
    return peak


def _compare_clones(server: Server, shape: Shape, pair: Pair, asked: Options) -> None:
    folders = _fresh(server.folder / "clones")

    def clone(url: str) -> Sample:
        folder = next(folders)
        return sampled(
            lambda: git("clone", "--quiet", "--bare", url, str(folder), at=server.folder),
            Processes(server.web, server.postgres),
        )

    found = in_turn({k: partial(clone, url) for k, url in pair.urls.items()}, rounds=asked.rounds)
    shutil.rmtree(server.folder / "clones", ignore_errors=True)
    table = Table(f"{shape.objects:,} objects, {asked.rounds} rounds")
    target = Target(at_most=1.7 if shape == LARGE else 1.1)
    _add(table, "clone", found, target)
    table.print()


def _compare_steps(server: Server, pair: Pair, asked: Options) -> None:
    """One new commit fetched by who has all others, and a thousand new files pushed."""
    clones = {name: server.folder / f"step-{name}" for name in pair.urls}
    for name, url in pair.urls.items():
        git("clone", "--quiet", "--bare", url, str(clones[name]), at=server.folder)
    numbers = count(1)
    table = Table(f"beside {pair.urls['git'].rpartition('/')[2]}, {asked.rounds} rounds")

    def fetch(name: str) -> Sample:
        add_commit(pair.source, next(numbers))
        git("push", "--quiet", pair.urls[name], "main:main", at=pair.source)
        return sampled(lambda: git("fetch", "--quiet", "origin", "main:main", at=clones[name]))

    def push(name: str) -> Sample:
        number = next(numbers)
        branch = f"b{number}"
        add_commit(clones[name], number, branch, PUSHED_FILES)
        return sampled(lambda: git("push", "--quiet", "origin", branch, at=clones[name]))

    steps: dict[str, tuple[Callable[[str], Sample], float]] = {
        "fetch of one commit": (fetch, 1.3),
        f"push of {PUSHED_FILES:,} files": (push, 1.2),
    }
    for what, (step, most) in steps.items():
        found = in_turn({name: partial(step, name) for name in pair.urls}, rounds=asked.rounds)
        _add(table, what, found, Target(at_most=most))
    table.print()


def _add(table: Table, what: str, found: dict[str, list[Sample]], target: Target) -> None:
    ours, theirs = seconds(found["hub"]), seconds(found["git"])
    table.compare(f"{what}, hub : git http-backend", ours, theirs, unit="s", target=target)


def _note_push(pair: Pair, shape: Shape) -> None:
    table = Table(f"First push of {shape.objects:,} objects in {shape.edits + 1:,} commits")
    table.note("largest web process: RSS", pair.peak / MIB, "MiB", Target(at_most=300))
    table.note("until git was told", pair.push_seconds, "s")
    table.print()


def _fresh(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    return (folder / str(number) for number in count())


_NGINX = """
    server {{
        listen 127.0.0.1:{port};
        client_max_body_size 0;
        location / {{
            include /etc/nginx/fastcgi_params;
            fastcgi_param SCRIPT_FILENAME {backend};
            fastcgi_param GIT_PROJECT_ROOT {home};
            fastcgi_param GIT_HTTP_EXPORT_ALL 1;
            fastcgi_param GIT_PROTOCOL $http_git_protocol;
            fastcgi_param PATH_INFO $uri;
            fastcgi_param REMOTE_USER $remote_user;
            fastcgi_pass unix:{socket};
        }}
    }}
"""

if __name__ == "__main__":
    main()
