"""The real clients: each release of huggingface_hub in an environment of its own.

The newest one is our own dependency. The others are installed once into `.data/clients`, from
pinned lists beside this file; where PyPI cannot be reached their tests are skipped, and in CI fail.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from uv import find_uv_bin

from hub.config.env import load

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".data" / "clients"
PINS = Path(__file__).parent / "clients"
OURS = "2.4.0"
VERSIONS = ("0.36.2", "1.33.0", OURS)
OLD_XET = ("1.1.3", "1.1.10", "1.4.3", "1.5.2", "1.7.1")
"""Releases of hf_xet that differ on the wire from those of the clients above."""
INSTALL_SECONDS = 300


@dataclass(frozen=True)
class Client:
    """One release of huggingface_hub with the hf_xet that it uses."""

    version: str
    python: Path
    path: str = ""
    """Where an hf_xet other than the installed one lies."""

    @property
    def name(self) -> str:
        return f"{self.version}+xet-{Path(self.path).name}" if self.path else self.version

    @property
    def slug(self) -> str:
        """The name as a part of a repo's name."""
        return self.name.replace(".", "").replace("+", "-")

    def program(self, name: str) -> str:
        return str(self.python.parent / name)


@dataclass
class Session:
    """Who a client is and which hub it speaks to: all that it learns from its environment."""

    endpoint: str
    token: str
    home: Path
    more: Mapping[str, str] = field(default_factory=dict)

    def environ(self, client: Client) -> dict[str, str]:
        known = {
            "PATH": f"{client.python.parent}:{os.defpath}",
            "PYTHONPATH": client.path,
            "HOME": str(self.home),
            "HF_HOME": str(self.home / "hf"),
            "HF_ENDPOINT": self.endpoint,
            "HF_TOKEN": self.token,
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        }
        return {name: value for name, value in {**known, **self.more}.items() if value}


def client(version: str) -> Client:
    if version == OURS:
        return Client(version, Path(sys.executable))
    return Client(version, _environment(PINS / f"{version.rpartition('.')[0]}.txt"))


def with_xet(base: Client, release: str) -> Client:
    """The same client with another release of hf_xet in front of its own."""
    return Client(base.version, base.python, path=str(_beside(release)))


def receivers() -> Path:
    """The Python of an environment with what others receive and verify webhooks with."""
    return _environment(PINS / "receivers.txt")


def _environment(pins: Path) -> Path:
    digest = hashlib.sha256(pins.read_bytes()).hexdigest()[:8]
    folder = HOME / f"{pins.stem}-{digest}"
    with _made_once(folder) as aside:
        if aside is not None:
            _uv("venv", "--quiet", "--python", sys.executable, "--relocatable", str(aside))
            _uv("pip", "install", "--quiet", "--python", str(aside), "--requirements", str(pins))
    return folder / "bin" / "python"


def _beside(release: str) -> Path:
    folder = HOME / release
    with _made_once(folder) as aside:
        if aside is not None:
            wanted = ("--no-deps", "--target", str(aside), f"hf_xet=={release}")
            _uv("pip", "install", "--quiet", "--python", sys.executable, *wanted)
    return folder


@contextmanager
def _made_once(folder: Path) -> Iterator[Path | None]:
    """Answer where to make ``folder``, or None if it is there; test processes wait in line."""
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            yield None
            return
        aside = folder.with_name(f"{folder.name}.new")
        shutil.rmtree(aside, ignore_errors=True)
        yield aside
        aside.rename(folder)


def _uv(*arguments: str) -> None:
    done = subprocess.run(
        [find_uv_bin(), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=INSTALL_SECONDS,
    )
    if done.returncode:
        missing(f"uv {' '.join(arguments)}: {done.stderr[-2000:]}")


def missing(what: str) -> None:
    """A part of the outer world is not here: skipped on a laptop, a failure in CI."""
    if load().ci:
        pytest.fail(what)
    pytest.skip(what)


def run(
    client: Client, session: Session, command: Sequence[str], *, seconds: float = 300
) -> "subprocess.CompletedProcess[str]":
    """Run a program of the client's environment from our root, so that it finds scenarios."""
    session.home.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        command,
        cwd=ROOT,
        env=session.environ(client),
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
