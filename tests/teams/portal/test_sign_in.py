"""Sign in by password and by link, tokens, passwords, theme."""

from http import HTTPStatus

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from teams.http import address
from teams.models import AccessToken, User
from teams.queries import user_named
from teams.services import accounts, passwords, tokens
from teams.services.passwords import MAX_FAILURES
from tests.cast import Cast

SECRET = "harbour-ink-42"


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()


@pytest.fixture
def browser() -> Client:
    return Client(headers={"Accept": "text/html"})


@pytest.fixture
def ada(cast: Cast) -> User:
    passwords.set_password(user=cast.ada, password=SECRET, by=None)
    return cast.ada


def sign_in(browser: Client, name: str = "ada", password: str = SECRET, **more: str) -> int:
    form = {"username": name, "password": password, **more}
    return browser.post("/login", form).status_code


def is_signed_in(browser: Client) -> bool:
    return browser.get("/settings/tokens").status_code == HTTPStatus.OK


def test_the_right_password_signs_in_and_gives_the_session_a_new_key(
    browser: Client, ada: User
) -> None:
    browser.get("/login")
    session = browser.session
    session["planted"] = True
    session.save()
    before = session.session_key
    browser.cookies["session"] = before or ""

    assert sign_in(browser, "ADA") == 302
    assert browser.session.session_key != before
    assert is_signed_in(browser)


@pytest.mark.parametrize(
    ("name", "password"), [("ada", "wrong"), ("nobody", SECRET), ("cleo", ""), ("cleo", SECRET)]
)
def test_anything_else_is_refused_in_the_same_words(
    browser: Client, ada: User, name: str, password: str
) -> None:
    assert sign_in(browser, name, password) == 422
    assert not is_signed_in(browser)


def test_unknown_names_and_wrong_passwords_read_the_same(browser: Client, ada: User) -> None:
    answers = [
        browser.post("/login", {"username": name, "password": "wrong"}).content.decode()
        for name in ("ada", "xyz")
    ]

    assert all("The name or the password is wrong." in answer for answer in answers)


def test_whoever_guesses_is_slowed_down_and_nobody_else(browser: Client, ada: User) -> None:
    for _attempt in range(passwords.MAX_FAILURES):
        sign_in(browser, "ada", "wrong")

    assert sign_in(browser) == 422
    assert (
        "Too many attempts"
        in browser.post("/login", {"username": "ada", "password": SECRET}).content.decode()
    )
    assert sign_in(Client(REMOTE_ADDR="10.0.0.9")) == 302


