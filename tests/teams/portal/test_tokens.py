"""Pages of access tokens: make, list and revoke them; say which reach an organisation."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from hub.models import Repo
from hub.policies import can
from teams.models import AccessToken, AuditEntry, User
from teams.policies import Principal
from teams.queries import token_by_secret
from teams.roles import Action
from teams.services import tokens
from teams.services.tokens import Wish
from tests.cast import Cast

pytestmark = pytest.mark.django_db

FINE = "/settings/tokens/fine-grained"


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def secret_in(answer: Any) -> str:
    found = re.search(r"wh_\w{47}", answer.content.decode())
    assert found, answer.content.decode()[:2000]
    return found[0]


def shown(answer: Any) -> Principal:
    token = token_by_secret(secret_in(answer))
    assert token is not None
    return Principal.by_token(token)


def test_a_fine_grained_token_is_for_what_was_ticked(cast: Cast) -> None:
    secret, other = cast.repo("ada/secret", private=True), cast.repo("acme/other", private=True)
    sent = {
        "name": "ci",
        "life": "30",
        "picked": str(secret.pk),
        "named": "acme/other",
        "repos": "repo.content.read",
        "everywhere": "discussion.write",
    }

    made = shown(browser(cast.ada).post(FINE, sent))
    listed = browser(cast.ada).get("/settings/tokens").content.decode()

    assert made.token is not None
    assert made.token.expires_at is not None
    for repo in (secret, other):
        assert can(made, Action.REPO_READ, repo)
        assert not can(made, Action.REPO_WRITE, repo)
    assert not can(made, Action.REPO_SEE, cast.repo("ada/third", private=True))
    assert "ada/secret: repo.content.read" in re.sub(r"\s+", " ", listed)


def test_a_token_for_an_organisation_reaches_what_it_owns(cast: Cast) -> None:
    repo = cast.repo("acme/secret", private=True)
    sent = {"name": "org", "life": "", f"org{cast.acme.pk}": "repo.write"}

    made = shown(browser(cast.ben).post(FINE, sent))

    assert can(made, Action.REPO_MANAGE, repo)


@pytest.mark.parametrize(
    "sent",
    [
        {"name": "", "life": "7"},
        {"name": "x", "life": "8"},
        {"name": "x", "own": "repo.everything"},
        {"name": "x", "named": "ada/secret", "repos": "repo.write"},
        {"name": "x", "named": "ada/none", "repos": "repo.write"},
        {"name": "x", "named": "../..", "repos": "repo.write"},
        {"name": "x", "repos": "repo.write"},
        {"name": "x", "picked": "1", "repos": "repo.write"},
    ],
)
def test_what_makes_no_sense_makes_no_token(cast: Cast, sent: dict[str, str]) -> None:
    cast.repo("ada/secret", private=True)

    answer = browser(cast.cleo).post(FINE, sent)

    assert answer.status_code == 422
    assert not AccessToken.objects.exists()


def test_hidden_and_missing_repos_are_refused_alike(cast: Cast) -> None:
    cast.repo("ada/secret", private=True)

    pages = [
        browser(cast.cleo).post(FINE, {"name": "x", "named": name, "repos": "repo.write"})
        for name in ("ada/secret", "ada/absent")
    ]

    texts = [page.content.decode().split("errorlist")[1][:200] for page in pages]
    assert texts[0].replace("ada/secret", "ada/absent") == texts[1]


def test_an_admin_says_which_tokens_reach_the_organisation(cast: Cast) -> None:
    repo, url = cast.repo("acme/secret", private=True), "/orgs/acme/settings/tokens"
    sent = {"name": "of ben", "life": "7", f"org{cast.acme.pk}": "repo.content.read"}
    secret = secret_in(browser(cast.ben).post(FINE, sent))
    ada = browser(cast.ada)
    assert reads(secret, repo)

    ada.post(url, {"takes": "approved"})
    waiting, page = reads(secret, repo), ada.get(url).content.decode()
    number = re.search(r'name="approve"\s+value="(\d+)"', page)
    assert number, page
    ada.post(url, {"approve": number[1]})
    approved = reads(secret, repo)
    ada.post(url, {"deny": number[1]})

    assert "pending" in page
    assert (waiting, approved, reads(secret, repo)) == (False, True, False)
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert actions >= {
        "token.create",
        "org.token_policy",
        "org.token_approval.approved",
        "org.token_approval.denied",
    }


def reads(secret: str, repo: Repo) -> bool:
    token = token_by_secret(secret)
    assert token is not None
    return can(Principal.by_token(token), Action.REPO_READ, repo)


def test_others_see_and_say_nothing_of_it(cast: Cast) -> None:
    url = "/orgs/acme/settings/tokens"

    for user in (cast.ben, cast.cleo):
        assert browser(user).get(url).status_code == 403
        assert browser(user).post(url, {"takes": "any"}).status_code == 403
        assert browser(user).post(url, {"approve": "1"}).status_code in {403, 404}
    assert browser(cast.ada).post(url, {"takes": "all"}).status_code == 400
    assert browser(cast.ada).post(url, {"approve": "999"}).status_code == 404
    assert browser(cast.ada).post(url, {}).status_code == 400


def test_a_stranger_who_names_what_is_public_is_no_business_of_the_organisation(cast: Cast) -> None:
    cast.repo("acme/tiny")
    sent = {"name": "of cleo", "named": "acme/tiny", "repos": "repo.content.read"}

    secret_in(browser(cast.cleo).post(FINE, sent))

    assert "of cleo" not in browser(cast.ada).get("/orgs/acme/settings/tokens").content.decode()
    told = AuditEntry.objects.filter(action="token.create")
    assert [entry.chain for entry in told] == [cast.cleo.namespace_id]


def test_tokens_of_jobs_leave_the_page_when_they_end(cast: Cast) -> None:
    for origin in ("job", "oidc", ""):
        wish = Wish(name=f"ended {origin}", origin=origin, lasts=timedelta(hours=1))
        tokens.issue_as(wish, user=cast.ada)
    AccessToken.objects.update(expires_at=timezone.now())

    page = browser(cast.ada).get("/settings/tokens").content.decode()

    assert re.findall(r"ended \w*", page)[:1] == ["ended "]
    assert "ended job" not in page
    assert "ended oidc" not in page


def test_nobody_gathers_tokens_without_end(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MOST_TOKENS", 1)
    sent = {"name": "laptop", "role": "read"}
    ada = browser(cast.ada)

    assert [ada.post("/settings/tokens", sent).status_code for _ in range(2)] == [200, 422]
    tokens.issue_as(Wish(name="job", origin="job"), user=cast.ada)

    assert AccessToken.objects.count() == 2
