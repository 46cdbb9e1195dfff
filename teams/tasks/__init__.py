"""Celery tasks of accounts: each takes nothing, may arrive twice, and calls one service."""

from teams.tasks import audit

__all__ = ["audit"]
