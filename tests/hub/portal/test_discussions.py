"""The pages of discussions and pull requests: what each reader sees there and may do."""

import json
import struct
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from hub.models import Discussion, Repo
from hub.names import EntryPath, RevisionName
from hub.queries.discussions import discussion_of, events_of
from hub.services import comments, discussions, pull_requests, repos
from hub.services.commits import Message, PutFile
from hub.services.repos import RepoSettings
from tests.cast import Cast, signed_in
from tests.hub.portal.conftest import Browse, Put

MOST_QUERIES = 25
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)


def text_of(client: Client, path: str, status: int = 200) -> str:
    response = client.get(path, REQUEST_URI=path)
    assert response.status_code == status, path
    return " ".join(response.content.decode().split())


def send(client: Client, path: str, **values: str) -> Any:
    return client.post(path, values, REQUEST_URI=path)


@pytest.fixture
def talk(cast: Cast, tiny: Repo) -> Discussion:
    return discussions.open_discussion(
        repo=tiny, title="Does it run?", text="On *CPU*, @ada", by=signed_in(cast.cleo)
    )


def proposed(cast: Cast, repo: Repo, files: dict[str, bytes]) -> Discussion:
    return pull_requests.propose(
        repo=repo,
        branch=RevisionName("main"),
        operations=[PutFile(EntryPath.parse(path), raw) for path, raw in files.items()],
        message=Message("A better one", "It weighs less."),
        by=signed_in(cast.cleo),
    )


def test_everybody_reads_and_who_is_signed_in_may_answer(
    browse: Browse, cast: Cast, talk: Discussion
) -> None:
    nobody, ben = (text_of(browse(user), talk.url) for user in (None, cast.ben))

    for page in (nobody, ben):
        assert '<p>On <em>CPU</em>, <a href="/ada"' in page
        assert 'id="' + events_of(talk)[0].public_id in page
    assert "Sign in</a> to comment" in nobody
    assert 'value="comment"' in ben
    assert 'value="closed"' not in ben
    assert "Change the title" not in ben
    assert 'value="closed"' in text_of(browse(cast.cleo), talk.url)
    assert "Edit or hide" in text_of(browse(cast.ada), talk.url)


def test_a_list_shows_what_is_open_and_is_filtered_by_links(
    browse: Browse, cast: Cast, tiny: Repo, talk: Discussion
) -> None:
    proposed(cast, tiny, {"b.txt": b"b\n"})
    discussions.change_status(discussion=talk, status="closed", by=signed_in(cast.ada))
    client = browse(None)

    shown = text_of(client, f"{tiny.url}/discussions")
    closed = text_of(client, f"{tiny.url}/discussions?status=closed")
    of_ben = text_of(client, f"{tiny.url}/discussions?author=ben&status=all")

    assert "A better one" in shown
    assert "Does it run?" not in shown
    assert "1 open, 1 closed" in shown
    assert "Does it run?" in closed
    assert "Nothing here" in of_ben
    assert "status=all&amp;author=ben" in of_ben
    for wrong in ("status=new", "type=x", "p=-1", "p=x"):
        text_of(client, f"{tiny.url}/discussions?{wrong}", 400)


def test_a_discussion_is_begun_talked_in_and_closed(browse: Browse, cast: Cast, tiny: Repo) -> None:
    cleo, ada = browse(cast.cleo), browse(cast.ada)
    new = f"{tiny.url}/discussions/new"

    begun = send(cleo, new, action="discussion", title="Does it run?", text="")
    send(ada, begun["Location"], action="comment", text="It does.")
    send(cleo, begun["Location"], action="title", title="It runs")
    send(cleo, begun["Location"], action="closed", text="Thank you.")

    found = discussion_of(tiny, 1)
    assert begun["Location"] == found.url
    assert (found.title, found.status, found.n_comments) == ("It runs", "closed", 2)
    assert "It runs" in text_of(ada, found.url)


def test_what_was_typed_wrongly_is_said_where_it_was_typed(
    browse: Browse, cast: Cast, tiny: Repo, talk: Discussion
) -> None:
    cleo, ben = browse(cast.cleo), browse(cast.ben)
    new = f"{tiny.url}/discussions/new"

    answers = {
        "no title": send(cleo, new, action="discussion", title=" ", text="x"),
        "long": send(cleo, new, action="discussion", title="x" * 201, text=""),
        "empty": send(cleo, talk.url, action="comment", text=""),
        "same": send(cleo, talk.url, action="title", title=talk.title),
        "not mine": send(ben, talk.url, action="closed", text=""),
    }

    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(
        answers, 422
    )
    assert "That is the title already." in answers["same"].content.decode()
    assert "do not have the rights" in answers["not mine"].content.decode()
    assert send(cleo, talk.url, action="burn").status_code == 400
    assert send(cleo, new, title="x").status_code == 400
    assert Discussion.objects.count() == 1


