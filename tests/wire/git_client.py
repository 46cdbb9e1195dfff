"""The real git as a client: it learns all that it knows from here, nothing from this machine."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.live import LiveServer
from tests.wire.clients import missing

SECONDS = 120


@dataclass(frozen=True)
class Git:
    """Git in one folder, speaking one version of its protocol as one person, or as nobody."""

    hub: LiveServer
    folder: Path
    protocol: int = 2
    who: str = ""

    def url(self, repo: str) -> str:
        token = f"{self.who}:{self.hub.token(self.who)}@" if self.who else ""
        return self.hub.url.replace("://", f"://{token}") + f"/{repo}"

    def clone(self, repo: str, *options: str, into: str = "clone") -> "Clone":
        self.run("clone", "--quiet", *options, self.url(repo), into)
        return Clone(self, self.folder / into)

    def run(self, *arguments: str, at: Path | None = None) -> str:
        done = self.tried(*arguments, at=at)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def tried(self, *arguments: str, at: Path | None = None) -> "subprocess.CompletedProcess[str]":
        """Run git and let it fail."""
        return subprocess.run(
            ["git", "-c", f"protocol.version={self.protocol}", *arguments],
            cwd=at or self.folder,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.folder),
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_TERMINAL_PROMPT": "0",
                "GIT_AUTHOR_NAME": "Ada",
                "GIT_AUTHOR_EMAIL": "ada@example.org",
                "GIT_COMMITTER_NAME": "Ada",
                "GIT_COMMITTER_EMAIL": "ada@example.org",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )


@dataclass(frozen=True)
class Clone:
    """A repository on the client's side."""

    git: Git
    folder: Path

    def __call__(self, *arguments: str) -> str:
        return self.git.run(*arguments, at=self.folder)

    def is_sound(self) -> bool:
        """Whether git finds nothing to complain about. A dangling tag is a habit of its own: with
        protocol v0 it makes no ref of a tag that came along when history was deepened."""
        return self("fsck", "--strict", "--full", "--no-progress", "--no-dangling") == ""

    def commits(self, *revisions: str) -> list[str]:
        return self("rev-list", *(revisions or ("HEAD",))).split()

    def objects(self) -> set[str]:
        """The ids of all objects that are here, without asking for those that are not."""
        told = self("cat-file", "--batch-check=%(objectname)", "--batch-all-objects")
        return set(told.split())

    def read(self, path: str) -> bytes:
        return (self.folder / path).read_bytes()


def need_git_lfs() -> None:
    if shutil.which("git-lfs") is None:
        missing("git-lfs is not installed")
