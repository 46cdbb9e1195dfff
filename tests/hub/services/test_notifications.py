"""Whom news is for: who owns, takes part or is mentioned; never who did it or may not see it."""

from typing import Any

import pytest
from django.test import Client

from hub.models import Discussion, Notification, Repo
from hub.names import RevisionName
from hub.queries import history
from hub.queries.discussions import events_of
from hub.services import comments, discussions, promotions, protection
from hub.services.fan_out import fan_out
from hub.services.protection import RuleWish
from teams.models import User
from tests.cast import Cast, signed_in
from tests.hub.wire.callers import caller

pytestmark = pytest.mark.django_db


def opened(repo: Repo, by: User, text: str = "Why?") -> Discussion:
    made = discussions.open_discussion(repo=repo, title="A question", text=text, by=signed_in(by))
    fan_out()
    return made


def say(discussion: Discussion, by: User, text: str) -> None:
    comments.comment(discussion=discussion, text=text, by=signed_in(by))
    fan_out()


def told(user: User) -> list[tuple[str, str, int]]:
    found = Notification.objects.filter(user=user, read_at=None).order_by("pk")
    return [(one.told, one.reason, one.count) for one in found]


def test_owners_hear_of_a_new_discussion_and_who_takes_part_of_each_comment(cast: Cast) -> None:
    repo = cast.repo("ada/tiny")

    made = opened(repo, cast.cleo)
    assert told(cast.ada) == [("discussion.create", "owner", 1)]
    assert told(cast.cleo) == []

    say(made, cast.ada, "Because.")
    assert told(cast.cleo) == [("discussion.comment.create", "participant", 1)]
    say(made, cast.ben, "Indeed.")
    assert told(cast.cleo) == [("discussion.comment.create", "participant", 2)]
    assert told(cast.ada) == [("discussion.comment.create", "participant", 2)]
    assert told(cast.ben) == []


def test_those_who_may_write_in_an_organisation_are_its_owners(cast: Cast) -> None:
    made = opened(cast.repo("acme/tiny"), cast.cleo)
    say(made, cast.cleo, "Anybody?")

    assert told(cast.ada) == [("discussion.create", "owner", 1)]
    assert [len(told(user)) for user in (cast.ada, cast.ben, cast.cleo, cast.root)] == [1, 1, 0, 0]


def test_a_mention_is_the_strongest_reason_and_stays_it(cast: Cast) -> None:
    made = opened(cast.repo("ada/tiny"), cast.cleo, "What does @ben say, and @nobody?")
    assert told(cast.ben) == [("discussion.create", "mention", 1)]

    say(made, cast.ben, "Nothing.")
    say(made, cast.cleo, "Oh.")

    assert told(cast.ben) == [("discussion.comment.create", "mention", 2)]


def test_an_edit_tells_those_alone_whom_it_mentions_first(cast: Cast) -> None:
    made = opened(cast.repo("ada/tiny"), cast.cleo, "What does @ben say?")
    before = told(cast.ada), told(cast.ben)
    comment = events_of(made)[0]

    comments.edit(comment=comment, text="What do @ben and @root say?", by=signed_in(cast.cleo))
    fan_out()

    assert (told(cast.ada), told(cast.ben)) == before
    assert told(cast.root) == [("discussion.comment.update", "mention", 1)]


def test_a_mention_tells_nothing_to_who_may_not_see_the_repo(cast: Cast) -> None:
    repo = cast.repo("ada/tiny", private=True)

    opened(repo, cast.ada, "A secret from @cleo and @root")

    assert (told(cast.cleo), len(told(cast.root))) == ([], 1)


def test_what_becomes_private_is_not_shown_any_more(cast: Cast) -> None:
    repo = cast.repo("ada/tiny")
    say(opened(repo, cast.cleo), cast.ada, "Because.")
    cleo = caller(cast.cleo)
    assert len(cleo.get("/api/v1/notifications").json()["results"]) == 1

    Repo.objects.filter(pk=repo.pk).update(visibility="private")

    assert cleo.get("/api/v1/notifications").json()["results"] == []


def test_what_was_read_begins_anew(cast: Cast) -> None:
    made = opened(cast.repo("ada/tiny"), cast.cleo)
    ada = caller(cast.ada)
    first = ada.get("/api/v1/notifications").json()["results"][0]
    assert (first["discussion"], first["repo"]["name"], first["actor"]) == (1, "ada/tiny", "cleo")

    assert post(ada, {"ids": [first["id"]]}).json() == {"read": 1}
    assert post(ada, {"ids": [first["id"]]}).json() == {"read": 0}
    say(made, cast.cleo, "Anybody?")

    assert told(cast.ada) == [("discussion.comment.create", "owner", 1)]
    say(made, cast.ada, "Yes.")
    say(made, cast.cleo, "Good.")
    assert told(cast.ada) == [("discussion.comment.create", "participant", 2)]
    everything = ada.get("/api/v1/notifications?all=true").json()["results"]
    assert [one["read_at"] is None for one in everything] == [True, False]
    assert post(ada, {}).json() == {"read": 1}


def post(client: Client, body: dict[str, Any]) -> Any:
    return client.post("/api/v1/notifications", body, content_type="application/json")


def test_nobody_takes_the_notifications_of_others_as_read(cast: Cast) -> None:
    opened(cast.repo("ada/tiny"), cast.cleo)
    number = Notification.objects.get(user=cast.ada).pk

    assert post(caller(cast.ben), {"ids": [number]}).json() == {"read": 0}
    assert post(caller(cast.ada, role="read"), {}).status_code == 403
    assert Client().get("/api/v1/notifications").status_code == 401
    assert len(told(cast.ada)) == 1


def test_a_promotion_is_told_to_who_may_approve_and_its_end_to_who_asked(cast: Cast) -> None:
    repo = cast.repo("acme/tiny")
    wish = RuleWish(kind="tag", pattern="live", needed_approvals=1, keeps_history=False)
    protection.set_rule(repo=repo, wish=wish, by=signed_in(cast.ada))
    asked = promotions.ask(
        repo=repo,
        tag=RevisionName("live"),
        target=history.resolve(repo, RevisionName("main")),
        note="",
        by=signed_in(cast.ben),
    )
    fan_out()
    assert (told(cast.ada), told(cast.ben)) == ([("repo.promotion.create", "owner", 1)], [])

    promotions.approve(promotion=asked, by=signed_in(cast.ada))
    fan_out()

    assert told(cast.ben) == [("repo.promotion.update", "participant", 1)]


def test_lists_turn_pages_and_go_with_the_repo(cast: Cast) -> None:
    repo = cast.repo("ada/tiny")
    for _ in range(3):
        opened(repo, cast.cleo)
    ada = caller(cast.ada)

    first = ada.get("/api/v1/notifications?limit=2").json()
    rest = ada.get(f"/api/v1/notifications?limit=2&cursor={first['next_cursor']}").json()

    assert [one["discussion"] for page in (first, rest) for one in page["results"]] == [3, 2, 1]
    assert rest["next_cursor"] is None
    assert ada.get("/api/v1/notifications?cursor=x").status_code == 400
    repo.delete()
    assert told(cast.ada) == []
