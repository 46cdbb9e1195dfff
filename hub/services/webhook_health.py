"""How a webhook fares: when it rests, when its owners are warned, when it is disabled.

Two things let it rest: failures in a row, and a window of five minutes of which half failed. Rests
grow; the first request after one is alone, and its success ends the matter.
"""

from datetime import datetime, timedelta

from hub.models import Webhook
from hub.outgoing import retrying
from hub.outgoing.retrying import DISABLE_AFTER, FAILURES_TO_OPEN, WARN_AFTER, WINDOW, Next
from hub.services import webhook_notices
from hub.services.auditing import record_of_webhook

FIELDS = [
    "failures",
    "failing_since",
    "open_until",
    "rests",
    "window_began",
    "window_attempts",
    "window_failures",
    "warned_at",
    "disabled_at",
    "disabled_reason",
]


def forgive(webhook: Webhook) -> None:
    """Forget all that went wrong."""
    webhook.disabled_at, webhook.disabled_reason = None, ""
    webhook.failures, webhook.failing_since, webhook.warned_at = 0, None, None
    _end_rest(webhook)
    _begin_window(webhook, None)


def note(webhook: Webhook, follows: Next, *, began: datetime, now: datetime) -> None:
    """Note an attempt that ``began`` then; the caller holds the row's lock, and saves it."""
    # One that was under way when a rest began says nothing about how it is after it.
    is_fresh = webhook.open_until is None or began >= webhook.open_until
    if follows.is_done:
        webhook.failures, webhook.failing_since, webhook.warned_at = 0, None, None
        if is_fresh:
            _end_rest(webhook)
    else:
        webhook.rests += bool(webhook.rests and is_fresh)
        _note_failure(webhook, follows, now)
    if is_fresh:
        _count(webhook, now, is_failure=not follows.is_done)


def _count(webhook: Webhook, now: datetime, *, is_failure: bool) -> None:
    if webhook.window_began is None or now - webhook.window_began > WINDOW:
        _begin_window(webhook, now)
    webhook.window_attempts += 1
    webhook.window_failures += is_failure
    if retrying.is_poor(webhook.window_attempts, webhook.window_failures):
        webhook.rests += 1
        _rest(webhook, retrying.nth_rest(webhook.rests), now)
        _begin_window(webhook, None)


def _note_failure(webhook: Webhook, follows: Next, now: datetime) -> None:
    webhook.failures += 1
    webhook.failing_since = webhook.failing_since or now
    _rest(webhook, max(retrying.rest(webhook.failures), follows.pause), now)
    _rest(webhook, retrying.nth_rest(webhook.rests), now)
    if follows.is_gone:
        _disable(webhook, now, "The receiver answered 410: gone for good.")
    elif webhook.failures >= FAILURES_TO_OPEN:
        _judge(webhook, now - webhook.failing_since, now)


def _judge(webhook: Webhook, failing_for: timedelta, now: datetime) -> None:
    if failing_for >= DISABLE_AFTER:
        _disable(webhook, now, f"Nothing but failures for {DISABLE_AFTER.days} days.")
    elif failing_for >= WARN_AFTER and webhook.warned_at is None:
        webhook.warned_at = now
        webhook_notices.tell(webhook, webhook_notices.FAILING)


def _rest(webhook: Webhook, seconds: float, now: datetime) -> None:
    if seconds:
        until = now + timedelta(seconds=seconds)
        webhook.open_until = max(until, webhook.open_until or until)


def _end_rest(webhook: Webhook) -> None:
    webhook.open_until, webhook.rests = None, 0


def _begin_window(webhook: Webhook, now: datetime | None) -> None:
    webhook.window_began, webhook.window_attempts, webhook.window_failures = now, 0, 0


def _disable(webhook: Webhook, now: datetime, reason: str) -> None:
    if webhook.disabled_at is None:
        webhook_notices.tell(webhook, webhook_notices.DISABLED)
        record_of_webhook(webhook, "webhook.disable", by=None, reason=reason)
    webhook.disabled_at = webhook.disabled_at or now
    webhook.disabled_reason = reason