def test_a_comment_is_edited_by_its_author_and_hidden_by_the_owner(
    browse: Browse, cast: Cast, tiny: Repo, talk: Discussion
) -> None:
    comment = f"{talk.url}/comment/{events_of(talk)[0].public_id}"
    cleo, ada, ben = browse(cast.cleo), browse(cast.ada), browse(cast.ben)

    assert "Edit your comment" in text_of(cleo, comment)
    assert "Edit your comment" not in text_of(ada, comment)
    text_of(ben, comment, 403)
    send(cleo, comment, action="edit", text="On TPU?")
    assert "On TPU?" in text_of(ben, talk.url)
    assert "(edited)" in text_of(ben, talk.url)
    assert send(ada, comment, action="edit", text="mine").status_code == 422
    assert send(ben, comment, action="hide").status_code == 403
    send(ada, comment, action="hide")
    page = text_of(ben, talk.url)
    assert "This comment has been hidden." in page
    assert "TPU" not in page
    text_of(cleo, f"{talk.url}/comment/{'0' * 24}", 404)


def test_a_pull_request_says_how_it_stands_and_is_merged_by_its_owner(
    browse: Browse, cast: Cast, tiny: Repo
) -> None:
    made = proposed(cast, tiny, {"b.txt": b"b\n"})
    cleo, ada = browse(cast.cleo), browse(cast.ada)
    head = bytes(made.head or b"").hex()

    seen = text_of(ada, made.url)

    assert "No conflicts with main" in seen
    assert f'name="head" value="{head}"' in seen
    assert 'value="merge"' in seen
    assert 'value="merge"' not in text_of(cleo, made.url)
    assert "git push origin pr/1:refs/pr/1" in text_of(cleo, made.url)
    assert "git push" not in text_of(browse(cast.ben), made.url)
    assert send(cleo, made.url, action="merge", text="").status_code == 422
    stale = send(ada, made.url, action="merge", text="", head="1" * 40)
    assert "changed since you looked" in stale.content.decode()
    assert send(ada, made.url, action="merge", text="Thanks", head=head).status_code == 302
    assert "Merged" in text_of(cleo, made.url)
    assert "b.txt" in text_of(cleo, f"{tiny.url}/tree/main")


def test_conflicts_are_listed_and_there_is_no_button(
    browse: Browse, cast: Cast, tiny: Repo, put: Put
) -> None:
    made = proposed(cast, tiny, {"config.json": b'{"model_type": "albert"}\n'})
    put(tiny, {"config.json": b'{"model_type": "gpt2"}\n'})

    page = text_of(browse(cast.ada), made.url)

    assert "Conflicts with main" in page
    assert "<code>config.json</code>" in page
    assert 'value="merge"' not in page


def test_an_empty_pull_request_is_a_draft_that_is_made_ready(
    browse: Browse, cast: Cast, tiny: Repo
) -> None:
    cleo = browse(cast.cleo)
    new = f"{tiny.url}/discussions/new"

    begun = send(cleo, new, action="pull_request", title="Soon", text="")

    assert "This is a draft" in text_of(cleo, begun["Location"])
    send(cleo, begun["Location"], action="open", text="")
    assert discussion_of(tiny, 1).status == "open"
    assert "Nothing to merge yet" in text_of(cleo, begun["Location"])