@pytest.mark.parametrize(
    ("wanted", "target"),
    [
        ("/new?kind=dataset", "/new?kind=dataset"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_after_signing_in_one_goes_only_to_pages_of_ours(
    browser: Client, ada: User, wanted: str, target: str
) -> None:
    form = {"username": "ada", "password": SECRET, "next": wanted}

    assert browser.post("/login", form)["Location"] == target


def test_signing_out_ends_the_session(browser: Client, ada: User) -> None:
    sign_in(browser)

    browser.post("/logout")

    assert not is_signed_in(browser)
    assert browser.get("/logout").status_code == 405


def test_a_link_that_a_program_previews_still_signs_in_once(browser: Client, cast: Cast) -> None:
    link = accounts.sign_in_link(cast.ada)

    assert browser.get(link).status_code == 200
    assert not is_signed_in(browser)
    assert browser.post(link)["Location"] == "/settings/password"
    assert is_signed_in(browser)


def test_a_link_that_was_used_leads_to_the_sign_in_page(browser: Client, cast: Cast) -> None:
    link = accounts.sign_in_link(cast.ada)
    browser.post(link)
    other = Client()

    for spent in (other.get(link), other.post(link)):
        assert spent["Location"] == "/login"
    assert not is_signed_in(other)
    assert "used already" in other.get("/login").content.decode()


@pytest.mark.parametrize("link", ["/login/link/ada/forged", "/login/link/nobody/c-1"])
def test_a_forged_link_signs_nobody_in(browser: Client, cast: Cast, link: str) -> None:
    browser.post(link)

    assert not is_signed_in(browser)


def test_who_came_by_a_link_sets_a_password_and_uses_it(browser: Client, cast: Cast) -> None:
    browser.post(accounts.sign_in_link(cast.ada))

    done = browser.post("/settings/password", {"new": SECRET, "again": SECRET})

    assert done["Location"] == "/"
    assert is_signed_in(browser)
    assert sign_in(Client()) == 302


def test_a_password_is_changed_by_who_knows_it(browser: Client, ada: User) -> None:
    sign_in(browser)
    form = {"new": "new-harbour-7", "again": "new-harbour-7"}

    assert browser.post("/settings/password", {**form, "old": "wrong"}).status_code == 422
    assert browser.post("/settings/password", form).status_code == 422
    assert browser.post("/settings/password", {**form, "old": SECRET}).status_code == 302
    assert user_named("ada").check_password("new-harbour-7")


def test_a_new_password_ends_the_other_sessions(browser: Client, ada: User) -> None:
    other = Client()
    sign_in(browser)
    sign_in(other)

    browser.post(
        "/settings/password", {"old": SECRET, "new": "new-harbour-7", "again": "new-harbour-7"}
    )

    assert is_signed_in(browser)
    assert not is_signed_in(other)


@pytest.mark.parametrize(("new", "again"), [("short", "short"), (SECRET + "x", SECRET + "y")])
def test_a_bad_password_is_refused_on_the_form(
    browser: Client, cast: Cast, new: str, again: str
) -> None:
    browser.post(accounts.sign_in_link(cast.ada))

    assert browser.post("/settings/password", {"new": new, "again": again}).status_code == 422


def test_the_secret_of_a_token_is_shown_once_and_works(browser: Client, ada: User) -> None:
    sign_in(browser)

    made = browser.post("/settings/tokens", {"name": "laptop", "role": "write"}).content.decode()
    secret = next(word for word in made.replace('"', " ").split() if tokens.is_well_formed(word))

    assert secret not in browser.get("/settings/tokens").content.decode()
    answer = Client().get("/api/whoami-v2", headers={"Authorization": f"Bearer {secret}"})
    assert answer.json()["name"] == "ada"


def test_a_revoked_token_is_gone_from_the_page_and_dead(browser: Client, ada: User) -> None:
    token, _secret = tokens.issue(user=ada, name="laptop")
    sign_in(browser)

    browser.post(f"/settings/tokens/{token.pk}/revoke")

    assert "laptop</th>" not in browser.get("/settings/tokens").content.decode()
    assert AccessToken.objects.get(pk=token.pk).revoked_at is not None


def test_nobody_revokes_the_token_of_another(browser: Client, cast: Cast, ada: User) -> None:
    token, _secret = tokens.issue(user=cast.cleo, name="hers")
    sign_in(browser)

    assert browser.post(f"/settings/tokens/{token.pk}/revoke").status_code == 404
    assert AccessToken.objects.get(pk=token.pk).revoked_at is None


def test_pages_of_an_account_are_kept_by_no_cache(browser: Client, ada: User) -> None:
    sign_in(browser)

    for path in ("/settings/tokens", "/settings/password", "/login"):
        assert "no-store" in browser.get(path)["Cache-Control"]


def test_a_theme_is_remembered_and_shown_from_the_first_byte(browser: Client, cast: Cast) -> None:
    browser.post("/settings/theme", {"theme": "dark", "next": "/models?sort=likes"})
    page = browser.get("/").content.decode()

    assert 'data-theme="dark"' in page
    browser.post("/settings/theme", {"theme": '"><script>'})
    assert 'data-theme="dark"' in browser.get("/").content.decode()


def test_a_forged_theme_cookie_is_not_shown(browser: Client, cast: Cast) -> None:
    browser.cookies["theme"] = "x><script>"

    assert 'data-theme="auto"' in browser.get("/").content.decode()


def test_nobody_behind_the_same_proxy_locks_another_out(
    browser: Client, ada: User, settings: Settings
) -> None:
    settings.TRUSTED_PROXIES = ("127.0.0.1",)
    address._proxies.cache_clear()

    def signs_in(password: str, at: str) -> bool:
        data = {"username": "ada", "password": password}
        headers = {"X-Forwarded-For": at}
        return Client().post("/login", data, headers=headers).status_code == 302

    try:
        assert not any(signs_in("wrong", "198.51.100.1") for _ in range(MAX_FAILURES + 1))
        assert not signs_in(SECRET, "198.51.100.1")
        assert signs_in(SECRET, "198.51.100.2")
    finally:
        address._proxies.cache_clear()
