"""The viewer's pages, as people without a script read them."""

import pytest
from django.test import Client

from datasets_app.models import Split, State
from tests.cast import Cast
from tests.datasets_app.planting import Planted, numbered, plant

PAGE = "/datasets/ada/data"


@pytest.fixture
def rows(cast: Cast) -> Planted:
    return plant(cast, [numbered(0, 120)])


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize(
    ("path", "shows"),
    [
        ("/viewer", "row number 49"),
        ("/viewer?p=3", "row number 119"),
        ("/viewer/default/train?where=%22id%22+%3D+77", "row number 77"),
        ("/viewer?column=text&relation=contains&value=er+66", "row number 66"),
        ("/viewer?sort=id&direction=desc", "row number 119"),
        ("/viewer?where=nope", "There is no column"),
        ("/viewer?search=x", "not indexed yet"),
        ("/viewer/default/train/statistics", "being counted"),
        ("/sql?query=SELECT+max(id)+AS+greatest+FROM+data", "greatest"),
        ("/sql?query=DROP+TABLE+data", "Only SELECT"),
        ("/row-changes?old=main&key=id", "What changed"),
        ("/row-changes?old=main", "What changed"),
        ("/row-changes?old=main&key=nope", "share no such column"),
    ],
)
def test_pages_show_what_is_asked_of_them(path: str, shows: str) -> None:
    answer = Client().get(f"{PAGE}{path}")

    assert answer.status_code == 200
    assert shows in answer.content.decode()


def test_a_page_says_what_is_wrong_with_the_files(rows: Planted) -> None:
    Split.objects.update(
        state=State.FAILED,
        error_code="DatasetGenerationError",
        error={"message": "Row 3 is <broken>.", "path": "a.csv"},
    )

    shown = Client().get(f"{PAGE}/viewer").content.decode()

    assert "Row 3 is &lt;broken&gt;." in shown
    assert "path a.csv" in shown


def test_nobody_sees_rows_of_what_they_may_not_read(cast: Cast) -> None:
    plant(cast, [numbered(0, 3)], private=True)
    stranger = Client()
    stranger.force_login(cast.cleo)

    pages = [stranger.get(f"{PAGE}{path}") for path in ("/viewer", "/sql", "/row-changes")]

    assert {page.status_code for page in pages} == {404}
