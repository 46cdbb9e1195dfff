"""Write letters as rows in the transaction that causes them; a task sends them by SMTP.

Where no server is configured no letter is written, and callers show what they would have said.
"""

import smtplib
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from celery import current_app
from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from teams.models import Mail, sql
from teams.models.mail import MAX_SUBJECT
from teams.names import one_line

log = structlog.get_logger(__name__)

AT_ONCE = 20
LEASE = timedelta(minutes=5)
"""Longer than sending so many takes; whoever dies with a letter loses it to the next run."""
DELAYS = [timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360, 720, 1440)]
"""Before each further attempt; after the last of them we give up."""
KEPT = timedelta(days=30)
"""How long one sees that a letter went out, or why it did not."""
TASK = "teams.tasks.mail.send"
_TIMEOUT_SECONDS = 20
_NEVER = 500
"""SMTP's replies from here on are final."""


def is_configured() -> bool:
    """Whether letters can be sent at all."""
    return bool(settings.MAIL["host"])


def write(*, to: str, subject: str, text: str) -> bool:
    """Write a letter within the caller's transaction; False if there is no server to send it.

    Raises:
        Invalid: the subject is no line.
    """
    if not is_configured():
        return False
    subject = one_line(subject, "The subject", most=MAX_SUBJECT)
    Mail.objects.create(to=to, subject=subject, text=text)
    transaction.on_commit(_ring)
    return True


def _ring() -> None:
    """Wake a worker. A bell that nobody hears costs the time until the next sweep."""
    try:
        current_app.send_task(TASK, retry=False)
    except (OperationalError, OSError) as problem:
        log.warning("mail_bell_is_silent", reason=str(problem))


class _Letter(NamedTuple):
    """A row that we claimed."""

    id: int
    to: str
    subject: str
    text: str
    attempts: int


_CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id FROM teams_mail WHERE state = 'waiting' AND due_at <= clock_timestamp()
    ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED)
UPDATE teams_mail SET attempts = attempts + 1, due_at = clock_timestamp() + %s
WHERE id IN (SELECT id FROM due) RETURNING id, "to", subject, text, attempts
"""


def forget(*, now: datetime) -> int:
    """Delete letters that nobody will send any more, after a month; answer how many."""
    over = Mail.objects.exclude(state=Mail.State.WAITING).filter(created_at__lt=now - KEPT)
    return over.delete()[0]


def send_due() -> int:
    """Send what is due, as far as the server takes it; answer how many letters went out."""
    if not is_configured():
        return 0
    sent = 0
    while letters := [_Letter(*row) for row in sql.rows(_CLAIM, [AT_ONCE, LEASE])]:
        sent += _send_all(letters)
    return sent


def _send_all(letters: list[_Letter]) -> int:
    server = _server()
    sent = 0
    try:
        for letter in letters:
            sent += _send(server, letter)
    finally:
        server.close()
    return sent


def _send(server: EmailBackend, letter: _Letter) -> bool:
    message = EmailMessage(letter.subject, letter.text, settings.MAIL["sender"], [letter.to])
    row = Mail.objects.filter(pk=letter.id)
    try:
        server.open()
        server.send_messages([message])
    except (smtplib.SMTPException, OSError) as problem:
        _put_off(letter, problem)
        return False
    # The link in it is a secret, of which we need no copy.
    row.update(state=Mail.State.SENT, sent_at=timezone.now(), text="", error="")
    return True


def _put_off(letter: _Letter, problem: Exception) -> None:
    row = Mail.objects.filter(pk=letter.id)
    error = f"{type(problem).__name__}: {problem}"[:300]
    log.warning("mail_not_sent", mail=letter.id, attempt=letter.attempts, reason=error)
    if letter.attempts > len(DELAYS) or _is_final(problem):
        row.update(state=Mail.State.FAILED, text="", error=error)
    else:
        due = timezone.now() + DELAYS[letter.attempts - 1]
        row.update(due_at=due, error=error)


def _is_final(problem: Exception) -> bool:
    """Whether the server will never take this letter: it answered with a 5xx for its address."""
    if not isinstance(problem, smtplib.SMTPRecipientsRefused):
        return False
    return all(code >= _NEVER for code, _text in problem.recipients.values())


def _server() -> EmailBackend:
    """A connection that is opened when the first letter goes."""
    mail = settings.MAIL
    return EmailBackend(
        host=mail["host"],
        port=mail["port"],
        username=mail["user"],
        password=mail["password"],
        use_tls=mail["starttls"],
        use_ssl=mail["tls"],
        timeout=_TIMEOUT_SECONDS,
    )
