"""Follows, profiles in numbers, and what those whom one follows did."""

from typing import Any

import pytest
from django.test import Client

from hub.services import discussions, follows, repos
from hub.services.repos import RepoSettings
from teams.errors import Conflict
from tests.cast import Cast, signed_in
from tests.hub.services.happenings import land
from tests.hub.wire.callers import caller

pytestmark = pytest.mark.django_db
PAGE = "/notifications/activity"


def follow(client: Client, path: str) -> int:
    return client.post(f"/api/{path}/follow", {}, content_type="application/json").status_code


def names(client: Client, path: str) -> list[str]:
    return [one["user"] for one in client.get(f"/api/{path}").json()]


def browser(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_follows_are_made_once_and_taken_back(cast: Cast) -> None:
    ben = caller(cast.ben)
    assert [follow(ben, "users/ada"), follow(ben, "users/ada")] == [200, 200]
    assert follow(ben, "organizations/acme") == 200

    assert names(Client(), "users/ada/followers") == ["ben"]
    assert names(Client(), "organizations/acme/followers") == ["ben"]
    assert names(Client(), "users/ben/following") == ["acme", "ada"]
    types = [one["type"] for one in Client().get("/api/users/ben/following").json()]
    assert types == ["org", "user"]
    assert ben.get("/api/users/ada/overview").json()["isFollowing"] is True

    assert ben.delete("/api/users/ada/follow").status_code == 200
    assert ben.delete("/api/users/ada/follow").status_code == 200
    assert names(Client(), "users/ada/followers") == []


def test_who_may_not_follow(cast: Cast) -> None:
    assert follow(Client(), "users/ada") == 401
    assert follow(caller(cast.ben, "read"), "users/ada") == 403
    assert follow(caller(cast.ada), "users/ada") == 400
    assert follow(caller(cast.ben), "users/nobody") == 404
    assert follow(caller(cast.ben), "users/acme") == 404


def test_there_is_an_end_to_it(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follows, "MAX_FOLLOWED", 1)
    follows.follow(namespace=cast.ada.namespace, by=signed_in(cast.ben))

    with pytest.raises(Conflict):
        follows.follow(namespace=cast.cleo.namespace, by=signed_in(cast.ben))


def test_lists_come_in_pages(cast: Cast) -> None:
    for user in (cast.ben, cast.cleo, cast.root):
        follow(caller(user), "users/ada")

    first = Client().get("/api/users/ada/followers?limit=2")

    assert [one["user"] for one in first.json()] == ["root", "cleo"]
    following = first["Link"].partition(">")[0].lstrip("<").partition("testserver")[2]
    assert [one["user"] for one in Client().get(following).json()] == ["ben"]


def test_profiles_count_what_their_reader_may_see(cast: Cast) -> None:
    cast.repo("acme/open")
    cast.repo("acme/secret", private=True)
    repo = cast.repo("ada/rows", kind="dataset")
    discussions.open_discussion(repo=repo, title="A", text="B", by=signed_in(cast.ada))
    follow(caller(cast.ada), "organizations/acme")

    def models(client: Client) -> int:
        count: int = client.get("/api/organizations/acme/overview").json()["numModels"]
        return count

    assert (models(Client()), models(caller(cast.ben))) == (1, 2)
    told = Client().get("/api/users/ada/overview").json()
    assert (told["numDatasets"], told["numDiscussions"], told["numFollowing"]) == (1, 1, 1)


def test_the_feed_tells_what_those_one_follows_did(cast: Cast) -> None:
    follow(caller(cast.cleo), "users/ada")
    mine, other = cast.repo("ada/tiny"), cast.repo("cleo/own")
    land(cast, mine)
    discussions.open_discussion(repo=mine, title="Why", text="?", by=signed_in(cast.ada))
    discussions.open_discussion(repo=other, title="Mine", text="?", by=signed_in(cast.cleo))

    page = browser(cast.cleo).get(PAGE).content.decode()

    assert all(word in page for word in ("pushed to", "opened", "Why #1", "ada/tiny"))
    assert "Mine #1" not in page
    assert "Nothing yet" in browser(cast.root).get(PAGE).content.decode()


def test_the_feed_shows_nothing_that_is_hidden_now(cast: Cast) -> None:
    follow(caller(cast.cleo), "users/ada")
    repo = cast.repo("ada/tiny")
    land(cast, repo)
    settings = RepoSettings(visibility="private")
    repos.change_settings(repo=repo, settings=settings, by=signed_in(cast.ada))

    assert "ada/tiny" not in browser(cast.cleo).get(PAGE).content.decode()
    # Ben is in the organisation, and follows nobody.
    land(cast, cast.repo("acme/secret", private=True))
    assert "acme/secret" in browser(cast.ben).get(PAGE).content.decode()


def test_the_feed_goes_on_where_a_page_ends(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.portal.follows.A_PAGE", 2)
    follow(caller(cast.cleo), "users/ada")
    repo = cast.repo("ada/tiny")
    for number in range(3):
        land(cast, repo, content=bytes([number]))
    cleo, told, url = browser(cast.cleo), 0, PAGE

    for _ in range(2):
        response = cleo.get(url)
        told += len(response.context["activities"])
        url = response.context["next_url"]

    assert (told, url) == (4, "") or (told, bool(url)) == (4, True)


def test_the_button_of_a_profile_follows(cast: Cast) -> None:
    ben = browser(cast.ben)
    assert "Follow" in ben.get("/ada").content.decode()

    assert ben.post("/settings/follows", {"follow": "ada"})["Location"] == "/ada"
    page = ben.get("/ada").content.decode()
    assert "Unfollow" in page
    assert "1 follower" in page
    ben.post("/settings/follows", {"unfollow": "ada"})
    assert "0 followers" in ben.get("/ada").content.decode()
    assert ben.post("/settings/follows", {}).status_code == 400
    assert 'name="follow"' not in browser(cast.ada).get("/ada").content.decode()
