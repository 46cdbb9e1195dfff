"""Discussions: who may say and change what, what is kept of it, and what is announced."""

import threading
from typing import Any

import pytest
from django.db import connection

from hub.cards.markdown import Rendered, render
from hub.errors import DiscussionNotFound, DiscussionOver, RepoNotFound
from hub.models import Discussion, DiscussionEvent, Event, Mention, Repo
from hub.names import EntryPath, RevisionName
from hub.policies import check_can
from hub.queries import discussions as queries
from hub.queries.discussions import (
    MAX_EVENTS,
    DiscussionFilter,
    discussion_of,
    events_of,
    page_of,
    story_of,
    versions_of,
)
from hub.services import comment_text, comments, discussions, pull_requests, repos
from hub.services.commits import Message, PutFile
from hub.services.repos import RepoSettings
from teams.errors import Forbidden, Invalid
from teams.policies import ANONYMOUS, Principal
from teams.roles import Action
from tests.cast import Cast, signed_in
from tests.hub.services.happenings import land

pytestmark = pytest.mark.django_db


def opened(repo: Repo, by: Principal, text: str = "Does it run on CPU?") -> Discussion:
    return discussions.open_discussion(repo=repo, title="A question", text=text, by=by)


def first_comment(discussion: Discussion) -> DiscussionEvent:
    return events_of(discussion)[0]


def kinds(discussion: Discussion) -> list[str]:
    return [event.kind for event in events_of(discussion)]


def last_event(repo: Repo) -> Event:
    return Event.objects.filter(repo_id=repo.pk).latest("seq")


def test_a_discussion_begins_with_what_its_author_says(cast: Cast) -> None:
    repo = cast.repo()

    made = opened(repo, signed_in(cast.cleo))

    found = discussion_of(repo, 1)
    assert (found.num, found.title, found.status) == (1, "A question", "open")
    assert (found.author, found.is_pull_request, found.n_comments) == (cast.cleo, False, 1)
    assert first_comment(made).html == "<p>Does it run on CPU?</p>\n"


def test_numbers_count_up_from_1_in_each_repo(cast: Cast) -> None:
    one, other = cast.repo("ada/one"), cast.repo("ada/other")

    nums = [opened(repo, signed_in(cast.ada)).num for repo in (one, one, other)]

    assert nums == [1, 2, 1]


@pytest.mark.django_db(transaction=True)
def test_who_opens_at_the_same_moment_gets_another_number(cast: Cast) -> None:
    repo, by = cast.repo(), signed_in(cast.ada)
    wait = threading.Barrier(4)

    def run() -> None:
        wait.wait()
        opened(repo, by)
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(repo.discussions.values_list("num", flat=True)) == [1, 2, 3, 4]


def test_titles_and_texts_have_bounds(cast: Cast) -> None:
    repo, by = cast.repo(), signed_in(cast.ada)
    discussion = opened(repo, by)

    for title in ("", "  \n ", "t" * 201):
        with pytest.raises(Invalid, match="title"):
            discussions.open_discussion(repo=repo, title=title, text="x", by=by)
    for text in ("", " ", "x" * 65_537, "a\0b"):
        with pytest.raises(Invalid, match="comment"):
            comments.comment(discussion=discussion, text=text, by=by)
    assert Discussion.objects.count() == 1
    assert kinds(discussion) == ["comment"]


def test_readers_discuss_and_nobody_else(cast: Cast) -> None:
    repo, hidden = cast.repo(), cast.repo("ada/hidden", private=True)
    ours = opened(hidden, signed_in(cast.ada))

    with pytest.raises(Forbidden):
        opened(repo, signed_in(cast.cleo, may_change=False))
    with pytest.raises(RepoNotFound):
        opened(hidden, signed_in(cast.cleo))
    with pytest.raises(RepoNotFound):
        comments.comment(discussion=ours, text="x", by=signed_in(cast.cleo))
    with pytest.raises(RepoNotFound):
        check_can(ANONYMOUS, Action.REPO_DISCUSS, hidden)


