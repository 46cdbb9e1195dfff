"""A model is run for those whom its files are given, and while they are given to anybody."""

import json

import pytest
from pytest_django.fixtures import Settings

from hub.errors import FileWithheld, RepoNotFound
from hub.models import Repo, Scan
from hub.names import EntryPath, RevisionName
from hub.queries import history
from hub.scanning.verdicts import Status
from hub.services import commits
from hub.services.commits import Message, PutFile
from inference.protocols.adapters import FILE
from inference.protocols.tasks import Call, Task, call_of
from inference.queries.adapters import with_adapters
from inference.queries.served import Served, served
from teams.policies import Principal
from tests.cast import Cast, signed_in

pytestmark = pytest.mark.django_db


def model(cast: Cast, name: str, files: dict[str, bytes], *, private: bool = False) -> Repo:
    repo = cast.repo(f"ada/{name}", private=private)
    commits.commit(
        repo=repo,
        branch=RevisionName("main"),
        operations=[PutFile(EntryPath(path), raw) for path, raw in files.items()],
        message=Message("Files"),
        by=signed_in(cast.root),
    )
    return repo


def echo(cast: Cast) -> Repo:
    return model(cast, "echo", {"config.json": json.dumps({"architectures": ["Echo"]}).encode()})


def now(repo: Repo) -> Served:
    return served(repo, history.resolve(repo, RevisionName("main")))


def with_one(repo: Repo, reader: Principal, adapter: Repo) -> Call:
    call = call_of(Task.TEXT_TO_IMAGE, {"prompt": "a", "adapters": [{"repo": adapter.full_name}]})
    return with_adapters(now(repo), call, reader)[1]


def test_what_is_withheld_is_not_run_wherever_it_lies(cast: Cast, settings: Settings) -> None:
    repo = echo(cast)
    adapter = model(cast, "lora", {FILE: b"weights"})
    assert now(repo).offer.tasks
    settings.SCAN_POLICY = "quarantine"

    with pytest.raises(FileWithheld):
        now(repo)
    Scan.objects.filter(repo=repo).update(state=Status.SAFE)
    assert now(repo).offer.tasks
    with pytest.raises(FileWithheld):
        with_one(repo, signed_in(cast.root), adapter)


def test_an_adapter_that_one_may_not_read_is_not_there(cast: Cast) -> None:
    repo = echo(cast)
    adapter = model(cast, "secret", {FILE: b"weights"}, private=True)

    assert len(with_one(repo, signed_in(cast.root), adapter)["adapters"][0]["commit"]) == 40
    with pytest.raises(RepoNotFound):
        with_one(repo, Principal(), adapter)
