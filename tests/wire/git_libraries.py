"""Two other implementations of git as clients: libgit2 (pygit2) and dulwich."""

import io
from pathlib import Path
from typing import Protocol, Self

import pygit2
from dulwich import porcelain
from dulwich.refs import Ref
from dulwich.repo import Repo as DulwichRepo
from pygit2.enums import ObjectType, ResetMode

UNSHALLOW = 2**31 - 1
"""A depth beyond all history: what `git fetch --unshallow` asks for, too."""
ADA = "Ada <ada@example.org>"


class PushRefused(Exception):
    """The hub said no; its words are the text."""


class Library(Protocol):
    """A clone, and what one does with it. Refs and refspecs are written in full."""

    folder: Path

    @classmethod
    def clone(cls, url: str, folder: Path, *, depth: int = 0) -> Self: ...
    def commit(self, path: str, text: str) -> str: ...
    def push(self, *refspecs: str) -> None: ...
    def fetch(self, *, depth: int = 0) -> None: ...
    def reset(self, ref: str) -> None: ...
    def tag(self, name: str, message: str) -> None: ...
    def commits(self, ref: str) -> list[str]: ...


class _Outcomes(pygit2.RemoteCallbacks):
    """Notes why refs were refused."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: list[str] = []

    def push_update_reference(self, refname: str, message: str | None) -> None:
        if message is not None:
            self.refused.append(f"{refname}: {message}")


class LibGit2:
    """libgit2 1.9."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._repo = pygit2.Repository(str(folder))
        self._who = pygit2.Signature("Ada", "ada@example.org")

    @classmethod
    def clone(cls, url: str, folder: Path, *, depth: int = 0) -> Self:
        pygit2.clone_repository(url, str(folder), depth=depth)
        return cls(folder)

    def commit(self, path: str, text: str) -> str:
        file = self.folder / path
        file.parent.mkdir(exist_ok=True, parents=True)
        file.write_text(text)
        index = self._repo.index
        index.add(path)
        index.write()
        parents = [self._repo.head.target]
        made = self._repo.create_commit(
            "HEAD", self._who, self._who, f"Change {path}\n", index.write_tree(), parents
        )
        return str(made)

    def push(self, *refspecs: str) -> None:
        told = _Outcomes()
        try:
            self._repo.remotes["origin"].push(list(refspecs), callbacks=told)
        except pygit2.GitError as problem:
            raise PushRefused(str(problem)) from problem
        if told.refused:
            raise PushRefused("; ".join(told.refused))

    def fetch(self, *, depth: int = 0) -> None:
        self._repo.remotes["origin"].fetch(depth=depth)

    def reset(self, ref: str) -> None:
        self._repo.reset(self._repo.references[ref].target, ResetMode.HARD)

    def tag(self, name: str, message: str) -> None:
        self._repo.create_tag(
            name, self._repo.head.target, ObjectType.COMMIT, self._who, f"{message}\n"
        )

    def commits(self, ref: str) -> list[str]:
        return [str(one.id) for one in self._repo.walk(self._repo.references[ref].target)]


class Dulwich:
    """dulwich 1.2."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self._url = url

    @classmethod
    def clone(cls, url: str, folder: Path, *, depth: int = 0) -> Self:
        porcelain.clone(url, str(folder), depth=depth or None, errstream=io.BytesIO()).close()
        return cls(folder, url)

    def commit(self, path: str, text: str) -> str:
        file = self.folder / path
        file.parent.mkdir(exist_ok=True, parents=True)
        file.write_text(text)
        porcelain.add(str(self.folder), [str(file)])
        made = porcelain.commit(
            str(self.folder),
            message=f"Change {path}".encode(),
            author=ADA.encode(),
            committer=ADA.encode(),
        )
        return made.decode()

    def push(self, *refspecs: str) -> None:
        plain, said = [one.removeprefix("+") for one in refspecs], io.BytesIO()
        forced = plain != [*refspecs]
        try:
            porcelain.push(str(self.folder), self._url, plain, io.BytesIO(), said, force=forced)
        except porcelain.Error as problem:
            raise PushRefused(str(problem)) from problem
        # What the server refuses, dulwich prints and does not raise.
        if b" failed: " in said.getvalue():
            raise PushRefused(said.getvalue().decode())

    def fetch(self, *, depth: int = 0) -> None:
        porcelain.fetch(
            str(self.folder), "origin", io.StringIO(), io.BytesIO(), depth=depth or None
        )

    def reset(self, ref: str) -> None:
        porcelain.reset(str(self.folder), "hard", ref)

    def tag(self, name: str, message: str) -> None:
        porcelain.tag_create(str(self.folder), name, ADA.encode(), message.encode(), annotated=True)

    def commits(self, ref: str) -> list[str]:
        with DulwichRepo(str(self.folder)) as repo:
            walk = repo.get_walker([repo.refs[Ref(ref.encode())]])
            return [entry.commit.id.decode() for entry in walk]