def test_where_discussions_are_disabled_nothing_new_is_said(cast: Cast) -> None:
    repo, ada = cast.repo(), signed_in(cast.ada)
    discussion = opened(repo, ada)
    settings = RepoSettings(discussions_disabled=True)
    repos.change_settings(repo=repo, settings=settings, by=ada)

    with pytest.raises(Forbidden, match="disabled"):
        opened(repo, ada)
    with pytest.raises(Forbidden, match="disabled"):
        comments.comment(discussion=discussion_of(repo, 1), text="x", by=ada)
    discussions.change_status(discussion=discussion, status="closed", by=ada)
    assert kinds(discussion) == ["comment", "status-change"]


def test_a_comment_is_edited_by_its_author_and_keeps_what_it_said(cast: Cast) -> None:
    discussion = opened(cast.repo(), signed_in(cast.cleo), "one")
    comment = first_comment(discussion)

    with pytest.raises(Forbidden, match="your own"):
        comments.edit(comment=comment, text="mine now", by=signed_in(cast.ada))
    comments.edit(comment=comment, text="two", by=signed_in(cast.cleo))
    comments.edit(comment=comment, text="three", by=signed_in(cast.cleo))

    edited = first_comment(discussion)
    versions = list(edited.versions.order_by("pk").values_list("text", "author"))
    assert (edited.text, edited.edited_by) == ("three", cast.cleo)
    assert versions == [("one", cast.cleo.pk), ("two", cast.cleo.pk)]


def test_an_edit_that_changes_nothing_is_none(cast: Cast) -> None:
    discussion = opened(cast.repo(), signed_in(cast.cleo), "one")

    comments.edit(comment=first_comment(discussion), text=" one ", by=signed_in(cast.cleo))

    assert first_comment(discussion).edited_at is None


def test_a_hidden_comment_is_gone_for_good(cast: Cast) -> None:
    discussion = opened(cast.repo(), signed_in(cast.cleo), "rude words, @ada")
    comment = first_comment(discussion)
    comments.edit(comment=comment, text="ruder words, @ada", by=signed_in(cast.cleo))

    with pytest.raises(Forbidden):
        comments.hide(comment=comment, by=signed_in(cast.ben))
    comments.hide(comment=comment, by=signed_in(cast.ada))

    hidden = first_comment(discussion)
    assert (hidden.is_hidden, hidden.text, hidden.html) == (True, "", "")
    assert not hidden.versions.exists()
    assert not Mention.objects.exists()
    with pytest.raises(DiscussionOver, match="hidden"):
        comments.hide(comment=hidden, by=signed_in(cast.ada))
    with pytest.raises(DiscussionOver, match="hidden"):
        comments.edit(comment=hidden, text="back", by=signed_in(cast.cleo))


def test_title_and_status_are_for_the_author_and_for_writers(cast: Cast) -> None:
    repo = cast.repo()
    discussion = opened(repo, signed_in(cast.cleo))

    with pytest.raises(Forbidden):
        discussions.rename(discussion=discussion, title="No", by=signed_in(cast.ben))
    with pytest.raises(Forbidden):
        discussions.change_status(discussion=discussion, status="closed", by=signed_in(cast.ben))
    discussions.rename(discussion=discussion, title="A better question", by=signed_in(cast.cleo))
    closed = discussions.change_status(
        discussion=discussion, status="closed", text="Answered.", by=signed_in(cast.ada)
    )

    found = discussion_of(repo, 1)
    assert (found.title, found.status) == ("A better question", "closed")
    assert kinds(found) == ["comment", "title-change", "comment", "status-change"]
    assert closed.details == {"status": "closed"}
    assert events_of(found)[1].details == {"from": "A question", "to": "A better question"}


