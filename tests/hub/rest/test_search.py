"""Our own search: its answers, its refusals, its description."""

import pytest
from django.test import Client

from tests.cast import Cast
from tests.factories.hub import make_repo
from tests.hub.wire.callers import caller

pytestmark = pytest.mark.django_db

PATH = "/api/v1/search"


def test_search_covers_all_kinds_and_marks_what_matched() -> None:
    make_repo("ada/model", {"body": "With 5 < 6 & some quokkas in it"}, likes=3)
    make_repo("ada/quokka-faces", kind="dataset")

    answer = Client().get(f"{PATH}?q=quokka").json()

    best, second = answer["results"]
    assert (best["id"], best["kind"], best["url"]) == (
        "ada/quokka-faces",
        "dataset",
        "/datasets/ada/quokka-faces",
    )
    assert "5 &lt; 6 &amp; some <mark>quokkas</mark>" in second["highlight"]
    assert (answer["count"], answer["count_is_exact"], answer["next_cursor"]) == (2, True, None)


def test_search_pages_on_by_its_cursor_and_narrows_down_by_kind() -> None:
    for number in range(5):
        make_repo(f"ada/quokka-{number}", kind="model" if number else "dataset")
    first = Client().get(f"{PATH}?q=quokka&kind=model&limit=3").json()
    cursor = first["next_cursor"]
    second = Client().get(f"{PATH}?q=quokka&kind=model&limit=3&cursor={cursor}").json()

    assert second["next_cursor"] is None
    seen = [repo["id"] for page in (first, second) for repo in page["results"]]
    assert sorted(seen) == [f"ada/quokka-{number}" for number in range(1, 5)]


def test_search_finds_private_repos_for_those_who_may_see_them(cast: Cast) -> None:
    cast.repo("ada/quokka", private=True)

    assert Client().get(f"{PATH}?q=quokka").json()["count"] == 0
    assert caller(cast.ada).get(f"{PATH}?q=quokka").json()["count"] == 1


@pytest.mark.parametrize(
    "query", ["", "q=", "q=%00", f"q={'a' * 501}", "q=x&kind=paper", "q=x&limit=0", "q=x&page=2"]
)
def test_a_bad_request_is_told_as_a_problem(query: str) -> None:
    answer = Client().get(f"{PATH}?{query}")

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == 400
    assert answer.json()["detail"]


def test_a_forged_token_and_a_wrong_method_are_told_as_problems() -> None:
    forged = Client(headers={"Authorization": "Bearer hub_forged"}).get(f"{PATH}?q=x")
    posted = Client().post(PATH, {})

    assert (forged.status_code, posted.status_code) == (401, 405)
    assert forged["Content-Type"] == posted["Content-Type"] == "application/problem+json"


def test_the_description_of_the_api_names_search_and_its_parameters() -> None:
    described = Client().get("/api/v1/openapi.json").json()

    parameters = described["paths"]["/api/v1/search"]["get"]["parameters"]
    assert {one["name"] for one in parameters} == {"q", "kind", "limit", "cursor"}
