"""Reactions and pins: whose they are, where they end, and who is told."""

import pytest
from django.db import transaction

from hub.errors import DiscussionOver, RepoNotFound
from hub.models import Discussion, DiscussionEvent, Event
from hub.queries.discussions import DiscussionFilter, discussion_of, page_of, reactions_to, story_of
from hub.services import comments, discussions, reactions, repos
from hub.services.repos import RepoSettings
from teams.errors import Forbidden, Invalid, Refusal
from teams.policies import ANONYMOUS
from tests.cast import Cast, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def talk(cast: Cast) -> Discussion:
    by = signed_in(cast.cleo)
    return discussions.open_discussion(repo=cast.repo(), title="Why?", text="So.", by=by)


@pytest.fixture
def comment(talk: Discussion) -> DiscussionEvent:
    (found,) = story_of(talk).events
    return found


def test_each_reacts_once_with_each_sign_and_takes_it_back(
    cast: Cast, comment: DiscussionEvent
) -> None:
    for user in (cast.ben, cast.ada, cast.ben):
        reactions.react(comment=comment, sign="👍", by=signed_in(user))
    reactions.react(comment=comment, sign="🚀", by=signed_in(cast.ben))
    reactions.take_back(comment=comment, sign="🚀", by=signed_in(cast.ada))

    assert reactions_to([comment])[comment.pk] == {"👍": ["ben", "ada"], "🚀": ["ben"]}
    reactions.take_back(comment=comment, sign="👍", by=signed_in(cast.ben))
    reactions.take_back(comment=comment, sign="🚀", by=signed_in(cast.ben))
    assert reactions_to([comment])[comment.pk] == {"👍": ["ada"]}


def test_only_who_may_comment_may_react(cast: Cast, comment: DiscussionEvent) -> None:
    repo, ada = comment.discussion.repo, signed_in(cast.ada)

    for sign in ("", "x", "👍👍", "<b>"):
        with pytest.raises(Invalid):
            reactions.react(comment=comment, sign=sign, by=ada)
    for by, kind in ((ANONYMOUS, Refusal), (signed_in(cast.cleo, may_change=False), Forbidden)):
        with pytest.raises(kind), transaction.atomic():
            reactions.react(comment=comment, sign="👍", by=by)
    repos.change_settings(repo=repo, settings=RepoSettings(visibility="private"), by=ada)
    repo.refresh_from_db()
    with pytest.raises(RepoNotFound):
        reactions.react(comment=comment, sign="👍", by=signed_in(cast.cleo))
    assert reactions_to([comment]) == {}


def test_a_hidden_comment_has_no_reactions_and_gets_none(
    cast: Cast, comment: DiscussionEvent
) -> None:
    reactions.react(comment=comment, sign="👍", by=signed_in(cast.ada))
    comments.hide(comment=comment, by=signed_in(cast.ada))

    with pytest.raises(DiscussionOver):
        reactions.react(comment=comment, sign="👍", by=signed_in(cast.ada))
    assert reactions_to([comment]) == {}


def test_a_pin_is_for_writers_and_stands_first(cast: Cast, talk: Discussion) -> None:
    repo, ada = talk.repo, signed_in(cast.ada)
    discussions.open_discussion(repo=repo, title="Newer", text="", by=ada)

    with pytest.raises(Forbidden):
        reactions.pin(discussion=talk, is_pinned=True, by=signed_in(cast.cleo))
    before = Event.objects.count()
    for _ in range(2):
        reactions.pin(discussion=talk, is_pinned=True, by=ada)

    told = Event.objects.latest("pk")
    assert Event.objects.count() == before + 1
    assert told.details["discussion"]["is_pinned"]
    wanted = DiscussionFilter(pinned_first=True)
    assert [one.num for one in page_of(repo, wanted, start=0, limit=9).discussions] == [1, 2]
    usual = page_of(repo, DiscussionFilter(), start=0, limit=9).discussions
    assert [one.num for one in usual] == [2, 1]
    reactions.pin(discussion=talk, is_pinned=False, by=ada)
    assert not discussion_of(repo, 1).is_pinned