def test_a_status_goes_only_where_it_can(cast: Cast) -> None:
    repo, ada = cast.repo(), signed_in(cast.ada)
    discussion = opened(repo, ada)

    with pytest.raises(DiscussionOver, match="open"):
        discussions.change_status(discussion=discussion, status="open", by=ada)
    with pytest.raises(Invalid):
        discussions.change_status(discussion=discussion, status="merged", by=ada)
    discussions.change_status(discussion=discussion, status="closed", by=ada)
    with pytest.raises(DiscussionOver, match="closed"):
        discussions.change_status(discussion=discussion, status="closed", by=ada)
    discussions.change_status(discussion=discussion, status="open", by=ada)
    assert set(discussions.NEXT) == set(Discussion.Status)


def test_whoever_is_mentioned_is_written_down_once(cast: Cast) -> None:
    text = "@ada and @Ada and @ben, not `@cleo`, [@root](x), me@root or @nobody-at-all"

    discussion = opened(cast.repo(), signed_in(cast.cleo), text)

    found = Mention.objects.filter(comment__discussion=discussion)
    assert {mention.user for mention in found} == {cast.ada, cast.ben}


def test_names_numbers_and_commits_lead_to_what_they_name(cast: Cast) -> None:
    repo, ada = cast.repo(), signed_in(cast.ada)
    oid = land(cast, repo)
    opened(repo, ada)
    text = (
        f"@Ben of @acme: see #1 and {oid[:7]}, {oid}; not #7, @nobody, deadbeef, `#1`, "
        f"[#1](x), a#1, #1st, x{oid[:7]} or {oid}0"
    )

    html = first_comment(opened(repo, ada, text)).html

    assert html.count("<a ") == 6
    for address, word in (
        ("/ben", "@Ben"),
        ("/acme", "@acme"),
        ("/ada/tiny/discussions/1", "#1"),
        (f"/ada/tiny/commit/{oid}", oid[:7]),
        (f"/ada/tiny/commit/{oid}", oid),
    ):
        assert f'<a href="{address}" rel="nofollow noopener ugc">{word}</a>' in html


