"""Collections: who sees and changes them, pages and filters, what is refused."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.cast import Cast
from tests.hub.wire.callers import caller

pytestmark = pytest.mark.django_db
ALL = "/api/collections"


def begun(client: Client, title: str = "Best", **more: Any) -> str:
    answer = client.post(ALL, {"title": title, **more}, content_type="application/json")
    assert answer.status_code == 200, answer.content
    return f"{ALL}/{answer.json()['slug']}"


def add(client: Client, one: str, name: str, kind: str = "model", **more: Any) -> Any:
    item = {"item": {"id": name, "type": kind}, **more}
    return client.post(f"{one}/items", item, content_type="application/json")


def named(answer: Any) -> list[str]:
    return [item["id"] for item in answer.json()["items"]]


def slugs(answer: Any) -> list[str]:
    return [one["slug"] for one in answer.json()]


def test_a_private_collection_is_for_members_and_hidden_from_others(cast: Cast) -> None:
    ada, ben, cleo = caller(cast.ada), caller(cast.ben), caller(cast.cleo)
    one = begun(ada, namespace="acme", private=True)

    missing = cleo.get(f"{ALL}/acme/best-{'f' * 24}")
    hidden = cleo.get(one)

    assert (hidden.status_code, hidden.content) == (404, missing.content)
    assert ben.get(one).status_code == 200
    assert slugs(cleo.get(ALL)) == []
    assert len(slugs(ben.get(ALL))) == 1
    assert cleo.delete(one).status_code == 404


def test_only_those_who_write_change_it(cast: Cast) -> None:
    ada, cleo = caller(cast.ada), caller(cast.cleo)
    one = begun(ada)
    cast.repo("ada/tiny")

    refused = [
        cleo.patch(one, {"title": "Mine"}, content_type="application/json"),
        cleo.delete(one),
        add(cleo, one, "ada/tiny"),
        cleo.post(ALL, {"title": "x", "namespace": "ada"}, content_type="application/json"),
        caller(cast.ada, role="read").delete(one),
    ]

    assert {answer.status_code for answer in refused} == {403}
    assert Client().delete(one).status_code == 401


def test_items_that_the_reader_may_not_see_are_left_out(cast: Cast) -> None:
    ada = caller(cast.ada)
    one = begun(ada)
    cast.repo("ada/seen")
    cast.repo("ada/secret", private=True)
    add(ada, one, "ada/secret")
    add(ada, one, "ada/seen")

    by_item = f"{ALL}?item=models/ada/secret"
    assert named(ada.get(one)) == ["ada/secret", "ada/seen"]
    assert named(caller(cast.cleo).get(one)) == ["ada/seen"]
    assert (len(slugs(ada.get(by_item))), slugs(caller(cast.cleo).get(by_item))) == (1, [])


def test_what_one_may_not_see_cannot_be_added(cast: Cast) -> None:
    cleo = caller(cast.cleo)
    one = begun(cleo)
    cast.repo("ada/secret", private=True)

    hidden, missing = add(cleo, one, "ada/secret"), add(cleo, one, "ada/missing")

    assert (hidden.status_code, hidden.content) == (404, missing.content)


def test_a_collection_holds_papers_and_other_collections_but_not_itself(cast: Cast) -> None:
    ada = caller(cast.ada)
    one, other = begun(ada), begun(ada, "Other")
    slug = other.removeprefix(f"{ALL}/")

    assert add(ada, one, "2311.12983", "paper").status_code == 200
    assert add(ada, one, slug, "collection").json()["items"][1]["slug"] == slug
    assert add(ada, one, one.removeprefix(f"{ALL}/"), "collection").status_code == 400
    assert add(ada, one, "not-a-paper", "paper").status_code == 404
    assert add(ada, one, "ada/bucket", "bucket").status_code == 400
    by_paper = ada.get(f"{ALL}?item=papers/2311.12983")
    assert slugs(by_paper) == [one.removeprefix(f"{ALL}/")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": " "},
        {"title": "x" * 81},
        {"title": 5},
        {"description": "x" * 151},
        {"theme": "invisible"},
        {"private": "yes"},
        {"position": -1},
        {"resourceGroupId": "a" * 24},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_what_cannot_be_is_refused_and_changes_nothing(cast: Cast, wrong: dict[str, Any]) -> None:
    ada = caller(cast.ada)
    one = begun(ada)
    before = ada.get(one).json()

    answer = ada.patch(one, wrong, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json()["error"] == answer["X-Error-Message"]
    assert ada.get(one).json() == before


def test_a_title_is_taken_once_in_any_case_and_says_by_what(cast: Cast) -> None:
    ada = caller(cast.ada)
    one = begun(ada, "Best")

    answer = ada.post(ALL, {"title": "BEST"}, content_type="application/json")

    assert (answer.status_code, answer.json()["slug"]) == (409, one.removeprefix(f"{ALL}/"))


def test_an_old_slug_leads_to_the_collection(cast: Cast) -> None:
    ada = caller(cast.ada)
    one = begun(ada, "Best")
    ada.patch(one, {"title": "\u4f60\u597d"}, content_type="application/json")

    slug = ada.get(one).json()["slug"]

    assert slug == f"ada/{one.rpartition('-')[2]}"
    assert ada.get(f"{ALL}/{slug}").json()["title"] == "\u4f60\u597d"


@pytest.mark.parametrize("slug", ["ada/nothing", "ada/x-" + "z" * 24, "ada/x-" + "f" * 24, "a/-"])
def test_a_slug_without_a_collection_is_not_found(cast: Cast, slug: str) -> None:
    assert caller(cast.ada).get(f"{ALL}/{slug}").status_code == 404


def test_lists_go_by_votes_and_turn_pages(cast: Cast) -> None:
    ada, cleo = caller(cast.ada), caller(cast.cleo)
    first, second, third = (begun(ada, title) for title in ("First", "Second", "Third"))
    for client in (ada, cleo, cleo):
        client.post(f"{second}/upvote")
    cleo.post(f"{first}/upvote")

    wanted = [one.removeprefix(f"{ALL}/") for one in (second, first, third)]
    page = ada.get(f"{ALL}?sort=upvotes&limit=2")
    rest = ada.get(page["Link"].partition(">")[0].removeprefix("<").partition("testserver")[2])
    assert (slugs(page), slugs(rest)) == (wanted[:2], wanted[2:])
    assert [one["upvotes"] for one in page.json()] == [2, 1]
    assert cleo.delete(f"{second}/upvote").json() == {"upvotes": 1}
    assert "position" not in page.json()[0]
    assert ada.get(f"{ALL}?sort=size").status_code == 400


def test_lists_are_found_by_owner_and_words(cast: Cast) -> None:
    ada, ben = caller(cast.ada), caller(cast.ben)
    mine, theirs = begun(ada, "Small models"), begun(ben, "Large models")

    wanted = [one.removeprefix(f"{ALL}/") for one in (mine, theirs)]
    assert slugs(ada.get(f"{ALL}?owner=ADA")) == wanted[:1]
    assert set(slugs(ada.get(f"{ALL}?owner=ada&owner=ben"))) == set(wanted)
    assert slugs(ada.get(f"{ALL}?q=large")) == wanted[1:]


def test_a_list_shows_four_items_and_asks_no_more_for_more(cast: Cast) -> None:
    ada = caller(cast.ada)
    one = begun(ada)
    for number in range(6):
        cast.repo(f"ada/m{number}")
        add(ada, one, f"ada/m{number}")
    with CaptureQueriesContext(connection) as few:
        listed = ada.get(ALL)
    for number in range(5):
        begun(ada, f"More {number}")
    with CaptureQueriesContext(connection) as many:
        ada.get(ALL)

    assert named(type("One", (), {"json": lambda: listed.json()[0]})) == [
        f"ada/m{number}" for number in range(4)
    ]
    assert len(many) == len(few)


def test_an_item_goes_away_with_its_repo(cast: Cast) -> None:
    ada = caller(cast.ada)
    one = begun(ada)
    repo = cast.repo("ada/tiny")
    add(ada, one, "ada/tiny")

    repo.delete()

    assert ada.get(one).json()["items"] == []


def test_an_item_that_is_not_there_is_not_found(cast: Cast) -> None:
    ada = caller(cast.ada)
    one = begun(ada)

    for item in ("zz", "f" * 24, "0"):
        assert ada.delete(f"{one}/items/{item}").status_code == 404
