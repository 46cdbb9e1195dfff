"""What people decide about verdicts: scan again, let a file out all the same, how strict to be."""

from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from hub.errors import EntryNotFound
from hub.events import FileVerdict, SecurityChanged
from hub.models import Repo, Scan, sql
from hub.policies import check_can, rules_namespace
from hub.queries.scans import Policy
from hub.services import outbox, scanning
from hub.services.auditing import record_of
from teams.errors import Forbidden, Invalid
from teams.models import Namespace
from teams.policies import Principal
from teams.roles import Action
from teams.services.audit import Target, record

RELEASED = "released"


@transaction.atomic
def release(*, repo: Repo, key: bytes, by: Principal, reason: str = "") -> None:
    """Serve a file whatever its verdict is, until the next one is another.

    Raises:
        Refusal: as :func:`hub.policies.check_can`.
        EntryNotFound: nothing is known of such a file.
    """
    check_can(by, Action.REPO_MANAGE, repo)
    now = timezone.now()
    found = _row(repo, key)
    if found.released_at is not None:
        return
    Scan.objects.filter(pk=found.pk).update(released_at=now, released_by=by.user)
    _tell(repo, found, "repo.release_file", RELEASED, by, reason)


@transaction.atomic
def withdraw(*, repo: Repo, key: bytes, by: Principal) -> None:
    """Let the verdict decide again.

    Raises:
        Refusal: as :func:`hub.policies.check_can`.
        EntryNotFound: nothing is known of such a file.
    """
    check_can(by, Action.REPO_MANAGE, repo)
    found = _row(repo, key)
    if found.released_at is None:
        return
    Scan.objects.filter(pk=found.pk).update(released_at=None, released_by=None)
    _tell(repo, found, "repo.withhold_file", found.before or found.state, by, "")


def _row(repo: Repo, key: bytes) -> Scan:
    found = Scan.objects.select_for_update().filter(repo=repo, key=key).first()
    if found is None:
        raise EntryNotFound("No file of this repo is known by that.")
    return found


def _tell(repo: Repo, row: Scan, action: str, status: str, by: Principal, reason: str) -> None:
    told = bytes(row.key).hex()
    verdict = row.before or row.state
    record_of(repo, action, by=by.user, file=told, verdict=verdict, reason=reason)
    news = SecurityChanged((FileVerdict(told, status),))
    outbox.announce(repo.pk, news, by=by.user)


_AGAIN = """
UPDATE hub_scan SET state = 'queued', before = state, attempts = 0, claimed_until = NULL
WHERE repo_id = %s AND state <> 'queued' AND (%s::bytea[] IS NULL OR key = ANY(%s))
"""


@transaction.atomic
def scan_again(*, repo: Repo, by: Principal, keys: Collection[bytes] | None = None) -> int:
    """Let files of a repo, or all, be scanned anew; until then the old verdicts hold.

    Raises:
        Refusal: as :func:`hub.policies.check_can`.
    """
    check_can(by, Action.REPO_MANAGE, repo)
    wanted = None if keys is None else list(keys)
    count = sql.run(_AGAIN, [repo.pk, wanted, wanted])
    scanning.ring()
    return count


@transaction.atomic
def set_policy(*, namespace: Namespace, policy: str, by: Principal) -> None:
    """Say how strict a namespace is about verdicts; empty is as strict as the hub.

    Raises:
        Forbidden: they are neither that user nor an admin of that organisation, or their token is
            not for it.
        Invalid: there is no such policy.
    """
    if not rules_namespace(by, Action.ORG_MANAGE, namespace):
        raise Forbidden(f"You may not change how {namespace.name} deals with its files.")
    if policy not in {"", *Policy}:
        raise Invalid(f"A policy is one of {', '.join(Policy)}, or empty; not {policy!r}.")
    old = Namespace.objects.select_for_update().get(pk=namespace.pk).scan_policy
    Namespace.objects.filter(pk=namespace.pk).update(scan_policy=policy)
    target = Target(namespace.kind, namespace.name, namespace.pk)
    change = {"scan_policy": {"old": old, "new": policy}}
    record("org.set_scan_policy", by=by.user, namespace=namespace, target=target, details=change)
