"""The bodies of deliveries: https://huggingface.co/docs/hub/webhooks, version 3, and our own keys.

Ours (``actor``, ``timestamp``, ``seq``, ``type``, ``zen``, ``status``, ``approval``, ``job`` and
``promotion``) are new keys at the top, which readers of version 3 skip. Never ``ref``: GitLab's
triggers would take it for a branch of their own.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.utils import timezone

from hub.models import Event, Webhook
from hub.names import RepoKind
from hub.services.discussion_payloads import told_of
from teams.names import public_id

VERSION = 3
ZEN = "Weigh twice, publish once."


def body_of(event: Event, webhook: Webhook) -> bytes:
    """What ``webhook`` is told of ``event``: bytes that are signed and sent as they are."""
    return _packed(
        {
            "event": {"action": event.action, "scope": event.scope},
            "repo": _repo(event),
            **told_of(event, _urls(event.kind, event.repo_name)),
            **_EXTRAS.get((event.scope, event.action), _nothing)(event.details),
            "webhook": {"id": webhook.public_id, "version": VERSION},
            "actor": _actor(event),
            "timestamp": event.created_at.isoformat(),
            "seq": event.seq,
            "type": f"{event.scope}.{event.action}",
        }
    )


def ping_of(webhook: Webhook) -> bytes:
    """A body that means nothing, to try a webhook with."""
    watch = webhook.watches.exclude(repo_id=None).order_by("pk").first()
    owner = public_id(webhook.namespace_id)
    kind, name = (watch.kind, watch.name) if watch else ("model", f"{webhook.namespace}/ping")
    return _packed(
        {
            "event": {"action": "update", "scope": "webhook.ping"},
            "repo": {
                "type": kind,
                "name": name,
                "id": public_id(watch.repo_id if watch and watch.repo_id else 0),
                "private": True,
                "url": _urls(kind, name),
                "owner": {"id": owner},
            },
            "webhook": {"id": webhook.public_id, "version": VERSION},
            "actor": {"id": owner, "name": webhook.namespace.name, "type": webhook.namespace.kind},
            "timestamp": timezone.now().isoformat(),
            "type": "webhook.ping.update",
            "zen": ZEN,
        }
    )


def _packed(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _repo(event: Event) -> dict[str, Any]:
    told: dict[str, Any] = {
        "type": event.kind,
        "name": event.repo_name,
        "id": public_id(event.repo_id),
        "private": event.is_private,
        "url": _urls(event.kind, event.repo_name),
        "owner": {"id": public_id(event.owner_id)},
    }
    if event.head is not None and event.scope.startswith("repo") and event.action != "delete":
        # Their documentation writes it one way, their client reads it the other.
        told["headSha"] = told["head_sha"] = bytes(event.head).hex()
    return told


def _actor(event: Event) -> dict[str, Any] | None:
    if event.actor_id is None:
        return None
    return {"id": public_id(event.actor_id), "name": event.actor_name, "type": "user"}


def _urls(kind: str, name: str) -> dict[str, str]:
    origin = settings.PUBLIC_URL or settings.INTERNAL_URL
    known = RepoKind(kind)
    return {
        "web": f"{origin}/{known.prefix}{name}",
        "api": f"{origin}/api/{known.plural}/{name}",
    }


def _moved(details: Mapping[str, Any]) -> dict[str, Any]:
    return {"movedTo": {"name": details["name"], "owner": {"id": public_id(details["owner_id"])}}}


def _refs(details: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "updatedRefs": [
            {"ref": one["ref"], "oldSha": one["old"], "newSha": one["new"]}
            for one in details["refs"]
        ]
    }


def _config(details: Mapping[str, Any]) -> dict[str, Any]:
    return {"updatedConfig": {key: details[key] for key in ("private",) if key in details}}


def _as_kept(details: Mapping[str, Any]) -> dict[str, Any]:
    """Ours alone: what the event keeps, under keys that version 3 does not have."""
    return dict(details)


def _job(details: Mapping[str, Any]) -> dict[str, Any]:
    job = details["job"]
    origin = settings.PUBLIC_URL or settings.INTERNAL_URL
    shown = public_id(job["id"])
    return {"job": {**job, "id": shown, "url": f"{origin}/jobs/{shown}"}}


def _access(details: Mapping[str, Any]) -> dict[str, Any]:
    told = details["accessRequest"]
    return {"accessRequest": {**told, "id": public_id(told["id"])}}


def _nothing(_details: Mapping[str, Any]) -> dict[str, Any]:
    return {}


_EXTRAS: dict[tuple[str, str], Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    ("repo", "move"): _moved,
    ("repo.content", "update"): _refs,
    ("repo.config", "update"): _config,
    ("repo.security", "update"): _as_kept,
    ("repo.status", "update"): _as_kept,
    ("repo.promotion", "create"): _as_kept,
    ("repo.promotion", "update"): _as_kept,
    ("repo.access", "create"): _access,
    ("repo.access", "update"): _access,
    ("repo.job", "create"): _job,
    ("repo.job", "update"): _job,
    ("discussion.approval", "create"): _as_kept,
}
