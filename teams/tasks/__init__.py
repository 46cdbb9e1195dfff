"""Celery tasks of accounts: each takes nothing, may arrive twice, and calls one service."""

from teams.tasks import audit, mail, rates

__all__ = ["audit", "mail", "rates"]
