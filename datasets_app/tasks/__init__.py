"""Celery tasks of datasets: each takes nothing, may arrive twice, and calls one service."""

from datasets_app.tasks import tidying

__all__ = ["tidying"]