def weights(shape: list[int], name: str = "w") -> bytes:
    size = 2 * shape[0] * shape[1]
    tensor = {"dtype": "F16", "shape": shape, "data_offsets": [0, size]}
    header = json.dumps({name: tensor}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(size)


def test_files_show_lines_tensors_and_pictures_side_by_side(
    browse: Browse, cast: Cast, tiny: Repo, put: Put
) -> None:
    base = put(tiny, {"model.safetensors": weights([8, 8]), "img/a.png": PNG}).hex()
    files = {
        "config.json": b'{"model_type": "albert"}\n',
        "model.safetensors": weights([8, 4]),
        "img/a.png": PNG + b"\0",
        "img/new.png": PNG,
        "same.safetensors": weights([2, 2]),
        "bad.safetensors": b"no weights",
    }
    made = proposed(cast, tiny, files)
    head = bytes(made.head or b"").hex()

    page = text_of(browse(None), f"{made.url}/files")

    assert "6 files changed" in page
    assert "albert" in page
    assert "<code>F16 8 \N{MULTIPLICATION SIGN} 8</code>" in page
    assert "<code>F16 8 \N{MULTIPLICATION SIGN} 4</code>" in page
    assert f'src="{tiny.url}/resolve/{base}/img/a.png"' in page
    assert f'src="{tiny.url}/resolve/{head}/img/a.png"' in page
    assert f"/resolve/{base}/img/new.png" not in page
    assert "not there" in page
    merged = pull_requests.merge_pull_request(discussion=made, by=signed_in(cast.ada))
    assert "6 files changed" in text_of(browse(None), f"{merged.url}/files")


def test_a_discussion_has_no_files(browse: Browse, talk: Discussion) -> None:
    text_of(browse(None), f"{talk.url}/files", 404)


@pytest.mark.parametrize("num", ["0", "99", "x", "-1", "9" * 30])
def test_what_no_discussion_is_called_is_not_found(browse: Browse, tiny: Repo, num: str) -> None:
    text_of(browse(None), f"{tiny.url}/discussions/{num}", 404)


def test_discussions_of_a_hidden_repo_are_as_if_they_were_not(browse: Browse, cast: Cast) -> None:
    repo = cast.repo("ada/secret", private=True)
    made = discussions.open_discussion(repo=repo, title="Hi", text="", by=signed_in(cast.ada))
    cleo = browse(cast.cleo)

    for path in ("", "/new", "/1", "/1/files"):
        hidden = cleo.get(f"{repo.url}/discussions{path}")
        missing = cleo.get(f"/ada/nothing/discussions{path}")
        assert hidden.status_code == missing.status_code == 404
    assert send(cleo, made.url, action="comment", text="x").status_code == 404


def test_what_a_gated_repo_holds_is_not_shown_by_its_pull_requests(
    browse: Browse, cast: Cast, tiny: Repo
) -> None:
    made = proposed(cast, tiny, {"config.json": b"secret\n"})
    settings = RepoSettings(gate="manual")
    repos.change_settings(repo=tiny, settings=settings, by=signed_in(cast.ada))

    assert "A better one" in text_of(browse(cast.cleo), made.url)
    assert browse(cast.cleo).get(f"{made.url}/files")["Location"] == f"{tiny.url}#gate"
    assert "config.json" not in text_of(browse(cast.cleo), made.url)


def test_where_discussions_are_disabled_there_is_no_tab_and_no_form(
    browse: Browse, cast: Cast, tiny: Repo, talk: Discussion
) -> None:
    settings = RepoSettings(discussions_disabled=True)
    repos.change_settings(repo=tiny, settings=settings, by=signed_in(cast.ada))
    cleo = browse(cast.cleo)

    assert "Community" not in text_of(cleo, tiny.url)
    assert 'value="comment"' not in text_of(cleo, talk.url)
    answer = send(cleo, talk.url, action="comment", text="x")
    assert "disabled" in answer.content.decode()


def test_pages_ask_the_database_a_bounded_number_of_times(
    browse: Browse,
    cast: Cast,
    tiny: Repo,
    talk: Discussion,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    made = proposed(cast, tiny, {f"{n}.txt": b"x\n" for n in range(30)})
    for _n in range(20):
        comments.comment(discussion=talk, text="more", by=signed_in(cast.ben))
    client = browse(cast.ada)

    for path in (f"{tiny.url}/discussions", talk.url, made.url, f"{made.url}/files"):
        with django_assert_max_num_queries(MOST_QUERIES):
            text_of(client, path)


def test_a_comment_shows_what_is_attached_and_gets_reactions_and_a_pin(
    browse: Browse, cast: Cast, talk: Discussion
) -> None:
    client = browse(cast.ada)
    png = SimpleUploadedFile("a [b].png", b"\x89PNG\r\n\x1a\n", "image/png")
    page = SimpleUploadedFile("a.png", b"<html>", "image/png")

    said = client.post(talk.url, {"action": "comment", "text": "", "attached": png})
    refused = client.post(talk.url, {"action": "comment", "text": "x", "attached": page})
    comment = events_of(talk)[-1]
    reaction = f"{talk.url}/comment/{comment.public_id}/reaction"
    client.post(reaction, {"react": "🚀"})
    client.post(talk.url, {"action": "pin"})

    assert (said.status_code, refused.status_code) == (302, 422)
    assert "is not what image/png looks like" in refused.content.decode()
    shown = text_of(client, talk.url)
    assert 'alt="a b .png"' in shown
    assert 'name="take_back" value="🚀"' in shown
    assert "Pin no longer" in shown
    assert 'name="react"' not in text_of(browse(None), talk.url)
    client.post(reaction, {"take_back": "🚀"})
    assert 'name="take_back"' not in text_of(client, talk.url)
    assert client.post(reaction, {"react": "x"}).status_code == 400
