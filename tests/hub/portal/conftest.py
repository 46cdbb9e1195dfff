"""Fixtures of pages: a reader in a browser, and repos with something in them."""

from collections.abc import Callable
from http.cookies import SimpleCookie

import pytest
from django.core.cache import cache
from django.test import Client

from hub.models import Repo
from hub.names import EntryPath, RevisionName
from hub.services import commits
from hub.services.commits import Message, PutFile
from teams.models import User
from tests.cast import Cast, signed_in

Browse = Callable[[User | None], Client]
Put = Callable[..., bytes]

CARD = """---
license: mit
language: en
pipeline_tag: text-classification
library_name: transformers
---
# Tiny

It weighs [very little](config.json).

## Use

As you like.
"""


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()


@pytest.fixture
def browse(cast: Cast) -> Browse:
    """Answer a browser in which somebody, or nobody, is signed in."""

    def browser(user: User | None) -> Client:
        client = Client(headers={"Accept": "text/html"})
        client.cookies = SimpleCookie()
        if user is not None:
            client.force_login(user)
        return client

    return browser


@pytest.fixture
def put(cast: Cast) -> Put:
    """Commit files to a repo."""

    def commit(repo: Repo, files: dict[str, bytes], message: str = "Add files") -> bytes:
        return commits.commit(
            repo=repo,
            branch=RevisionName("main"),
            operations=[PutFile(EntryPath.parse(path), raw) for path, raw in files.items()],
            message=Message(*message.split("\n\n", 1)),
            by=signed_in(cast.root),
        )

    return commit


@pytest.fixture
def tiny(cast: Cast, put: Put) -> Repo:
    """A public model of ada with a card, a config and a folder."""
    repo = cast.repo("ada/tiny")
    put(
        repo,
        {
            "README.md": CARD.encode(),
            "config.json": b'{"model_type": "bert"}\n',
            "docs/README.md": b"# Docs\n\nSee [notes](notes.txt).\n",
            "docs/notes.txt": b"one\ntwo\n",
        },
    )
    return repo
