"""Lists find exactly what a plain loop over the same repos finds, for whoever asks."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoDbBlocker

from hub.cards.apps import APPS
from hub.models import Repo, sql
from hub.names import RepoKind
from hub.policies import visible_to as visible_rows
from hub.queries import search
from hub.queries.facets import SIZES, facets
from hub.queries.repo_filter import RepoFilter, Sort, visible_to
from hub.queries.repo_rows import TABLES
from teams.errors import Invalid
from teams.policies import ANONYMOUS, Principal
from tests.cast import Cast, gather, signed_in
from tests.factories.hub import make_repo
from tests.hub.queries.many_repos import NAMED, TAGS, TASKS, WORDS, World, expected, populate
from tests.statements import Statements

pytestmark = pytest.mark.django_db

SORTS = [sort for sort in Sort if sort is not Sort.RELEVANCE]
EVERYTHING = 10_000


@pytest.fixture(scope="module")
def players(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Cast]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield gather()
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def world(players: Cast, django_db_blocker: DjangoDbBlocker) -> World:
    owners = {user.name: user.namespace for user in (players.ada, players.ben)}
    with django_db_blocker.unblock():
        return populate({**owners, "acme": players.acme.namespace})


@pytest.fixture
def readers(players: Cast) -> list[Principal]:
    users = (players.ada, players.ben, players.cleo, players.root)
    return [ANONYMOUS, *(signed_in(user) for user in users)]


def ids(asked: RepoFilter, reader: Principal) -> list[int]:
    return [repo.id for repo in search.find(replace(asked, limit=EVERYTHING), reader).repos]


def right_ids(world: World, asked: RepoFilter, reader: Principal) -> list[int]:
    seen = set(Repo.objects.filter(visible_rows(reader)).values_list("pk", flat=True))
    return expected(world, asked, lambda repo: repo.pk in seen)


def one_at_a_time() -> list[RepoFilter]:
    model, dataset, space = RepoKind
    return [
        *(RepoFilter(kind=kind) for kind in (None, *RepoKind)),
        *(RepoFilter(kind=model, author=author) for author in ("ada", "ACME", "nobody")),
        *(RepoFilter(kind=model, search=(term,)) for term in ("bert", "B", "-1", "a/", "3.2", "_")),
        *(
            RepoFilter(kind=model, search=(term,))
            for term in ("%", "'", "\\", "é", "da/bert-1", "1")
        ),
        RepoFilter(kind=model, search=("ada/", "bert")),
        RepoFilter(kind=model, search=("llama 12",)),
        *(RepoFilter(kind=model, tags=(tag,)) for tag in (*TAGS, "absent")),
        RepoFilter(kind=model, tags=("pytorch", "en")),
        *(RepoFilter(kind=model, pipeline_tag=task) for task in (*TASKS, "absent")),
        *(RepoFilter(kind=kind, library="gguf") for kind in (model, dataset)),
        *(RepoFilter(kind=kind, gated=gated) for kind in RepoKind for gated in (True, False)),
        RepoFilter(kind=model, min_parameters=10**9),
        RepoFilter(kind=model, max_parameters=10**9),
        RepoFilter(kind=model, min_parameters=10**6, max_parameters=10**9),
        *(RepoFilter(kind=model, apps=(app,)) for app in APPS),
        RepoFilter(kind=model, inference=True),
        RepoFilter(kind=model, inference_providers=("all",)),
        *(RepoFilter(kind=space, models=(name,)) for name in NAMED),
        RepoFilter(kind=space, models=NAMED[:2]),
        RepoFilter(kind=space, datasets=NAMED[:1]),
        RepoFilter(kind=space, linked=True),
        RepoFilter(kind=space, sdks=("gradio", "static")),
        *(
            RepoFilter(kind=model, text=text)
            for text in (*WORDS, "quokka -ibex", "llama okapi", "!")
        ),
    ]


@pytest.mark.parametrize("asked", one_at_a_time(), ids=str)
def test_every_filter_finds_exactly_the_right_repos(
    world: World, readers: list[Principal], asked: RepoFilter
) -> None:
    for reader in readers:
        right = right_ids(world, asked, reader)
        assert ids(asked, reader) == right
        assert search.count(asked, reader).number == len(right)
        assert facets(asked, reader).total.number == len(right)


def some(values: Any, most: int = 2) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(sorted(values)), max_size=most, unique=True).map(tuple)


FILTERS = st.builds(
    RepoFilter,
    kind=st.sampled_from([None, *RepoKind]),
    author=st.sampled_from(["", "", "ada", "Ben", "acme"]),
    search=some(["ert", "b", "3.2", "a", "12", "/V"]),
    tags=some(TAGS),
    pipeline_tag=st.sampled_from(["", "", *TASKS]),
    gated=st.sampled_from([None, None, True, False]),
    min_parameters=st.sampled_from([None, None, 1, 10**9]),
    max_parameters=st.sampled_from([None, None, 10**9, 10**10]),
    apps=some(["ollama", "drawthings", "vllm"], most=1),
    linked=st.booleans(),
    sdks=some(["gradio", "docker"], most=1),
    text=st.sampled_from(["", "", "quokka", "narwhal -okapi"]),
    sort=st.sampled_from(SORTS),
    ascending=st.booleans(),
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(asked=FILTERS, place=st.integers(0, 4))
def test_filters_combine_as_a_plain_loop_says(
    world: World, readers: list[Principal], asked: RepoFilter, place: int
) -> None:
    assert ids(asked, readers[place]) == right_ids(world, asked, readers[place])


@pytest.mark.parametrize("ascending", [False, True])
@pytest.mark.parametrize("sort", SORTS)
def test_pages_cover_every_repo_once_and_in_order(
    world: World,
    sort: Sort,
    ascending: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    asked = RepoFilter(kind=RepoKind.MODEL, sort=sort, ascending=ascending, limit=37)
    seen: list[int] = []
    while True:
        page = search.find(asked, ANONYMOUS)
        seen += [repo.id for repo in page.repos]
        if not page.next_cursor:
            break
        asked = replace(asked, cursor=page.next_cursor)

    assert seen == right_ids(world, asked, ANONYMOUS)


def test_pages_by_relevance_cover_every_match_once_best_first(world: World) -> None:
    asked = RepoFilter(text="quokka", sort=Sort.RELEVANCE, limit=29)
    ranks: list[float] = []
    seen: list[int] = []
    while True:
        page = search.find(asked, ANONYMOUS)
        seen += [repo.id for repo in page.repos]
        ranks += [page.ranks[repo.id] for repo in page.repos]
        if not page.next_cursor:
            break
        asked = replace(asked, cursor=page.next_cursor)

    assert ranks == sorted(ranks, reverse=True)
    right = right_ids(world, replace(asked, sort=Sort.LIKES), ANONYMOUS)
    assert len(seen) == len(set(seen))
    assert set(seen) == set(right)


def test_a_page_costs_one_query_however_long_it_is(world: World, statements: Statements) -> None:
    for limit in (10, 500):
        with statements.counted() as count:
            search.find(RepoFilter(kind=RepoKind.MODEL, limit=limit), ANONYMOUS)
        assert count() == 1


def test_the_hand_written_condition_sees_what_the_policy_sees(
    world: World, readers: list[Principal]
) -> None:
    for reader in readers:
        where, values = visible_to(reader)
        by_hand = {pk for (pk,) in sql.rows(f"SELECT r.id FROM {TABLES} WHERE {where}", values)}
        assert by_hand == set(
            Repo.objects.filter(visible_rows(reader)).values_list("pk", flat=True)
        )


def test_strangers_count_and_narrow_down_by_public_repos_alone(
    world: World, readers: list[Principal]
) -> None:
    asked = RepoFilter(kind=RepoKind.MODEL)
    for reader in readers:
        right = right_ids(world, asked, reader)
        counted = facets(asked, reader)
        tags = {value.tag: value.count for values in counted.by_type.values() for value in values}

        assert search.count(asked, reader).number == counted.total.number == len(right)
        assert tags == {
            tag: number
            for tag in TAGS
            if (number := sum(tag in world.card[pk].tags for pk in right))
        }


def test_sizes_are_counted_by_range(world: World) -> None:
    counted = facets(RepoFilter(kind=RepoKind.MODEL), ANONYMOUS)
    right = right_ids(world, RepoFilter(kind=RepoKind.MODEL), ANONYMOUS)
    sizes = [size for pk in right if (size := world.card[pk].parameters) is not None]

    ends = [*list(SIZES.values())[1:], float("inf")]
    assert counted.by_size == {
        name: number
        for (name, low), high in zip(SIZES.items(), ends, strict=True)
        if (number := sum(low <= size < high for size in sizes))
    }


def test_a_count_stops_at_its_cap(world: World) -> None:
    counted = search.count(RepoFilter(kind=RepoKind.MODEL), ANONYMOUS, cap=100)

    assert (counted.number, counted.capped) == (100, True)
    assert str(search.Count(10_000, capped=True)) == "10\N{NARROW NO-BREAK SPACE}000+"


@pytest.mark.parametrize("cursor", ["nonsense", "bnVsbA", "WyJsaWtlcyIsMSwxXQ", "é", "W10"])
def test_a_cursor_that_is_not_of_the_list_is_refused(world: World, cursor: str) -> None:
    with pytest.raises(Invalid):
        search.find(RepoFilter(kind=RepoKind.MODEL, cursor=cursor), ANONYMOUS)


def test_names_count_more_than_tags_and_tags_more_than_text() -> None:
    in_body = make_repo(card={"body": "a wombat"})
    in_tags = make_repo(card={"tags": ["wombat"]})
    in_name = make_repo("zoe/wombat-7b")

    page = search.find(RepoFilter(text="wombat", sort=Sort.RELEVANCE), ANONYMOUS)

    assert [repo.id for repo in page.repos] == [in_name.pk, in_tags.pk, in_body.pk]


@pytest.mark.parametrize(
    "text", ["wombat-3.2", "Wombat 3.2", '"3.2 tiny"', "models wombat", "MODEL"]
)
def test_words_are_found_in_the_forms_in_which_people_type_them(text: str) -> None:
    repo = make_repo("zoe/Wombat-3.2-tiny", {"body": "Two modelling experiments."})

    assert [found.id for found in search.find(RepoFilter(text=text), ANONYMOUS).repos] == [repo.pk]


def test_highlights_mark_what_matched_and_escape_all_else() -> None:
    body = "<script>alert(1)</script> \x02forged\x03 a wombat & friends"
    repo = make_repo(card={"body": body})

    marked = search.highlights("wombat", [repo.pk])[repo.pk]

    assert "<mark>wombat</mark> &amp; friends" in marked
    assert "<script" not in marked
    assert "<mark>forged" not in marked
