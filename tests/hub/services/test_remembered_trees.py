"""Trees that are kept in memory after a commit are those that the database holds."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from hub.git.objects import hash_object
from hub.models import Repo, sql
from hub.names import EntryPath, RevisionName
from hub.queries import objects
from hub.queries.objects import read_raw
from hub.services import commits
from hub.services.commits import Message, PutFile
from tests.cast import Cast, signed_in

FILES = 60
Put = Callable[[Repo, str, str], None]


@pytest.fixture
def put(
    cast: Cast, django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[Any]]
) -> Put:
    """Give the first file of a folder one text and all others another, in one commit."""

    def put_texts(repo: Repo, first: str, others: str) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            commits.commit(
                repo=repo,
                branch=RevisionName("main"),
                operations=[
                    PutFile(EntryPath(f"many/{number}.txt"), (others if number else first).encode())
                    for number in range(FILES)
                ],
                message=Message(first),
                by=signed_in(cast.ada),
            )

    return put_texts


def test_a_commit_begins_with_the_trees_of_the_one_before(
    cast: Cast, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = cast.repo()
    put(repo, "one", "same")
    put(repo, "two", "same")
    read: list[object] = []
    monkeypatch.setattr(objects, "_load", lambda *row: read.append(row))

    put(repo, "three", "same")

    assert not read


def test_a_tree_that_comes_back_is_no_base_while_it_is_a_delta_itself(
    cast: Cast, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = cast.repo()
    put(repo, "one", "old")
    put(repo, "two", "old")
    put(repo, "two", "new")
    # Another process knows nothing of how the tree was stored when it came first.
    monkeypatch.setattr(objects, "_cache", objects._TreeCache())
    put(repo, "two", "old")

    put(repo, "three", "old")

    oids = sql.rows("SELECT oid FROM git_object WHERE repo_id = %s", [repo.pk])
    assert all(hash_object(*read_raw(repo.pk, oid)) == oid for (oid,) in oids)
