"""Lists, filters and full-text search over 100,000 repos: the product, or its bare SQL alone?"""

import json
import math
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from io import BytesIO
from itertools import count
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import inside
from django.core.wsgi import get_wsgi_application
from django.db import connection
from measure import Sample, Table, Target, in_turn, options, sampled
from server import Server

from hub.cards.grams import trigrams
from hub.cards.words import plain_words
from hub.models import sql
from hub.names import RepoKind
from hub.queries import cursors, search
from hub.queries.facets import facets
from hub.queries.repo_filter import Condition, RepoFilter, Sort
from teams.models import Namespace
from teams.policies import ANONYMOUS

OWNERS = 500
WORDS = 20_000
CARD_WORDS = 150
TASKS = ("text-generation", "fill-mask", "text-to-image", "image-classification")
TAGS = ("pytorch", "safetensors", "gguf", "en", "de", "license:mit", "license:apache-2.0")
CALLS = 60
"""Calls of one kind in a round, each with other values."""

application = get_wsgi_application()


class Question(NamedTuple):
    """One thing that people ask for: its URL, and the SQL that answers it."""

    url: str
    statements: Sequence[Condition]


def main() -> None:
    asked = options(__doc__ or "")
    repos = 2_000 if asked.quick else 100_000
    with Server(inside.FOLDER):
        _fill(repos)
        table = Table(f"p95 of {CALLS} calls over {repos:,} repos, {asked.rounds} rounds")
        for name, questions in _kinds(repos).items():
            _compare(table, name, questions, asked.rounds)
        _note_facets(table)
        table.print()


def _compare(
    table: Table, name: str, questions: Callable[[], Iterator[Question]], rounds: int
) -> None:
    found: dict[str, list[list[float]]] = {"ours": [], "bare": []}

    def one(way: str, answer: Callable[[Question], object]) -> Sample:
        asked = [question for question, _ in zip(questions(), range(CALLS), strict=False)]
        times = [1000 * sampled(partial(answer, question)).seconds for question in asked]
        found[way].append(times)
        return Sample(_p95(times))

    ways = {"ours": partial(one, "ours", _ask), "bare": partial(one, "bare", _run)}
    samples = in_turn(ways, rounds=rounds)
    ours, bare = ([sample.seconds for sample in samples[way]] for way in ("ours", "bare"))
    table.compare(name, ours, bare, unit="ms", target=Target(at_most=3))


def _p95(times: Sequence[float]) -> float:
    return sorted(times)[math.ceil(0.95 * len(times)) - 1]


def _note_facets(table: Table) -> None:
    for tags in ((), ("gguf",)):
        asked = RepoFilter(kind=RepoKind.MODEL, tags=tags)
        took = sampled(lambda asked=asked: facets(asked, ANONYMOUS)).seconds  # type: ignore[misc]
        table.note(f"facets {tags or 'of all'}", 1000 * took, "ms")


