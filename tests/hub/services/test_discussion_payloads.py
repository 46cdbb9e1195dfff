"""What receivers hear of discussions, as the public client's own model reads it."""

from collections.abc import Iterator

import pytest
from huggingface_hub import WebhookPayload
from pytest_django import Settings

from hub.names import EntryPath, RevisionName
from hub.queries.discussions import events_of
from hub.services import comments, discussions, pull_requests
from hub.services.commits import Message, PutFile
from tests.cast import Cast, signed_in
from tests.hub.services.hooks import Sink, deliver, listening, watching

pytestmark = pytest.mark.django_db


@pytest.fixture
def sink(settings: Settings) -> Iterator[Sink]:
    with listening() as sink:
        settings.WEBHOOK_ALLOW_CIDRS = ("127.0.0.0/8",)
        settings.WEBHOOK_PORTS = frozenset({sink.port})
        yield sink


def heard(sink: Sink) -> list[WebhookPayload]:
    """What arrived, in the order in which it happened."""
    deliver()
    sent = sorted(sink.got, key=lambda one: one.json["seq"])
    return [WebhookPayload.model_validate_json(one.body) for one in sent]


def watch(cast: Cast, sink: Sink, **more: object) -> None:
    watched = [("model", "ada/tiny")]
    watching(sink.url, cast.ada.namespace, signed_in(cast.ada), watched, **more)


def test_comments_are_told_until_they_are_hidden(cast: Cast, sink: Sink) -> None:
    repo, cleo = cast.repo(), signed_in(cast.cleo)
    watch(cast, sink, domains=["discussion"])
    made = discussions.open_discussion(repo=repo, title="A question", text="Why?", by=cleo)
    first = events_of(made)[0]
    comments.edit(comment=first, text="How?", by=cleo)
    comments.hide(comment=first, by=cleo)

    opened, edited, hidden = heard(sink)

    kinds = [(one.event.scope, one.event.action) for one in (opened, edited, hidden)]
    assert kinds == [("discussion", "create"), *[("discussion.comment", "update")] * 2]
    assert opened.discussion is not None
    assert opened.comment is not None
    assert edited.comment is not None
    assert hidden.comment is not None
    assert (opened.comment.content, edited.comment.content) == ("Why?", "How?")
    assert (hidden.comment.content, hidden.comment.hidden) == (None, True)
    assert opened.discussion.author.id == cast.cleo.public_id
    assert (opened.discussion.num, opened.discussion.status) == (1, "open")
    assert opened.discussion.url.web.endswith("/ada/tiny/discussions/1")
    assert (opened.discussion.url.api or "").endswith("/api/models/ada/tiny/discussions/1")
    assert opened.comment.url.web.endswith(f"/ada/tiny/discussions/1#{first.public_id}")
    assert "headSha" not in sink.got[0].json["repo"]


def test_a_pull_request_is_told_of_until_it_is_merged(cast: Cast, sink: Sink) -> None:
    repo, ada = cast.repo(), signed_in(cast.ada)
    watch(cast, sink)
    made = pull_requests.propose(
        repo=repo,
        branch=RevisionName("main"),
        operations=[PutFile(EntryPath("a"), b"1")],
        message=Message("Better"),
        by=signed_in(cast.cleo),
    )
    done = pull_requests.merge_pull_request(discussion=made, by=ada)

    moved, opened, landed, merged = heard(sink)

    assert [ref.ref for ref in moved.updatedRefs or ()] == ["refs/pr/1"]
    assert opened.discussion is not None
    assert (opened.discussion.isPullRequest, opened.discussion.status) == (True, "open")
    assert opened.comment is None
    assert [ref.ref for ref in landed.updatedRefs or ()] == ["refs/heads/main"]
    assert merged.discussion is not None
    assert merged.discussion.changes is not None
    assert merged.discussion.status == "merged"
    assert merged.discussion.changes.base == "refs/heads/main"
    assert merged.discussion.changes.mergeCommitId == bytes(done.merge_commit or b"").hex()


def test_who_asked_for_repos_only_hears_nothing_of_discussions(cast: Cast, sink: Sink) -> None:
    repo = cast.repo()
    watch(cast, sink, domains=["repo"])

    discussions.open_discussion(repo=repo, title="Hi", text="", by=signed_in(cast.ada))

    assert heard(sink) == []


def test_who_asked_for_comments_hears_no_titles(cast: Cast, sink: Sink) -> None:
    repo, ada = cast.repo(), signed_in(cast.ada)
    watch(cast, sink, events=["comment"])
    made = discussions.open_discussion(repo=repo, title="Hi", text="", by=ada)
    discussions.rename(discussion=made, title="Ho", by=ada)
    comments.comment(discussion=made, text="Hm", by=ada)

    assert [one.event.scope for one in heard(sink)] == ["discussion.comment"]
