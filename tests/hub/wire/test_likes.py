"""Likes over the wire, and their counter under concurrent callers."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client

from hub.models import Like, Repo
from hub.services import likes
from tests.cast import Cast, gather, signed_in
from tests.factories.hub import make_user
from tests.hub.wire.callers import caller


@pytest.mark.django_db
def test_a_like_counts_once_however_often_it_is_said(cast: Cast) -> None:
    repo, client = cast.repo("ada/tiny"), caller(cast.cleo)

    for _ in range(2):
        assert client.post("/api/models/ada/tiny/like").json() == {"likes": 1}
    for _ in range(2):
        assert client.delete("/api/models/ada/tiny/like").json() == {"likes": 0}

    repo.refresh_from_db()
    assert (repo.likes, Like.objects.count()) == (0, 0)


@pytest.mark.django_db
def test_who_may_not_see_a_repo_cannot_like_it(cast: Cast) -> None:
    cast.repo("ada/secret", private=True)
    cast.repo("ada/open")

    assert caller(cast.cleo).post("/api/models/ada/secret/like").status_code == 404
    assert caller(cast.cleo, "read").post("/api/models/ada/open/like").status_code == 403
    assert Client().post("/api/models/ada/open/like").status_code == 401
    assert caller(cast.cleo).delete("/api/models/ada/nothing/like").status_code == 404


@pytest.mark.django_db
def test_lists_of_likes_show_what_their_reader_may_see(cast: Cast) -> None:
    for name, private in (("ada/open", False), ("ada/secret", True)):
        likes.like(repo=cast.repo(name, private=private), by=signed_in(cast.ada))
    path = "/api/users/ada/likes"

    mine = [like["repo"] for like in caller(cast.ada).get(path).json()]
    others = [like["repo"] for like in Client().get(path).json()]

    assert mine == [{"name": "ada/secret", "type": "model"}, {"name": "ada/open", "type": "model"}]
    assert others == [{"name": "ada/open", "type": "model"}]
    assert Client().get("/api/users/nobody/likes").status_code == 404


@pytest.mark.django_db
def test_likers_come_in_pages_newest_first(cast: Cast) -> None:
    repo = cast.repo("ada/tiny")
    for user in (cast.ada, cast.ben, cast.cleo):
        likes.like(repo=repo, by=signed_in(user))

    first = Client().get("/api/models/ada/tiny/likers?limit=2")
    second = Client().get(first["Link"].split(">")[0].removeprefix("<http://testserver"))

    assert [liker["user"] for liker in first.json()] == ["cleo", "ben"]
    assert [liker["user"] for liker in second.json()] == ["ada"]
    assert {"user", "fullname", "avatarUrl"} <= set(second.json()[0])
    assert "Link" not in second
    assert Client().get("/api/models/ada/tiny/likers?cursor=x").status_code == 400


@pytest.mark.django_db(transaction=True)
def test_concurrent_likes_leave_a_counter_that_equals_the_rows() -> None:
    cast = gather()
    repo = cast.repo("ada/tiny")
    principals = [signed_in(make_user(f"user{number}")) for number in range(4)]

    def like_and_waver(turn: int) -> None:
        principal = principals[turn % 4]
        likes.like(repo=repo, by=principal)
        if turn % 3 == 0:
            likes.unlike(repo=repo, by=principal)
        connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(like_and_waver, range(60)))

    assert Repo.objects.get(pk=repo.pk).likes == Like.objects.filter(repo=repo).count()
