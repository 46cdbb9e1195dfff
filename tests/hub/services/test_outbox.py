"""What is announced: one event per change, none for a change that was rolled back."""

from typing import Any

import psycopg
import pytest
from django.db import transaction

from hub.models import Event, Repo
from hub.names import EntryPath, RepoName, RevisionName
from hub.queries import history
from hub.services import commits, refs, repos
from hub.services.commits import Message, PutFile
from hub.services.repos import RepoSettings
from teams.errors import Conflict
from tests.cast import Cast, signed_in

pytestmark = pytest.mark.django_db
MAIN = RevisionName("main")


def land(cast: Cast, repo: Repo, content: bytes = b"x") -> str:
    return commits.commit(
        repo=repo,
        branch=MAIN,
        operations=[PutFile(EntryPath("f"), content)],
        message=Message("a change"),
        by=signed_in(cast.ada),
    ).hex()


def events_of(repo_id: int) -> list[Event]:
    return list(Event.objects.filter(repo_id=repo_id).order_by("seq"))


def kinds_of(repo_id: int) -> list[str]:
    return [f"{event.scope}.{event.action}" for event in events_of(repo_id)]


def move_of(event: Event) -> Any:
    (one,) = event.details["refs"]
    return one


def test_a_new_repo_and_its_first_commit_are_announced(cast: Cast) -> None:
    repo = cast.repo("ada/tiny", private=True)

    created, landed = events_of(repo.pk)

    head = history.resolve(repo, MAIN).oid
    assert kinds_of(repo.pk) == ["repo.create", "repo.content.update"]
    assert (created.repo_name, created.is_private, created.head) == ("ada/tiny", True, None)
    assert (created.actor_name, created.owner_id) == ("root", cast.ada.namespace_id)
    assert move_of(landed) == {"ref": "refs/heads/main", "old": None, "new": head.hex()}
    assert bytes(landed.head or b"") == head
    assert landed.seq == created.seq + 1


def test_a_commit_says_who_made_it_and_what_it_moved(cast: Cast) -> None:
    repo = cast.repo()
    before = history.resolve(repo, MAIN).oid.hex()

    after = land(cast, repo)

    event = events_of(repo.pk)[-1]
    assert move_of(event) == {"ref": "refs/heads/main", "old": before, "new": after}
    assert (event.actor_id, event.actor_name) == (cast.ada.namespace_id, "ada")
    assert event.is_waiting


def test_a_commit_that_changes_nothing_is_no_news(cast: Cast) -> None:
    repo = cast.repo()
    land(cast, repo)
    before = len(events_of(repo.pk))

    land(cast, repo)

    assert len(events_of(repo.pk)) == before


def test_branches_and_tags_are_announced_when_they_come_and_go(cast: Cast) -> None:
    repo = cast.repo()
    head = history.resolve(repo, MAIN)

    refs.create_branch(repo=repo, branch=RevisionName("dev"), start=head, by=cast.ben)
    refs.delete_branch(repo=repo, branch=RevisionName("dev"), by=cast.ben)

    came, went = events_of(repo.pk)[-2:]
    text = head.oid.hex()
    assert move_of(came) == {"ref": "refs/heads/dev", "old": None, "new": text}
    assert move_of(went) == {"ref": "refs/heads/dev", "old": text, "new": None}
    assert came.actor_name == went.actor_name == "ben"


def test_a_move_is_announced_under_the_old_name(cast: Cast) -> None:
    repo = cast.repo("ada/tiny")

    repos.move(repo=repo, to=RepoName.parse("acme/small"), by=signed_in(cast.ada))

    event = events_of(repo.pk)[-1]
    assert (event.scope, event.action, event.repo_name) == ("repo", "move", "ada/tiny")
    assert event.details == {"name": "acme/small", "owner_id": cast.acme.namespace_id}


def test_settings_say_visibility_only_where_it_changed(cast: Cast) -> None:
    repo, by = cast.repo(), signed_in(cast.ada)

    repos.change_settings(repo=repo, settings=RepoSettings(visibility="private"), by=by)
    repos.change_settings(repo=repo, settings=RepoSettings(gate="auto"), by=by)

    hidden, gated = events_of(repo.pk)[-2:]
    assert hidden.details == {"private": True}
    assert hidden.is_private
    assert gated.details == {}
    assert gated.scope == "repo.config"


def test_a_deleted_repo_leaves_its_events(cast: Cast) -> None:
    repo = cast.repo()
    repo_id = repo.pk

    repos.delete(repo=repo, by=signed_in(cast.ada))

    last = events_of(repo_id)[-1]
    assert (last.scope, last.action, last.repo_name) == ("repo", "delete", "ada/tiny")


def test_a_change_that_was_rolled_back_leaves_no_event(cast: Cast) -> None:
    repo = cast.repo("ada/tiny")
    cast.repo("ada/other")
    before = Event.objects.count()

    with transaction.atomic():
        land(cast, repo)
        transaction.set_rollback(True)
    with pytest.raises(Conflict):
        repos.move(repo=repo, to=RepoName.parse("ada/other"), by=signed_in(cast.ada))

    assert Event.objects.count() == before


def test_a_commit_and_its_event_share_the_statement_that_counts_the_version(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = cast.repo()
    execute, told = psycopg.Cursor.execute, []

    def noting(cursor: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        told.append(query.decode() if isinstance(query, bytes) else str(query))
        return execute(cursor, query, *args, **kwargs)

    monkeypatch.setattr(psycopg.Cursor, "execute", noting)
    land(cast, repo)

    changing = [text for text in told if "UPDATE hub_repo" in text or "hub_event" in text]
    assert len(changing) == 1
    assert "next_line = %s" in changing[0]
