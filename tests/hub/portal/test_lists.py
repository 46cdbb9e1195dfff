"""Front page, lists with their filters, search, profiles."""

import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from hub.models import Repo
from tests.cast import Cast
from tests.hub.portal.conftest import Browse, Put

MOST_QUERIES = 25


def names_on(client: Client, path: str) -> set[str]:
    """The names of the repos that the page lists."""
    page = client.get(path).content.decode()
    cards = page.split('<article class="repo-card')[1:]
    return {re.findall(r'<a href="/(?:datasets/)?([^"]+)"', card)[0] for card in cards}


@pytest.fixture
def shelf(cast: Cast, put: Put) -> None:
    """Four models that differ in licence, language and task, and a dataset."""
    for name, licence, language, task in (
        ("ada/one", "mit", "en", "fill-mask"),
        ("ada/two", "mit", "de", "text-generation"),
        ("ben/three", "apache-2.0", "en", "text-generation"),
        ("acme/four", "apache-2.0", "en", "fill-mask"),
    ):
        card = f"---\nlicense: {licence}\nlanguage: {language}\npipeline_tag: {task}\n---\n{name}"
        put(cast.repo(name), {"README.md": f"{card} has layers of snow.".encode()})
    put(
        cast.repo("ada/rows", kind="dataset"),
        {"README.md": b"---\ntask_categories: [fill-mask]\n---\nRows on <i>snow</i>."},
    )


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"ada/one", "ada/two", "ben/three", "acme/four"}),
        ("license=mit", {"ada/one", "ada/two"}),
        ("license=mit&language=en", {"ada/one"}),
        ("pipeline_tag=fill-mask", {"ada/one", "acme/four"}),
        ("search=THR", {"ben/three"}),
        ("author=ada&sort=likes", {"ada/one", "ada/two"}),
        ("other=license:mit", {"ada/one", "ada/two"}),
        ("license=none", set()),
        ("size=0-1000000", set()),
    ],
)
def test_a_list_shows_exactly_what_its_address_asks_for(
    browse: Browse, shelf: None, query: str, names: set[str]
) -> None:
    assert names_on(browse(None), f"/models?{query}") == names


def test_a_dataset_is_on_the_list_of_datasets(browse: Browse, shelf: None) -> None:
    assert names_on(browse(None), "/datasets?task_categories=fill-mask") == {"ada/rows"}
    assert names_on(browse(None), "/datasets?task_categories=other") == set()


def test_a_facet_counts_and_leads_to_the_narrower_list(browse: Browse, shelf: None) -> None:
    page = browse(None).get("/models?language=en").content.decode()
    facet = page.partition('href="/models?language=en&amp;license=apache-2.0"')[2]

    assert re.findall(r"\d+", facet.partition('class="number"')[2])[0] == "2"


def test_a_filter_that_is_on_can_be_taken_away(browse: Browse, shelf: None) -> None:
    page = browse(None).get("/models?license=none&sort=likes").content.decode()

    assert page.count('href="/models?sort=likes"') >= 2


def test_pages_of_a_list_have_no_gap_and_no_overlap(browse: Browse, cast: Cast) -> None:
    for number in range(35):
        cast.repo(f"ada/n{number:02d}")

    first = browse(None).get("/models?sort=created").content.decode()
    link = re.findall(r'rel="next"\s+href="([^"]+)"', first)[0].replace("&amp;", "&")
    names = [names_on(browse(None), path) for path in ("/models?sort=created", link)]

    assert [len(some) for some in names] == [30, 5]
    assert len(names[0] | names[1]) == 35


def test_htmx_is_given_the_results_alone(browse: Browse, shelf: None) -> None:
    page = browse(None).get("/models?license=mit", headers={"HX-Request-Type": "partial"})
    text = page.content.decode().strip()

    assert text.startswith('<div id="results"')
    assert "ada/one" in text
    assert "HX-Request-Type" in page["Vary"]


def test_a_list_takes_as_many_queries_for_one_repo_as_for_thirty(
    browse: Browse, cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    cast.repo("ada/first")
    reader = browse(cast.ada)
    with django_assert_max_num_queries(MOST_QUERIES) as one:
        reader.get("/models")
    for number in range(30):
        cast.repo(f"ada/n{number}")

    with django_assert_max_num_queries(MOST_QUERIES) as thirty:
        reader.get("/models")

    assert len(thirty) == len(one)


def test_search_finds_words_of_cards_and_marks_them(browse: Browse, shelf: None) -> None:
    page = browse(None).get("/search?q=snow").content.decode()

    assert names_on(browse(None), "/search?q=snow") == {
        "ada/one",
        "ada/two",
        "ben/three",
        "acme/four",
        "ada/rows",
    }
    assert "<mark>snow</mark>" in page
    assert "<i>" not in page


def test_search_narrows_down_to_one_kind(browse: Browse, shelf: None) -> None:
    assert names_on(browse(None), "/search?q=snow&type=dataset") == {"ada/rows"}
    assert names_on(browse(None), "/search?q=") == set()


def test_the_front_page_of_an_empty_hub_says_how_to_begin(browse: Browse) -> None:
    page = browse(None).get("/").content.decode()

    assert "The scales are empty" in page
    assert "export HF_ENDPOINT=http://testserver" in page


def test_the_front_page_shows_what_is_new_and_what_is_mine(
    browse: Browse, cast: Cast, shelf: None, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    ada = browse(cast.ada)

    with django_assert_max_num_queries(MOST_QUERIES):
        page = ada.get("/").content.decode()

    assert "Your repos" in page
    assert "acme/<" not in page.partition("Your repos")[2].partition("Just updated")[0]


def test_a_profile_lists_the_repos_of_its_owner(browse: Browse, shelf: None) -> None:
    assert names_on(browse(None), "/ada") == {"ada/one", "ada/two", "ada/rows"}
    assert names_on(browse(None), "/ADA") == {"ada/one", "ada/two", "ada/rows"}


def test_a_profile_of_an_organisation_lists_its_members(browse: Browse, cast: Cast) -> None:
    page = browse(None).get("/acme").content.decode()

    assert "Members" in page
    assert 'href="/ben"' in page


@pytest.mark.parametrize("path", ["/", "/models", "/datasets", "/spaces", "/search", "/ada"])
def test_a_page_answers_whoever_reads_it(browse: Browse, cast: Cast, path: str) -> None:
    for reader in (None, cast.ada, cast.root):
        assert browse(reader).get(path).status_code == 200
        assert browse(reader).head(path).status_code == 200
    assert not Repo.objects.exists()
