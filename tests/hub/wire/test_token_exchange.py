"""A CI job shows the identity token of its system, and gets one of ours for one repo."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from hub.models import Repo, SpentIdToken, TrustedPublisher
from hub.services import id_tokens, issuer_keys, publishers
from hub.services.publishers import MAX_PUBLISHERS
from teams.errors import Conflict, Forbidden, Invalid
from teams.models import AccessToken
from tests.cast import Cast, signed_in
from tests.hub.services.issuers import EC_KEY, OTHER_KEY, RSA_KEY, Issuer, issuing, signed
from tests.hub.wire.callers import caller

pytestmark = pytest.mark.django_db
HUB = "http://testserver"
WANTED = {"repository": "acme/ci", "ref": "refs/heads/main"}
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"


@pytest.fixture
def issuer(settings: Settings) -> Iterator[Issuer]:
    with issuing() as issuer:
        settings.WEBHOOK_ALLOW_CIDRS = ("127.0.0.0/8",)
        settings.WEBHOOK_PORTS = frozenset({issuer.port})
        cache.clear()
        yield issuer


@pytest.fixture
def repo(cast: Cast, issuer: Issuer) -> Repo:
    """One that trusts the jobs of acme/ci on main, as Ben says, who may write."""
    repo = cast.repo("acme/tiny")
    publishers.trust(repo=repo, issuer=issuer.url, claims=WANTED, by=signed_in(cast.ben))
    return repo


def exchange(id_token: str, resource: str = "acme/tiny", **more: Any) -> Any:
    body = {
        "grant_type": EXCHANGE,
        "subject_token_type": ID_TOKEN,
        "subject_token": id_token,
        "resource": resource,
        **more,
    }
    return Client().post("/oauth/token", body, content_type="application/json")


def refused(answer: Any, error: str = "invalid_grant") -> bool:
    return (answer.status_code, answer.json()["error"]) == (400, error)


def test_a_job_gets_a_token_that_writes_to_that_repo_for_an_hour(
    cast: Cast, repo: Repo, issuer: Issuer
) -> None:
    cast.repo("acme/other", private=True)

    answer = exchange(issuer.token(HUB))

    told = answer.json()
    assert (answer.status_code, told["token_type"], told["expires_in"]) == (200, "bearer", 3600)
    assert answer["Cache-Control"] == "no-store"
    assert told["access_token"].startswith("wh_oidc_")
    token = AccessToken.objects.get()
    assert (token.user, token.name) == (cast.ben, f"[OIDC] acme/ci at 127.0.0.1:{issuer.port}")
    assert token.expires_at is not None
    assert token.expires_at <= timezone.now() + timedelta(hours=1)

    job = Client(headers={"Authorization": f"Bearer {told['access_token']}"})

    def status(path: str, body: Any = None) -> int:
        return job.post(path, body or {}, content_type="application/json").status_code

    assert status("/api/models/acme/tiny/branch/ci") == 201
    assert status("/api/models/acme/other/branch/ci") == 404
    assert status("/api/repos/create", {"name": "mine", "organization": "acme"}) == 403
    assert job.put("/api/models/acme/tiny/settings", {"private": True}).status_code == 403
    assert job.delete("/api/repos/delete", {"name": "tiny"}).status_code in {400, 403, 404}
    assert Repo.objects.filter(pk=repo.pk, visibility="public").exists()


def test_the_other_algorithm_and_a_form_are_taken_too(repo: Repo, issuer: Issuer) -> None:
    token = signed(issuer.claims(HUB), key=EC_KEY, kid="ec", alg="ES256")

    form = {"grant_type": EXCHANGE, "subject_token": token, "resource": "models/acme/tiny"}
    answer = Client().post(
        "/oauth/token", urlencode(form), content_type="application/x-www-form-urlencoded"
    )

    assert answer.status_code == 200, answer.content


def test_what_a_token_is_called_is_nothing_that_cannot_be_kept(
    cast: Cast, repo: Repo, issuer: Issuer
) -> None:
    publishers.trust(repo=repo, issuer=issuer.url, claims={"sub": "ci"}, by=signed_in(cast.ben))

    answer = exchange(issuer.token(HUB, sub="ci", repository="a\0b", ref="other"))

    assert answer.status_code == 200
    assert AccessToken.objects.get().name == f"[OIDC] ci at 127.0.0.1:{issuer.port}"


def test_an_identity_token_is_good_once(repo: Repo, issuer: Issuer) -> None:
    token = issuer.token(HUB)
    assert exchange(token).status_code == 200

    assert refused(exchange(token))
    claims = issuer.claims(HUB)
    del claims["jti"]
    assert exchange(signed(claims)).status_code == 200
    assert refused(exchange(signed(claims)))

    id_tokens.forget(now=timezone.now() + timedelta(hours=1))
    assert SpentIdToken.objects.count() == 0


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://huggingface.co"},
        {"aud": [HUB, "https://other.example"]},
        {"exp": 1_700_000_000},
        {"nbf": 4_000_000_000},
        {"exp": 4_000_000_000},
        {"iss": "https://token.actions.githubusercontent.com"},
        {"repository": "mallory/ci"},
        {"repository": ["acme/ci"]},
        {"repository": "acme/ci "},
        {"ref": "refs/heads/other"},
        {"ref": None},
        {"exp": "soon"},
        {"exp": "2000000000"},
        {"exp": 10**400, "iat": 1.5},
    ],
)
def test_what_does_not_fit_is_refused(repo: Repo, issuer: Issuer, claims: dict[str, Any]) -> None:
    assert refused(exchange(issuer.token(HUB, **claims)))
    assert AccessToken.objects.count() == 0


def test_only_the_issuers_signature_counts(repo: Repo, issuer: Issuer) -> None:
    claims = issuer.claims(HUB)
    head, body, signature = signed(claims).split(".")
    good = [
        signed(claims, key=OTHER_KEY),
        signed(claims, kid="missing"),
        signed(claims, kid=None),
        signed(claims, key=EC_KEY, kid="rsa", alg="ES256"),
        signed(claims, key="x" * 64, alg="HS256"),
        signed(claims, key=RSA_KEY, alg="RS512"),
        signed(claims, key=None, alg="none"),
        f"{head}.{body}.",
        f"{head}.{body}.{signature[:-8]}AAAAAAAA",
        "a.b.c",
        "",
        "x" * 20_000,
        "é.é.é",
    ]

    assert [refused(exchange(token)) for token in good] == [True] * len(good)
    assert exchange(signed(claims)).status_code == 200


def test_a_key_that_is_too_short_is_none(repo: Repo, issuer: Issuer) -> None:
    issuer.keys = [issuer.keys[0] | {"n": "wz8"}]

    assert refused(exchange(issuer.token(HUB)))


@pytest.mark.parametrize(
    ("resource", "error"),
    [
        ("acme/other", "invalid_grant"),
        ("datasets/acme/tiny", "invalid_grant"),
        ("acme", "invalid_request"),
        ("", "invalid_request"),
        ("../../etc", "invalid_request"),
    ],
)
def test_repos_that_trust_nobody_and_those_that_are_not_there_answer_alike(
    cast: Cast, repo: Repo, issuer: Issuer, resource: str, error: str
) -> None:
    cast.repo("acme/other", private=True)

    answer = exchange(issuer.token(HUB), resource)

    assert refused(answer, error)
    assert error == "invalid_grant" or issuer.asked == []
    missing = exchange(issuer.token(HUB), "acme/missing").content
    assert error == "invalid_request" or answer.content == missing


def test_an_issuer_whom_nobody_trusts_is_not_asked(repo: Repo, issuer: Issuer) -> None:
    TrustedPublisher.objects.all().delete()

    assert refused(exchange(issuer.token(HUB)))
    assert issuer.asked == []


def test_a_forged_token_does_not_tell_which_hidden_repo_trusts_its_issuer(
    cast: Cast, repo: Repo, issuer: Issuer
) -> None:
    Repo.objects.filter(pk=repo.pk).update(visibility="private")
    forged = [signed(issuer.claims(HUB), key=OTHER_KEY), issuer.token("https://elsewhere.test")]

    for token in forged:
        hidden, missing = exchange(token), exchange(token, "acme/missing")
        assert (hidden.status_code, hidden.content) == (missing.status_code, missing.content)


def test_what_is_no_exchange_is_refused(repo: Repo, issuer: Issuer) -> None:
    token = issuer.token(HUB)

    assert refused(exchange(token, grant_type="password"), "unsupported_grant_type")
    assert refused(exchange(token, subject_token_type="jwt"), "invalid_request")


def test_keys_are_asked_for_once_and_again_for_a_new_one(
    repo: Repo, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        assert exchange(issuer.token(HUB)).status_code == 200
    assert issuer.asked == ["/.well-known/openid-configuration", "/keys"]

    issuer.keys = [issuer.keys[0] | {"kid": "new"}]
    assert refused(exchange(signed(issuer.claims(HUB), kid="new")))
    assert len(issuer.asked) == 2
    monkeypatch.setattr(issuer_keys, "AGAIN_AFTER_SECONDS", 0)
    assert exchange(signed(issuer.claims(HUB), kid="new")).status_code == 200


def test_an_issuer_that_is_silent_or_inside_is_told_as_such(
    repo: Repo, issuer: Issuer, settings: Settings
) -> None:
    issuer.is_silent = True
    assert exchange(issuer.token(HUB)).status_code == 503

    issuer.is_silent = False
    settings.WEBHOOK_ALLOW_CIDRS = ()
    asked = len(issuer.asked)
    assert exchange(issuer.token(HUB)).status_code == 503
    assert len(issuer.asked) == asked


def test_who_may_no_longer_write_publishes_no_longer(
    cast: Cast, repo: Repo, issuer: Issuer
) -> None:
    secret = exchange(issuer.token(HUB)).json()["access_token"]
    job = Client(headers={"Authorization": f"Bearer {secret}"})
    cast.ben.memberships.all().delete()

    answer = job.post("/api/models/acme/tiny/branch/ci", {}, content_type="application/json")

    assert answer.status_code == 403
    cast.ben.is_active = False
    cast.ben.save()
    assert refused(exchange(issuer.token(HUB)))


def test_trust_ends_with_the_tokens_that_came_of_it(cast: Cast, repo: Repo, issuer: Issuer) -> None:
    secret = exchange(issuer.token(HUB)).json()["access_token"]
    one = TrustedPublisher.objects.get()
    ben, path = caller(cast.ben), "/api/v1/repos/models/acme/tiny/trusted-publishers"

    (shown,) = ben.get(path).json()
    assert (shown["claims"], shown["acts_as"]) == (WANTED, "ben")
    assert shown["last_used_at"]
    assert ben.delete(f"{path}/{one.pk}").status_code == 204

    job = Client(headers={"Authorization": f"Bearer {secret}"})
    assert job.get("/api/whoami-v2").status_code == 401
    assert refused(exchange(issuer.token(HUB)))
    assert ben.delete(f"{path}/{one.pk}").status_code == 404


def test_publishers_are_trusted_by_those_who_manage_the_repo(
    cast: Cast, repo: Repo, issuer: Issuer
) -> None:
    path = "/api/v1/repos/models/acme/tiny/trusted-publishers"
    body = {"issuer": issuer.url, "claims": {"sub": "x"}}

    def answer(client: Client) -> int:
        return client.post(path, body, content_type="application/json").status_code

    assert [answer(one) for one in (Client(), caller(cast.cleo), caller(cast.ben))] == [
        401,
        403,
        201,
    ]
    assert answer(caller(cast.ben)) == 409
    assert caller(cast.cleo).get(path).status_code == 403
    with pytest.raises(Forbidden):
        publishers.trust(repo=repo, issuer=issuer.url, claims=WANTED, by=signed_in(cast.cleo))


@pytest.mark.parametrize(
    ("issuer", "claims"),
    [
        ("ftp://ci.example", WANTED),
        ("https://u:p@ci.example", WANTED),
        ("https://ci.example/?a=b", WANTED),
        ("https://ci.example", {}),
        ("https://ci.example", {"ref": "refs/heads/main"}),
        ("https://ci.example", {"sub": "x", "aud": "y"}),
        ("https://ci.example", {"sub": ""}),
        ("https://ci.example", {"sub": "a\nb"}),
        ("https://ci.example", {"sub": "x"} | {f"c{n}": "x" for n in range(10)}),
    ],
)
def test_a_publisher_that_says_too_little_or_too_much_is_refused(
    cast: Cast, issuer: str, claims: dict[str, str]
) -> None:
    repo = cast.repo("acme/tiny")

    with pytest.raises(Invalid):
        publishers.trust(repo=repo, issuer=issuer, claims=claims, by=signed_in(cast.ben))


def test_there_are_not_many_of_them(cast: Cast) -> None:
    repo, by = cast.repo("acme/tiny"), signed_in(cast.ben)
    for number in range(MAX_PUBLISHERS):
        claims = {"sub": str(number)}
        publishers.trust(repo=repo, issuer="https://ci.example", claims=claims, by=by)

    with pytest.raises(Conflict):
        publishers.trust(repo=repo, issuer="https://ci.example", claims=WANTED, by=by)


def test_the_page_trusts_and_lets_go(cast: Cast) -> None:
    cast.repo("acme/tiny")
    ben, path = Client(), "/acme/tiny/publishers"
    ben.force_login(cast.ben)
    form = {"system": "https://gitlab.com", "project": "acme/ci", "more": "ref_protected=true"}

    assert ben.post(path, form).status_code == 302

    one = TrustedPublisher.objects.get()
    assert one.claims == {"project_path": "acme/ci", "ref_protected": "true"}
    assert "ref_protected=true" in ben.get(path).content.decode()
    assert ben.post(path, form | {"more": "nonsense"}).status_code == 422
    assert ben.post(path, {"delete": str(one.pk)}).status_code == 302
    assert not TrustedPublisher.objects.exists()
