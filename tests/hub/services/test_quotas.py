"""Quotas: what is used is what is there, and what would be too much is refused before it comes."""

from hashlib import sha256
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from hub.models import Repo
from hub.services import quotas, repos, uploads
from hub.services.quotas import QuotaReached
from hub.services.uploads import Announced
from teams.models import AuditEntry
from teams.services import tokens
from tests.cast import Cast, signed_in

DATA = b"x" * 50_000


@pytest.fixture
def repo(cast: Cast) -> Repo:
    """A repo of acme with one large file."""
    repo = cast.repo("acme/tiny")
    announced = Announced(sha256(DATA).digest(), len(DATA))
    uploads.receive(repo=repo, announced=announced, pieces=[DATA], by=cast.ada)
    return repo


def ada(cast: Cast) -> Client:
    secret = tokens.issue(user=cast.ada, name="t", role="write")[1]
    return Client(headers={"Authorization": f"Bearer {secret}"})


def limit(cast: Cast, count: int | None) -> None:
    quotas.set_quota(namespace=cast.acme.namespace, limit=count, by=cast.root)


def preupload(client: Client, size: int) -> int:
    file = {"path": "w.bin", "size": size, "sample": ""}
    url = "/api/models/acme/tiny/preupload/main"
    answer = client.post(url, {"files": [file]}, content_type="application/json")
    return answer.status_code


def batch(client: Client, oid: str, size: int) -> int:
    body = {"operation": "upload", "transfers": ["basic"], "objects": [{"oid": oid, "size": size}]}
    url = "/acme/tiny.git/info/lfs/objects/batch"
    return client.post(url, body, content_type="application/vnd.git-lfs+json").status_code


def test_what_is_used_is_what_is_there(cast: Cast, repo: Repo) -> None:
    used = quotas.usage_of(cast.acme.namespace).used
    repo.refresh_from_db()

    assert used == len(DATA) + repo.git_bytes
    repos.delete(repo=repo, by=signed_in(cast.ada))
    assert quotas.usage_of(cast.acme.namespace).used == 0


def test_every_way_in_is_shut_where_there_is_no_room(cast: Cast, repo: Repo) -> None:
    client = ada(cast)
    used = quotas.usage_of(cast.acme.namespace).used
    limit(cast, used + 1000)

    assert preupload(client, 1000) == 200
    assert preupload(client, 1001) == 403
    assert batch(client, "ab" * 32, 1000) == 200
    assert batch(client, "ab" * 32, 1001) == 403
    limit(cast, used)
    assert client.get("/api/models/acme/tiny/xet-write-token/main").status_code == 403


def test_what_the_repo_holds_already_is_not_counted_twice(cast: Cast, repo: Repo) -> None:
    limit(cast, quotas.usage_of(cast.acme.namespace).used)

    assert batch(ada(cast), sha256(DATA).hexdigest(), len(DATA)) == 200


def test_the_refusal_says_what_is_used_and_what_to_do(cast: Cast, repo: Repo) -> None:
    limit(cast, 60_000)

    with pytest.raises(QuotaReached, match=r"acme holds 5\d\.\d kB of 60\.0 kB.* 20\.0 kB more"):
        quotas.check_room(cast.acme.namespace, 20_000)


def test_without_a_quota_the_instance_decides(cast: Cast, repo: Repo, settings: Settings) -> None:
    quotas.check_room(cast.acme.namespace, 1 << 60)
    settings.QUOTA_ORGANISATION = 10
    with pytest.raises(QuotaReached):
        quotas.check_room(cast.acme.namespace, 1)
    quotas.check_room(cast.ada.namespace, 1 << 60)
    limit(cast, 1 << 40)
    quotas.check_room(cast.acme.namespace, 1)


def test_the_command_shows_and_sets(cast: Cast, repo: Repo) -> None:
    out = StringIO()

    call_command("quota", "acme", "--bytes", "123456", stdout=out)
    call_command("quota", "acme", "--default", stdout=out)

    assert "of 123,456 bytes" in out.getvalue()
    assert "any number of bytes" in out.getvalue()
    entries = AuditEntry.objects.filter(action="settings.quota").order_by("id")
    assert [entry.details["bytes"]["new"] for entry in entries] == [123456, None]
    with pytest.raises(CommandError):
        call_command("quota", "nobody")
