"""What strangers learn of a page that is not for them: nothing."""

import re

import pytest
from django.test import Client

from hub.models import Repo
from tests.cast import Cast
from tests.hub.portal.conftest import Browse

PAGES = [
    "/{name}",
    "/{name}/tree/main",
    "/{name}/tree/main/docs",
    "/{name}/blob/main/README.md",
    "/{name}/commits/main",
    "/{name}/commit/0123456789012345678901234567890123456789",
    "/{name}/settings",
]


def page(client: Client, path: str, name: str) -> tuple[int, str]:
    """The page with its own address and its CSRF token, which differ each time, left out."""
    response = client.get(path.format(name=name))
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.content.decode())
    return response.status_code, text.replace(name, "NAME")


@pytest.mark.parametrize("path", PAGES)
def test_a_hidden_repo_reads_like_a_missing_one(browse: Browse, cast: Cast, path: str) -> None:
    cast.repo("ada/secret", private=True)

    for reader in (None, cast.cleo):
        hidden = page(browse(reader), path, "ada/secret")
        missing = page(browse(reader), path, "ada/nothin")

        assert hidden == missing
        assert hidden[0] == 404


def test_a_stranger_who_is_signed_out_is_offered_to_sign_in(browse: Browse, cast: Cast) -> None:
    cast.repo("ada/secret", private=True)

    assert 'href="/login"' in browse(None).get("/ada/secret").content.decode()


@pytest.mark.parametrize("path", PAGES[:5])
def test_its_owner_reads_a_private_repo(browse: Browse, cast: Cast, tiny: Repo, path: str) -> None:
    Repo.objects.filter(pk=tiny.pk).update(visibility="private")

    assert browse(cast.ada).get(path.format(name="ada/tiny")).status_code == 200
    assert browse(None).get(path.format(name="ada/tiny")).status_code == 404


def test_a_private_repo_is_on_no_list_that_a_stranger_reads(browse: Browse, cast: Cast) -> None:
    cast.repo("ada/secret", private=True)

    for path in ("/", "/models", "/ada", "/search?q=secret", "/models?search=secret"):
        assert "ada/secret" not in browse(cast.cleo).get(path).content.decode()
        assert "secret" in browse(cast.ada).get(path).content.decode()


def test_a_gated_repo_shows_its_card_and_keeps_its_files(
    browse: Browse, cast: Cast, tiny: Repo
) -> None:
    Repo.objects.filter(pk=tiny.pk).update(gate="manual")
    stranger = browse(cast.cleo)

    assert stranger.get("/ada/tiny").status_code == 200
    answer = stranger.get("/ada/tiny/tree/main")
    assert (answer.status_code, answer["Location"]) == (302, "/ada/tiny#gate")


def test_settings_are_for_those_who_manage_the_repo(browse: Browse, cast: Cast, tiny: Repo) -> None:
    assert browse(cast.ada).get("/ada/tiny/settings").status_code == 200
    assert browse(cast.cleo).get("/ada/tiny/settings").status_code == 403
    assert browse(None).get("/ada/tiny/settings")["Location"] == "/login?next=/ada/tiny/settings"


def test_an_old_name_leads_to_the_new_one(browse: Browse, cast: Cast, tiny: Repo) -> None:
    owner = browse(cast.ada)
    form = {"action": "rename", "owner": "ada", "name": "small"}

    moved = owner.post("/ada/tiny/settings", form)
    followed = browse(None).get("/ada/tiny/tree/main?after=0")

    assert moved["Location"] == "/ada/small/settings"
    assert (followed.status_code, followed["Location"]) == (307, "/ada/small/tree/main?after=0")


@pytest.mark.parametrize(
    "path", ["/ada/tiny/like", "/ada/tiny/settings", "/new", "/settings/theme", "/logout"]
)
def test_a_form_without_its_token_changes_nothing(cast: Cast, tiny: Repo, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.ada)

    refused = client.post(path, {"action": "delete", "confirmation": "ada/tiny", "name": "new"})

    assert refused.status_code == 403
    assert "out of date" in refused.content.decode()
    assert list(Repo.objects.values_list("name", "likes")) == [("tiny", 0)]


@pytest.mark.parametrize(
    "path",
    [
        "/nobody",
        "/ada/tiny/tree/..%2F",
        "/ada/tiny/tree/main/%2E%2E/x",
        "/ada/tiny/blob/main/no/such.txt",
        "/ada/tiny/blob/main/%FF",
        "/ada/tiny/commit/zzz",
        "/ada/tiny/commits/main?after=zzz",
        "/datasets/ada/tiny",
        "/settings",
    ],
)
def test_what_cannot_be_there_is_a_page_that_says_so(browse: Browse, tiny: Repo, path: str) -> None:
    response = browse(None).get(path, REQUEST_URI=path)

    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()


def test_a_nul_in_an_address_is_refused_with_a_page(browse: Browse) -> None:
    for path in ("/%00", "/search?q=%00"):
        response = browse(None).get(path, REQUEST_URI=path)

        assert response.status_code == 400
        assert "That does not add up" in response.content.decode()


def test_a_bad_cursor_is_refused_with_a_page(browse: Browse) -> None:
    response = browse(None).get("/models?cursor=zzz")

    assert response.status_code == 400
    assert "cursor" in response.content.decode()
