"""Forget who sent how many requests."""

import time

from celery import shared_task

from teams.services import rates


@shared_task(acks_late=True)  # type: ignore[untyped-decorator]
def forget() -> None:
    """Twice does no harm: what is gone is gone."""
    rates.forget(now=time.time())