def _kinds(repos: int) -> dict[str, Callable[[], Iterator[Question]]]:
    """Name to an endless run of questions of that kind, the same for both ways."""
    kind = RepoKind.MODEL

    def run(make: Callable[[random.Random, int], tuple[dict[str, Any], RepoFilter]]) -> Any:
        def questions() -> Iterator[Question]:
            rng = random.Random(7)
            for number in count():
                yield _listed(*make(rng, number))

        return questions

    def plain(limit: int, sort: Sort) -> Any:
        asked = RepoFilter(kind=kind, sort=sort, limit=limit)
        return run(lambda _rng, _n: ({"sort": sort.value, "limit": limit}, asked))

    def narrowed(
        make: Callable[[random.Random], tuple[dict[str, Any], dict[str, Any]]], limit: int = 30
    ) -> Any:
        def both(rng: random.Random, _number: int) -> tuple[dict[str, Any], RepoFilter]:
            query, fields = make(rng)
            return query | {"limit": limit}, RepoFilter(kind=kind, limit=limit, **fields)

        return run(both)

    def deep(rng: random.Random, _number: int) -> tuple[dict[str, Any], RepoFilter]:
        asked = RepoFilter(kind=kind, sort=Sort.CREATED, limit=100)
        page = search.find(RepoFilter(kind=kind, sort=Sort.CREATED, limit=1), ANONYMOUS)
        cursor = _cursor_at(page.repos[0].created_at, rng.randrange(repos))
        fields = {"sort": "createdAt", "limit": 100, "cursor": cursor}
        return fields, RepoFilter(kind=kind, sort=asked.sort, limit=100, cursor=cursor)

    return {
        "list of 1,000": plain(1000, Sort.DOWNLOADS),
        "list of 30": plain(30, Sort.TRENDING),
        "page of 100 in the middle": run(deep),
        "author": narrowed(_author),
        "two tags": narrowed(_two_tags),
        "task, parameters, not gated": narrowed(_task),
        "part of a name": narrowed(_part),
        "two letters of a name": narrowed(_letters),
        "full text, rare word": partial(_texts, lambda rng: _word(rng.randrange(2000, WORDS))),
        "full text, two words": partial(
            _texts, lambda rng: f"{_word(rng.randrange(30, 300))} {_word(rng.randrange(300, 3000))}"
        ),
        "full text, common word": partial(_texts, lambda rng: _word(rng.randrange(5))),
    }


def _cursor_at(newest: datetime, back: int) -> str:
    return cursors.encode(Sort.CREATED, newest - timedelta(seconds=back), 1 << 40)


def _author(rng: random.Random) -> tuple[dict[str, Any], dict[str, Any]]:
    name = f"owner-{rng.randrange(OWNERS)}"
    return {"author": name}, {"author": name}


def _two_tags(rng: random.Random) -> tuple[dict[str, Any], dict[str, Any]]:
    tags = tuple(rng.sample(TAGS, 2))
    return {"filter": tags}, {"tags": tags}


def _task(rng: random.Random) -> tuple[dict[str, Any], dict[str, Any]]:
    task = rng.choice(TASKS)
    query = {"pipeline_tag": task, "num_parameters": "min:1B,max:8B", "gated": "false"}
    least, most = 10**9, 8 * 10**9
    fields = {"pipeline_tag": task, "min_parameters": least, "max_parameters": most}
    return query, fields | {"gated": False}


def _part(rng: random.Random) -> tuple[dict[str, Any], dict[str, Any]]:
    part = f"{_word(rng.randrange(WORDS))[:5]}"
    return {"search": part}, {"search": (part,)}


def _letters(rng: random.Random) -> tuple[dict[str, Any], dict[str, Any]]:
    part = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=2))
    return {"search": part}, {"search": (part,)}


def _listed(query: dict[str, Any], asked: RepoFilter) -> Question:
    url = f"/api/models?{urlencode(query, doseq=True)}"
    return Question(url, [search.page_query(asked, ANONYMOUS)])


def _texts(text_of: Callable[[random.Random], str]) -> Iterator[Question]:
    rng = random.Random(11)
    while True:
        text = text_of(rng)
        asked = RepoFilter(text=text, sort=Sort.RELEVANCE)
        page = search.find(asked, ANONYMOUS)
        statements = [
            search.page_query(asked, ANONYMOUS),
            search.count_query(asked, ANONYMOUS, search.TEXT_COUNT_CAP),
            search.highlight_query(text, [repo.id for repo in page.repos]),
        ]
        yield Question(f"/api/v1/search?q={quote(text)}", statements)


def _ask(question: Question) -> None:
    """Through the whole stack of the product but the socket."""
    path, _, query = question.url.partition("?")
    statuses: list[str] = []

    def start_response(
        status: str, _headers: list[tuple[str, str]], _error: Any = None, /
    ) -> Callable[[bytes], object]:
        statuses.append(status)
        return bytes

    body = application(
        {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": path,
            "RAW_URI": question.url,
            "QUERY_STRING": query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "HTTP_HOST": "localhost",
            "wsgi.input": BytesIO(),
            "wsgi.url_scheme": "http",
        },
        start_response,
    )
    answer = b"".join(body)
    if not statuses[0].startswith("200"):
        raise SystemExit(f"{question.url}: {statuses[0]} {answer[:300]!r}")


