"""Celery tasks: each takes an id or nothing, may arrive twice, and calls one service."""

from hub.tasks import (
    conversion,
    counters,
    history,
    jobs,
    publishers,
    scanning,
    scrubbing,
    storage,
    webhooks,
)

__all__ = [
    "conversion",
    "counters",
    "history",
    "jobs",
    "publishers",
    "scanning",
    "scrubbing",
    "storage",
    "webhooks",
]
