"""What is done to repos stands in the audit log of whoever owns them."""

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client

from hub.names import RepoName
from hub.services import protection, repos
from hub.services.protection import RuleWish
from hub.services.repos import RepoSettings
from teams.errors import Forbidden
from teams.models import AuditEntry, Namespace
from teams.services import passwords
from tests.cast import Cast, signed_in


def told(namespace: Namespace) -> list[tuple[str, str, str]]:
    entries = AuditEntry.objects.filter(chain=namespace.pk, action__startswith="repo.")
    return [(one.action, one.actor_name, one.target_name) for one in entries.order_by("id")]


def test_the_life_of_a_repo_is_told_in_both_namespaces_that_owned_it(cast: Cast) -> None:
    ada = signed_in(cast.ada)
    repo = cast.repo("acme/tiny")
    repos.change_settings(repo=repo, settings=RepoSettings(visibility="private"), by=ada)
    repos.change_settings(repo=repo, settings=RepoSettings(visibility="private"), by=ada)
    repos.move(repo=repo, to=RepoName.parse("ada/small"), by=ada)
    repos.delete(repo=repo, by=ada)

    assert told(cast.acme.namespace) == [
        ("repo.create", "root", "acme/tiny"),
        ("repo.update_settings", "ada", "acme/tiny"),
        ("repo.move", "ada", "acme/tiny"),
    ]
    assert told(cast.ada.namespace) == [
        ("repo.receive", "ada", "ada/small"),
        ("repo.delete", "ada", "ada/small"),
    ]
    entry = AuditEntry.objects.get(action="repo.update_settings")
    assert entry.details == {"visibility": {"old": "public", "new": "private"}}


def test_rules_are_told(cast: Cast) -> None:
    repo = cast.repo("acme/tiny")
    wish = RuleWish(kind="branch", pattern="main", forbids_deletion=True)
    rule = protection.set_rule(repo=repo, wish=wish, by=signed_in(cast.ada))
    protection.delete_rule(repo=repo, rule_id=rule.pk, by=signed_in(cast.ada))

    entries = AuditEntry.objects.filter(action__contains="_rule").order_by("id")

    assert [one.details["pattern"] for one in entries] == ["main", "main"]
    assert entries[0].details["forbids_deletion"] is True


def test_what_was_refused_is_not_told(cast: Cast) -> None:
    repo = cast.repo("acme/tiny")

    with pytest.raises(Forbidden):
        repos.delete(repo=repo, by=signed_in(cast.cleo))

    assert told(cast.acme.namespace) == [("repo.create", "root", "acme/tiny")]


def test_signing_in_is_told_with_the_address_and_so_is_a_refusal(cast: Cast) -> None:
    passwords.set_password(user=cast.ada, password="correct horse", by=cast.ada)
    client = Client(REMOTE_ADDR="192.0.2.9", HTTP_X_REQUEST_ID="request-1")
    client.post("/login", {"username": "Ada", "password": "wrong"})
    client.post("/login", {"username": "nobody", "password": "wrong"})
    client.post("/login", {"username": "Ada", "password": "correct horse"})

    entries = AuditEntry.objects.filter(chain=cast.ada.namespace_id, action__startswith="user.")

    assert [(one.action, one.actor_name, one.auth) for one in entries.order_by("id")] == [
        ("user.change_password", "ada", "system"),
        ("user.sign_in_refused", "", "system"),
        ("user.sign_in", "ada", "session"),
    ]
    newest = entries.latest("id")
    assert (newest.address, newest.request_id) == ("192.0.2.9", "request-1")


def test_reads_of_private_repos_are_told_where_somebody_wants_to_know(cast: Cast) -> None:
    cast.repo("acme/hidden", private=True)
    cast.repo("acme/open")
    ben = Client()
    ben.force_login(cast.ben)
    cache.clear()
    url = "/acme/{}/resolve/main/.gitattributes"

    ben.get(url.format("hidden"))
    call_command("audit_reads", "acme", "on")
    for name in ("hidden", "hidden", "open"):
        assert ben.get(url.format(name)).status_code == 200
    Client().get(url.format("hidden"))

    read = AuditEntry.objects.filter(action="repo.content.read_private")
    assert [(one.actor_name, one.target_name) for one in read] == [("ben", "acme/hidden")]
