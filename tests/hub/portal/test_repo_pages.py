"""The pages of one repo: card, files, history."""

import json
import struct

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from hub.models import Repo, sql
from hub.names import RevisionName
from hub.queries import history
from hub.services import refs
from tests.cast import Cast
from tests.hub.portal.conftest import Browse, Put

MOST_QUERIES = 25


def text_of(client: Client, path: str) -> str:
    # A server hands over the target undecoded, so that %2F stays what it is.
    response = client.get(path, REQUEST_URI=path)
    assert response.status_code == 200, path
    return response.content.decode()


def test_the_card_is_rendered_and_its_links_lead_into_the_repo(browse: Browse, tiny: Repo) -> None:
    page = text_of(browse(None), "/ada/tiny")

    assert '<h1 id="card-tiny">Tiny</h1>' in page
    assert '<a href="/ada/tiny/blob/main/config.json"' in page
    assert '<a href="#card-use">Use</a>' in page


def test_the_card_page_shows_how_to_use_the_repo_here(browse: Browse, tiny: Repo) -> None:
    page = text_of(browse(None), "/ada/tiny")

    assert "http://testserver" in page
    assert "pipeline(&quot;text-classification&quot;, model=&quot;ada/tiny&quot;)" in page
    assert "hf download ada/tiny" in page


def test_the_card_page_says_licence_and_language(browse: Browse, tiny: Repo) -> None:
    page = text_of(browse(None), "/ada/tiny")

    assert '<a href="/models?license=mit">MIT</a>' in page
    assert '<a href="/models?language=en">English</a>' in page


def test_a_card_links_only_repos_that_its_reader_may_see(
    browse: Browse, cast: Cast, put: Put
) -> None:
    cast.repo("ada/base", private=True)
    put(cast.repo("ben/tuned"), {"README.md": b"---\nbase_model: ada/base\n---\nTuned.\n"})

    assert '<a href="/ada/base">ada/base</a>' in text_of(browse(cast.ada), "/ben/tuned")
    assert '<a href="/ada/base">' not in text_of(browse(None), "/ben/tuned")


def test_a_new_repo_tells_its_owner_how_to_fill_it(browse: Browse, cast: Cast) -> None:
    cast.repo("ada/empty")

    assert "hf upload ada/empty ." in text_of(browse(cast.ada), "/ada/empty")
    assert "hf upload" not in text_of(browse(cast.cleo), "/ada/empty")


def test_a_card_that_is_too_long_is_shown_as_it_was_written(
    browse: Browse, cast: Cast, put: Put
) -> None:
    put(cast.repo("ada/long"), {"README.md": b"# Long\n\n<b>x</b>" + b"y " * 600_000})

    page = text_of(browse(None), "/ada/long")

    assert "<pre># Long\n\n&lt;b&gt;x" in page
    assert len(page) < 1_200_000


def test_a_folder_lists_folders_first_each_with_its_last_commit(
    browse: Browse, tiny: Repo, put: Put
) -> None:
    put(tiny, {"docs/notes.txt": b"three\n"}, "Rewrite the notes")

    page = text_of(browse(None), "/ada/tiny/tree/main")

    assert page.index("/tree/main/docs") < page.index("/blob/main/.gitattributes")
    assert page.count("Rewrite the notes") >= 2


def test_a_folder_shows_its_own_readme(browse: Browse, tiny: Repo) -> None:
    page = text_of(browse(None), "/ada/tiny/tree/main/docs")

    assert '<h1 id="card-docs">Docs</h1>' in page
    assert 'href="/ada/tiny/blob/main/docs/notes.txt"' in page


def test_a_revision_with_a_slash_is_one_segment_of_every_link(browse: Browse, tiny: Repo) -> None:
    head = history.resolve(tiny, RevisionName("main"))
    refs.create_branch(repo=tiny, branch=RevisionName("try/wide"), start=head, by=None)

    page = text_of(browse(None), "/ada/tiny/tree/try%2Fwide/docs")

    assert 'href="/ada/tiny/blob/try%2Fwide/docs/notes.txt"' in page
    assert 'href="/ada/tiny/tree/main/docs"' in page


