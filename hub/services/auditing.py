"""Entries of the audit log about repos and webhooks, in the log of the namespace that owns them."""

from typing import Any

from django.core.cache import cache

from hub.models import Repo, Webhook
from teams.models import User
from teams.policies import Principal
from teams.services.audit import Target, record

_READ_SECONDS = 60


def record_of(repo: Repo, action: str, *, by: User | None, **details: Any) -> None:
    """Write down, in the caller's transaction, what was done to a repo."""
    target = Target(repo.kind, repo.full_name, repo.pk)
    record(action, by=by, namespace=repo.namespace_id, target=target, details=details)


def record_of_webhook(webhook: Webhook, action: str, *, by: User | None, **details: Any) -> None:
    """Write down what was done to a webhook; its address may hold a secret and stays out."""
    target = Target("webhook", f"webhook {webhook.pk}", webhook.pk)
    record(action, by=by, namespace=webhook.namespace_id, target=target, details=details)


def note_read(repo: Repo, *, by: Principal) -> None:
    """Write down that somebody reads a private repo, where its namespace wants to know.

    At most once a minute for each repo and credential: a download asks many times.
    """
    if not (repo.private and repo.namespace.audits_reads):
        return
    who = (by.user.pk if by.user else 0, by.token.pk if by.token else 0)
    if cache.add(f"audit-read:{repo.pk}:{who[0]}:{who[1]}", 1, _READ_SECONDS):
        record_of(repo, "repo.content.read_private", by=by.user)


def changed(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Answer what differs, as the log tells it."""
    return {
        field: {"old": old[field], "new": value}
        for field, value in new.items()
        if old[field] != value
    }