@pytest.mark.django_db(transaction=True)
def test_slow_texts_are_rendered_while_nothing_is_locked(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo, ada = cast.repo(), signed_in(cast.ada)
    locked = []

    def spy(text: str, **more: Any) -> Rendered:
        locked.append(connection.in_atomic_block)
        return render(text, **more)

    monkeypatch.setattr(comment_text, "render", spy)
    discussion = opened(repo, ada)
    comments.comment(discussion=discussion, text="[" * 99, by=ada)
    comments.edit(comment=first_comment(discussion), text="no", by=ada)
    discussions.change_status(discussion=discussion, status="closed", text="bye", by=ada)
    pull_requests.propose(
        repo=repo,
        branch=RevisionName("main"),
        operations=[PutFile(EntryPath.parse("f"), b"x")],
        message=Message("A change", "That is why"),
        by=ada,
    )

    assert locked == [False] * 5


def test_of_a_long_story_the_first_and_the_newest_are_told(cast: Cast) -> None:
    discussion = opened(cast.repo(), signed_in(cast.ada))
    kind = DiscussionEvent.Kind.COMMENT
    DiscussionEvent.objects.bulk_create(
        DiscussionEvent(discussion=discussion, kind=kind, text=str(number), author=cast.ada)
        for number in range(MAX_EVENTS + 5)
    )

    told = story_of(discussion)

    texts = [event.text for event in told.events]
    assert texts[:2] == ["Does it run on CPU?", "5"]
    assert texts[-1] == str(MAX_EVENTS + 4)
    assert told.n_earlier == 5
    before = story_of(discussion, before=told.events[1].pk)
    assert [event.text for event in before.events] == ["Does it run on CPU?", *"01234"]
    assert before.n_earlier == 0


def test_of_very_much_text_only_what_fits_is_told(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    by = signed_in(cast.ada)
    discussion = opened(cast.repo(), by, "f" * 300)
    for text in ("x" * 300, "y" * 300, "z" * 300):
        comments.comment(discussion=discussion, text=text, by=by)
    said = first_comment(discussion)
    for text in ("a" * 300, "b" * 300, "c" * 300):
        comments.edit(comment=said, text=text, by=by)
    monkeypatch.setattr(queries, "MAX_TEXT", 1300)

    told = story_of(discussion)

    assert [event.text[0] for event in told.events] == ["c", "y", "z"]
    assert told.n_earlier == 1
    assert [version.text[0] for version in versions_of(told.events)[said.pk]] == ["a", "b"]


def test_markdown_of_strangers_is_made_safe_and_leads_to_files(cast: Cast) -> None:
    text = "![x](img/a.png) [card](README.md)\n\n<script>alert(1)</script>"

    comment = first_comment(opened(cast.repo(), signed_in(cast.cleo), text))

    assert "script" not in comment.html
    assert 'src="/ada/tiny/resolve/main/img/a.png"' in comment.html
    assert 'href="/ada/tiny/blob/main/README.md"' in comment.html


def test_all_of_it_is_announced_as_it_was_then(cast: Cast) -> None:
    repo, cleo = cast.repo(), signed_in(cast.cleo)

    discussion = opened(repo, cleo, "one")
    created = last_event(repo)
    comments.comment(discussion=discussion, text="two", by=cleo)
    commented = last_event(repo)
    comments.hide(comment=first_comment(discussion), by=cleo)
    hidden = last_event(repo)
    discussions.change_status(discussion=discussion, status="closed", by=cleo)
    changed = last_event(repo)

    told = [
        (one.scope, one.action, one.details["discussion"]["status"])
        for one in (created, commented, hidden, changed)
    ]
    assert told == [
        ("discussion", "create", "open"),
        ("discussion.comment", "create", "open"),
        ("discussion.comment", "update", "open"),
        ("discussion", "update", "closed"),
    ]
    texts = [one.details["comment"]["text"] for one in (created, commented, hidden)]
    assert texts == ["one", "two", None]
    assert created.details["discussion"]["author_id"] == cast.cleo.namespace_id


def test_a_list_is_filtered_and_newest_first(cast: Cast) -> None:
    repo, ada, cleo = cast.repo(), signed_in(cast.ada), signed_in(cast.cleo)
    for by in (ada, cleo, cleo):
        opened(repo, by)
    discussions.change_status(discussion=discussion_of(repo, 2), status="closed", by=cleo)

    def nums(**wanted: Any) -> list[int]:
        page = page_of(repo, DiscussionFilter(**wanted), start=0, limit=9)
        assert page.count == len(page.discussions)
        return [one.num for one in page.discussions]

    assert nums() == [3, 2, 1]
    assert nums(status="open") == [3, 1]
    assert nums(status="closed") == [2]
    assert nums(author="CLEO") == [3, 2]
    assert nums(author="nobody") == []
    assert nums(type="pull_request") == []
    page = page_of(repo, DiscussionFilter(status="open"), start=1, limit=1)
    assert (page.count, page.start, page.n_open, page.n_closed) == (2, 1, 2, 1)
    with pytest.raises(Invalid, match="status"):
        DiscussionFilter(status="new")


def test_a_number_that_nobody_has_is_not_found(cast: Cast) -> None:
    repo = cast.repo()

    for num in (-1, 0, 1, 2**31, 2**70):
        with pytest.raises(DiscussionNotFound):
            discussion_of(repo, num)


def test_discussions_go_with_their_repo(cast: Cast) -> None:
    repo = cast.repo()
    opened(repo, signed_in(cast.cleo), "@ada")

    repos.delete(repo=repo, by=signed_in(cast.ada))

    assert not Discussion.objects.exists()
    assert not Mention.objects.exists()
