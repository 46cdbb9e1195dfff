"""Entries of the audit log about repos and webhooks, in the log of the namespace that owns them."""

from typing import Any

from hub.models import Repo, Webhook
from teams.models import User
from teams.services.audit import Target, record


def record_of(repo: Repo, action: str, *, by: User | None, **details: Any) -> None:
    """Write down, in the caller's transaction, what was done to a repo."""
    target = Target(repo.kind, repo.full_name, repo.pk)
    record(action, by=by, namespace=repo.namespace_id, target=target, details=details)


def record_of_webhook(webhook: Webhook, action: str, *, by: User | None, **details: Any) -> None:
    """Write down what was done to a webhook; its address may hold a secret and stays out."""
    target = Target("webhook", f"webhook {webhook.pk}", webhook.pk)
    record(action, by=by, namespace=webhook.namespace_id, target=target, details=details)


def changed(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Answer what differs, as the log tells it."""
    return {
        field: {"old": old[field], "new": value}
        for field, value in new.items()
        if old[field] != value
    }