def _run(question: Question) -> None:
    for query, values in question.statements:
        sql.rows(query, values, prepare=False)


def _word(number: int) -> str:
    """A made-up word; low numbers are the common ones."""
    letters = "bcdfghklmnprstvz"
    vowels = "aeiou"
    text = ""
    for place in range(4):
        text += letters[(number >> (4 * place)) % 16] + vowels[(number + place) % 5]
    return text


_INSERT = """
INSERT INTO hub_repo (kind, namespace_id, name, visibility, gate, discussions_disabled, sdk,
    created_at, last_modified, default_branch, version, next_line, dirty, git_bytes, likes,
    downloads, downloads_all_time, trending)
SELECT 'model', namespace_id, name, visibility, gate, false, '',
    now() - make_interval(secs => number), now(), 'main', 1, 1, false, 0, likes, downloads,
    downloads, trending
FROM made ORDER BY number;
INSERT INTO hub_repocard (repo_id, metadata, body, description, tags, pipeline_tag, library_name,
    parameters, name_grams, search)
SELECT r.id, NULL, m.body, '', m.tags, m.task, 'transformers', m.parameters,
    array_to_tsvector(m.grams),
    setweight(to_tsvector('simple', m.words) || to_tsvector('english', m.words), 'A')
        || setweight(to_tsvector('english', m.body), 'D')
FROM made m JOIN hub_repo r ON r.name = m.name;
DROP TABLE made;
"""
_GIN = """
SELECT indexname, indexdef FROM pg_indexes
WHERE tablename = 'hub_repocard' AND indexdef LIKE '%USING gin%'
"""
_MADE = """
CREATE UNLOGGED TABLE made (number int, namespace_id bigint, name text, visibility text, gate text,
    likes int, downloads bigint, trending float8, body text, tags text[], task text,
    parameters bigint, grams text[], words text)
"""


def _fill(repos: int) -> None:
    rng = random.Random(3)
    owners = Namespace.objects.bulk_create(
        Namespace(name=f"owner-{number}", kind="user") for number in range(OWNERS)
    )
    common = [_word(number) for number in range(WORDS)]
    # As in any language: the n-th word is n times as rare as the first.
    weights = [1 / (number + 1) for number in range(WORDS)]
    with connection.cursor() as cursor:
        cursor.execute(_MADE)
        with cursor.copy("COPY made FROM STDIN") as copy:
            for number in range(repos):
                owner = owners[rng.randrange(OWNERS)]
                name = f"{rng.choice(common)}-{number}"
                full_name = f"{owner.name}/{name}"
                body = " ".join(rng.choices(common, weights, k=CARD_WORDS))
                copy.write_row(
                    (
                        number,
                        owner.pk,
                        name,
                        "private" if rng.random() < 0.1 else "public",
                        rng.choice(["", "", "", "auto"]),
                        int(rng.paretovariate(0.7)) - 1,
                        int(rng.paretovariate(0.5)) - 1,
                        rng.expovariate(1),
                        body,
                        rng.sample(TAGS, 3),
                        rng.choice(TASKS),
                        int(10 ** rng.uniform(6, 11)),
                        trigrams(full_name),
                        plain_words(full_name),
                    )
                )
        # An inverted index is built many times faster than it is kept up row by row.
        cursor.execute(_GIN)
        inverted = cursor.fetchall()
        for name, _definition in inverted:
            cursor.execute(f"DROP INDEX {name}")
        cursor.execute(_INSERT)
        for _name, definition in inverted:
            cursor.execute(definition)
        cursor.execute("ANALYZE")
    print(json.dumps({"repos": repos}))


if __name__ == "__main__":
    main()
