"""Fine-grained tokens at every door: REST, git, LFS and Xet; and what ends with them."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from hub.models import Repo
from teams.models import AccessToken, User
from teams.roles import Permission
from teams.services import tokens
from teams.services.tokens import Allowed
from tests.cast import Cast
from tests.hub.wire.callers import XetCaller, batch, bearer, caller, content, put_lfs
from tests.hub.xet.samples import cut, lcg

pytestmark = pytest.mark.django_db

READ, WRITE = Permission.CONTENT_READ, Permission.REPO_WRITE
BODY = lcg(60_000, 5)


@pytest.fixture
def secret(cast: Cast) -> Repo:
    return cast.repo("acme/secret", private=True)


@pytest.fixture
def other(cast: Cast) -> Repo:
    return cast.repo("acme/other", private=True)


def fine(user: User, permission: Permission, repo: Repo) -> Client:
    """A client whose token is allowed one thing to one repo."""
    allowed = (Allowed(frozenset({permission}), repo.namespace_id, repo.pk),)
    wish = tokens.Wish(name="fine", allowed=allowed)
    return Client(headers=bearer(tokens.issue_as(wish, user=user)[1]))


def statuses(client: Client, repo: Repo) -> dict[str, int]:
    """What the doors say to reading and writing ``repo``."""
    api, git = f"/api/models/{repo}", f"{repo.url}.git"
    lines = json.dumps({"key": "header", "value": {"summary": "x"}}).encode()
    answers = {
        "info": client.get(api),
        "resolve": client.get(f"{repo.url}/resolve/main/.gitattributes"),
        "clone": client.get(f"{git}/info/refs?service=git-upload-pack"),
        "push": client.get(f"{git}/info/refs?service=git-receive-pack"),
        "xet-read": client.get(f"{api}/xet-read-token/main"),
        "xet-write": client.get(f"{api}/xet-write-token/main"),
        "commit": client.post(f"{api}/commit/main", lines, "application/x-ndjson"),
        "settings": client.put(f"{api}/settings", {}, content_type="application/json"),
    }
    lfs = {"lfs-down": "download", "lfs-up": "upload"}
    found = {name: answer.status_code for name, answer in answers.items()}
    return found | {
        name: batch(client, repo, operation, [])["status"] for name, operation in lfs.items()
    }


READING = ("info", "resolve", "clone", "xet-read", "lfs-down")


def test_a_token_that_reads_one_repo_reads_it_through_every_door_and_writes_by_none(
    cast: Cast, secret: Repo, other: Repo
) -> None:
    client = fine(cast.ada, READ, secret)

    here, there = statuses(client, secret), statuses(client, other)

    assert {name for name, status in here.items() if status == 200} == set(READING)
    assert {here[name] for name in set(here) - set(READING)} == {403}
    assert set(there.values()) == {404}


def test_a_token_that_writes_one_repo_knows_of_no_other(
    cast: Cast, secret: Repo, other: Repo
) -> None:
    client = fine(cast.ada, WRITE, secret)

    here, there = statuses(client, secret), statuses(client, other)
    listed = client.get("/api/models?author=acme").json()
    made = client.post("/api/repos/create", {"name": "acme/new"}, content_type="application/json")

    assert set(here.values()) == {200}
    assert set(there.values()) == {404}
    assert [one["id"] for one in listed] == ["acme/secret"]
    assert made.status_code == 403
    assert "repo.write" in made.json()["error"]


def test_hidden_and_missing_answer_the_same_to_a_narrow_token(
    cast: Cast, secret: Repo, other: Repo
) -> None:
    client = fine(cast.ada, READ, secret)

    hidden, missing = client.get("/api/models/acme/other"), client.get("/api/models/acme/none")

    assert (hidden.status_code, hidden.content) == (missing.status_code, missing.content)
    assert hidden["X-HF-Warning"] == missing["X-HF-Warning"]
    assert set(hidden.headers) == set(missing.headers)


def test_a_link_ends_with_the_token_that_it_was_signed_for(cast: Cast, secret: Repo) -> None:
    oid = put_lfs(caller(cast.ada), secret, BODY).hex()
    client = fine(cast.ada, READ, secret)
    link = batch(client, secret, "download", [(oid, len(BODY))])["objects"][0]["actions"]
    href = link["download"]["href"]
    assert content(Client().get(href)) == BODY

    AccessToken.objects.filter(name="fine").update(revoked_at=timezone.now())

    assert Client().get(href).status_code == 403


def test_a_xet_session_ends_with_its_token_and_is_no_wider(cast: Cast, secret: Repo) -> None:
    writer = XetCaller(fine(cast.ada, WRITE, secret), secret)
    chunks = list(cut(BODY, (30_000, 30_000)))
    file = writer.put_file(chunks)
    reader = XetCaller(fine(cast.ada, READ, secret), secret, scope="read")
    assert reader.read(file.hash, 0, len(BODY) - 1) == BODY
    assert XetCaller(fine(cast.ada, READ, secret), secret).answer.status_code == 403

    AccessToken.objects.filter(name="fine").update(expires_at=timezone.now())

    assert reader.get(f"/v1/reconstructions/{'0' * 64}").status_code == 401


def test_whoami_tells_what_a_token_is_for(cast: Cast, secret: Repo) -> None:
    allowed = (
        Allowed(frozenset({READ}), secret.namespace_id, secret.pk),
        Allowed(frozenset({WRITE}), cast.acme.namespace_id),
        Allowed(frozenset({Permission.DISCUSS, Permission.GATED_READ})),
    )
    wish = tokens.Wish(name="ci", allowed=allowed, lasts=timedelta(days=1))
    _token, text = tokens.issue_as(wish, user=cast.ada)

    told = Client(headers=bearer(text)).get("/api/whoami-v2").json()["auth"]["accessToken"]

    assert (told["displayName"], told["role"]) == ("ci", "fineGrained")
    assert told["fineGrained"] == {
        "canReadGatedRepos": True,
        "global": ["discussion.write"],
        "scoped": [
            {
                "entity": {"_id": secret.public_id, "type": "model", "name": "acme/secret"},
                "permissions": ["repo.content.read"],
            },
            {
                "entity": {"_id": cast.acme.public_id, "type": "org", "name": "acme"},
                "permissions": ["repo.write"],
            },
        ],
    }


def _asked(header: str) -> Any:
    return Client(headers={"Authorization": header}).get("/api/whoami-v2")


def test_what_is_wrong_with_a_token_is_told_to_who_holds_it(cast: Cast) -> None:
    expired, of_expired = tokens.issue(user=cast.ada, name="expired")
    revoked, of_revoked = tokens.issue(user=cast.ada, name="revoked")
    AccessToken.objects.filter(pk=expired.pk).update(expires_at=timezone.now())
    AccessToken.objects.filter(pk=revoked.pk).update(revoked_at=timezone.now())
    unknown = of_expired[:3] + ("B" if of_expired[3] == "A" else "A") + of_expired[4:]

    found = {
        "expired": _asked(f"Bearer {of_expired}"),
        "revoked": _asked(f"Bearer {of_revoked}"),
        "unknown": _asked(f"Bearer {unknown}"),
        "malformed": _asked("Bearer \N{SNOWMAN}".encode().decode("latin-1")),
        "empty": _asked("Bearer "),
        "other": _asked("Digest x"),
        "basic": _asked("Basic ***"),
    }

    assert {answer.status_code for answer in found.values()} == {401}
    known = "Invalid credentials in Authorization header"
    assert {answer["X-Error-Message"] for answer in found.values()} == {known}
    assert "expired on" in found["expired"].json()["error"]
    assert "revoked" in found["revoked"].json()["error"]
    assert found["unknown"].json() == found["malformed"].json()
    assert of_expired not in found["expired"].content.decode()


def test_no_token_makes_another_or_changes_the_password(cast: Cast) -> None:
    client = caller(cast.ada)

    answers = [
        client.get("/settings/tokens"),
        client.post("/settings/tokens", {"name": "more", "role": "write"}),
        client.post("/settings/password", {"new": "x", "again": "x"}),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert not AccessToken.objects.filter(name="more").exists()


def test_a_token_that_only_sees_webhooks_gets_no_secret_of_theirs(cast: Cast) -> None:
    hook = {
        "url": "https://ci.example.org/x?key=1",
        "watched": [{"type": "user", "name": "ada"}],
        "secret": "hush",
    }
    made = caller(cast.ada).post("/api/settings/webhooks", hook, content_type="application/json")
    assert made.status_code == 200, made.content
    url = f"/api/settings/webhooks/{made.json()['webhook']['id']}"

    def client(*named: Permission) -> Client:
        allowed = (Allowed(frozenset(named), cast.ada.namespace_id),)
        wish = tokens.Wish(name="hooks", allowed=allowed)
        return Client(headers=bearer(tokens.issue_as(wish, user=cast.ada)[1]))

    sees = client(Permission.WEBHOOKS_READ, WRITE)
    shown = sees.get(url).json()["webhook"]

    assert shown["secret"] is None
    assert "key=1" not in shown["url"]
    assert sees.get("/api/settings/webhooks").json()[0]["secret"] is None
    assert sees.delete(url).status_code == 403
    assert client(Permission.WEBHOOKS_WRITE).get(url).json()["webhook"]["secret"] == "hush"
    assert client(WRITE).get(url).status_code == 404


@pytest.mark.parametrize("permission", [WRITE, Permission.CONTENT_WRITE, Permission.ORG_READ])
def test_a_token_for_one_repo_does_not_say_how_strict_its_owner_is(
    cast: Cast, secret: Repo, permission: Permission
) -> None:
    policy = {"policy": "warn"}
    url = "/api/v1/namespaces/acme/scan-policy"

    answer = fine(cast.ada, permission, secret).put(url, policy, content_type="application/json")

    assert answer.status_code in {403, 404}
    assert caller(cast.ada).put(url, policy, content_type="application/json").status_code == 200