def test_a_folder_asked_for_as_a_file_leads_to_the_folder(browse: Browse, tiny: Repo) -> None:
    folder = browse(None).get("/ada/tiny/blob/main/docs")
    file = browse(None).get("/ada/tiny/tree/main/config.json")

    assert folder["Location"] == "/ada/tiny/tree/main/docs"
    assert file["Location"] == "/ada/tiny/blob/main/config.json"


def test_a_large_folder_comes_in_pages(
    browse: Browse, cast: Cast, put: Put, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    put(cast.repo("ada/many"), {f"part-{number:04d}.txt": b"x" for number in range(255)})

    with django_assert_max_num_queries(MOST_QUERIES):
        first = text_of(browse(None), "/ada/many/tree/main")
    second = text_of(browse(None), "/ada/many/tree/main?after=250")

    assert 'href="/ada/many/tree/main?after=250"' in first
    assert ("part-0248.txt" in first, "part-0254.txt" in first) == (True, False)
    assert ("part-0248.txt" in second, "part-0254.txt" in second) == (False, True)


def test_a_text_is_shown_with_numbered_lines(browse: Browse, tiny: Repo) -> None:
    page = text_of(browse(None), "/ada/tiny/blob/main/docs/notes.txt")

    assert 'id="L2"' in page
    assert "<code>two</code>" in page


@pytest.mark.parametrize("raw", [b"\x00\x01", b"\xff\xfe", b"x" * 600_000, b"\n" * 30_000])
def test_what_is_no_short_text_is_offered_to_download(
    browse: Browse, cast: Cast, put: Put, raw: bytes
) -> None:
    put(cast.repo("ada/odd"), {"file.dat": raw})

    page = text_of(browse(None), "/ada/odd/blob/main/file.dat")

    assert "no text, or too long" in page
    assert "/ada/odd/resolve/main/file.dat?download=true" in page


def test_a_safetensors_file_shows_its_tensors(browse: Browse, cast: Cast, put: Put) -> None:
    header = json.dumps({"w": {"dtype": "F16", "shape": [2, 3], "data_offsets": [0, 12]}}).encode()
    put(
        cast.repo("ada/weights"),
        {"m.safetensors": struct.pack("<Q", len(header)) + header + bytes(12)},
    )

    page = text_of(browse(None), "/ada/weights/blob/main/m.safetensors")

    assert "2 \N{MULTIPLICATION SIGN} 3" in page
    assert "F16" in page


def test_a_broken_safetensors_file_has_a_page_too(browse: Browse, cast: Cast, put: Put) -> None:
    put(cast.repo("ada/weights"), {"m.safetensors": b"\xff" * 20})

    assert "no text" in text_of(browse(None), "/ada/weights/blob/main/m.safetensors")


def test_a_picture_is_shown_from_where_its_bytes_are(browse: Browse, cast: Cast, put: Put) -> None:
    put(cast.repo("ada/art"), {"a b.png": b"\x89PNG"})

    page = text_of(browse(None), "/ada/art/blob/main/a%20b.png")

    assert '<img src="/ada/art/resolve/main/a%20b.png"' in page


def test_the_history_of_a_path_lists_what_changed_it(browse: Browse, tiny: Repo, put: Put) -> None:
    put(tiny, {"config.json": b"{}\n"}, "Empty the config")

    config = text_of(browse(None), "/ada/tiny/commits/main/config.json")
    notes = text_of(browse(None), "/ada/tiny/commits/main/docs/notes.txt")

    assert "Empty the config" in config
    assert "Empty the config" not in notes


def test_a_long_history_comes_in_pages_without_gap_or_overlap(
    browse: Browse, cast: Cast, put: Put
) -> None:
    repo = cast.repo("ada/long")
    for number in range(60):
        put(repo, {"n.txt": str(number).encode()}, f"Round {number:02d}.")

    first = text_of(browse(None), "/ada/long/commits/main/n.txt")
    link = first.partition('rel="next"')[2].partition('href="')[2].partition('"')[0]
    second = text_of(browse(None), link)

    assert [f"Round {number:02d}." in first for number in (59, 10, 9)] == [True, True, False]
    assert [f"Round {number:02d}." in second for number in (10, 9, 0)] == [False, True, True]


def test_a_commit_shows_what_it_changed(browse: Browse, tiny: Repo, put: Put) -> None:
    oid = put(tiny, {"docs/notes.txt": b"one\n2\n"}, "Count\n\nNumbers are shorter.")

    page = text_of(browse(None), f"/ada/tiny/commit/{oid.hex()}")

    assert "Numbers are shorter." in page
    assert "<td>two</td>" in page
    assert "<td>2</td>" in page
    assert "1 file changed" in page


def test_a_commit_of_many_files_shows_the_first_ones(
    browse: Browse, cast: Cast, put: Put, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    oid = put(cast.repo("ada/many"), {f"{number}.txt": b"x\n" for number in range(300)})

    with django_assert_max_num_queries(MOST_QUERIES):
        page = text_of(browse(None), f"/ada/many/commit/{oid.hex()}")

    assert "300 files changed" in page
    assert "And 100 more" in page


def test_a_like_is_counted_once_and_taken_back(browse: Browse, cast: Cast, tiny: Repo) -> None:
    fan = browse(cast.cleo)

    for wish, likes in (("yes", 1), ("yes", 1), ("no", 0)):
        assert fan.post("/ada/tiny/like", {"liked": wish})["Location"] == "/ada/tiny"
        assert Repo.objects.get(pk=tiny.pk).likes == likes


@pytest.mark.parametrize(
    "path",
    [
        "/ada/tiny",
        "/ada/tiny/tree/main",
        "/ada/tiny/tree/main/docs",
        "/ada/tiny/blob/main/config.json",
        "/ada/tiny/commits/main",
        "/ada/tiny/commits/main/docs",
        "/ada/tiny/settings",
    ],
)
def test_a_page_takes_few_queries(
    browse: Browse,
    cast: Cast,
    tiny: Repo,
    path: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    reader = browse(cast.ada)

    with django_assert_max_num_queries(MOST_QUERIES):
        text_of(reader, path)


EVIL = "<script>alert(1)</script>"
ATTRIBUTE = '"><img src=x onerror=alert(2)>'


def test_nothing_that_a_stranger_wrote_becomes_markup(browse: Browse, cast: Cast, put: Put) -> None:
    repo = cast.repo("ada/evil")
    files = {
        f"{ATTRIBUTE}.txt": EVIL.encode(),
        f"{ATTRIBUTE}/README.md": f"# {EVIL}{ATTRIBUTE}\n[x](javascript:alert(3))".encode(),
        "README.md": f"---\nlicense: '{EVIL}'\ntags: ['{EVIL}']\n---\n{EVIL}{ATTRIBUTE}".encode(),
    }
    oid = put(repo, files, f"{EVIL}{ATTRIBUTE}\n\n{EVIL}")
    sql.run("UPDATE hub_repocard SET description = %s", [EVIL + ATTRIBUTE])
    folder = "%22%3E%3Cimg%20src=x%20onerror=alert(2)%3E"
    paths = [
        "/ada/evil",
        "/ada/evil/tree/main",
        f"/ada/evil/tree/main/{folder}",
        f"/ada/evil/blob/main/{folder}.txt",
        f"/ada/evil/commits/main/{folder}.txt",
        f"/ada/evil/commit/{oid.hex()}",
        "/models",
        f"/models?other={folder}&search={folder}",
        f"/search?q=alert{folder}",
        "/search?q=alert",
        "/ada",
        "/",
    ]
    for path in paths:
        page = text_of(browse(cast.ada), path)

        assert "<script>alert" not in page, path
        assert "<img src=x" not in page, path
        assert "onerror=alert(2)>" not in page, path
        assert 'href="javascript:' not in page, path
