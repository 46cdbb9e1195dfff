"""Letters: rows in the transaction that causes them, sent once by a real SMTP conversation."""

from asyncio import Server
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from email.message import Message
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from teams.errors import Invalid, TooMany
from teams.models import Mail
from teams.roles import Role
from teams.services import invitations, mail
from tests.cast import Cast, signed_in

pytestmark = pytest.mark.django_db


class Postbox:
    """Keeps what it is sent; refuses some addresses for good and some for now."""

    def __init__(self) -> None:
        self.letters: list[Message] = []

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if address.startswith("nobody"):
            return "550 no such user"
        if address.startswith("later"):
            return "450 try again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - the library's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        self.letters.append(message_from_bytes(envelope.content))
        return "250 taken"


class OnAnyPort(Controller):
    """A server on a port that is free."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@pytest.fixture
def postbox(settings: Settings) -> Iterator[Postbox]:
    box = Postbox()
    server = OnAnyPort(box, hostname="127.0.0.1", port=0)
    server.start()
    settings.MAIL = settings.MAIL | {
        "host": "127.0.0.1",
        "port": server.port,
        "sender": "hub@ink.example",
        "starttls": False,
    }
    yield box
    server.stop()


def letter(to: str = "cleo@ink.example") -> Mail:
    assert mail.write(to=to, subject="News", text="Here is a secret.")
    return Mail.objects.latest("pk")


def test_without_a_server_nothing_is_written_and_the_link_is_shown(cast: Cast) -> None:
    invited = invitations.invite(
        organisation=cast.acme, role=Role.READ, by=signed_in(cast.ada), email="cleo@ink.example"
    )

    assert not invited.is_mailed
    assert not Mail.objects.exists()
    assert invited.path.startswith("/join/")


def test_an_invitation_comes_with_its_whole_link(cast: Cast, postbox: Postbox) -> None:
    invited = invitations.invite(
        organisation=cast.acme,
        role=Role.READ,
        by=signed_in(cast.ada),
        email="cleo@ink.example",
        origin="https://hub.example",
    )
    assert invited.is_mailed
    assert mail.send_due() == 1

    (sent,) = postbox.letters
    assert (sent["To"], sent["From"]) == ("cleo@ink.example", "hub@ink.example")
    assert f"https://hub.example{invited.path}" in str(sent.get_payload())


def test_a_letter_is_sent_once_and_its_text_forgotten(postbox: Postbox) -> None:
    row = letter()

    assert mail.send_due() == 1
    assert mail.send_due() == 0

    row.refresh_from_db()
    assert len(postbox.letters) == 1
    assert (row.state, row.text, row.attempts) == ("sent", "", 1)


@pytest.mark.django_db(transaction=True)
def test_a_letter_goes_with_the_transaction_that_wrote_it(postbox: Postbox) -> None:
    with transaction.atomic():
        letter()
        transaction.set_rollback(True)

    assert mail.send_due() == 0
    assert postbox.letters == []


def test_an_address_that_nobody_has_is_given_up(postbox: Postbox) -> None:
    row = letter("nobody@ink.example")

    assert mail.send_due() == 0

    row.refresh_from_db()
    assert (row.state, row.text) == ("failed", "")
    assert "550" in row.error


def test_what_is_refused_for_now_waits_and_holds_nobody_up(postbox: Postbox) -> None:
    row, other = letter("later@ink.example"), letter()

    assert mail.send_due() == 1

    row.refresh_from_db()
    other.refresh_from_db()
    assert (row.state, other.state) == ("waiting", "sent")
    assert row.due_at > timezone.now()


def test_a_server_that_is_away_loses_no_letter(settings: Settings, postbox: Postbox) -> None:
    row = letter()
    there = settings.MAIL["port"]
    settings.MAIL = settings.MAIL | {"port": 9}
    assert mail.send_due() == 0
    settings.MAIL = settings.MAIL | {"port": there}
    Mail.objects.update(due_at=timezone.now())

    assert mail.send_due() == 1
    row.refresh_from_db()
    assert row.attempts == 2


def test_after_many_attempts_a_letter_is_given_up(postbox: Postbox) -> None:
    row = letter("later@ink.example")
    for _ in range(len(mail.DELAYS) + 1):
        Mail.objects.update(due_at=timezone.now())
        mail.send_due()

    row.refresh_from_db()
    assert (row.state, row.text) == ("failed", "")


@pytest.mark.parametrize("subject", ["", "x" * 300, "\u202eturned"])
def test_a_subject_is_a_line(postbox: Postbox, subject: str) -> None:
    with pytest.raises(Invalid):
        mail.write(to="cleo@ink.example", subject=subject, text="")
    assert mail.write(to="cleo@ink.example", subject="a\nBcc: b@c.example", text="")
    assert Mail.objects.get().subject == "a Bcc: b@c.example"


def test_one_address_gets_few_invitations_a_day(cast: Cast, postbox: Postbox) -> None:
    ada, to = signed_in(cast.ada), "cleo@ink.example"
    invited = invitations.invite(organisation=cast.acme, role=Role.READ, by=ada, email=to)
    for _ in range(invitations.MOST_TO_ONE - 1):
        invitations.renew(invitation=invited.invitation, by=ada)

    with pytest.raises(TooMany):
        invitations.renew(invitation=invited.invitation, by=ada)
    with pytest.raises(TooMany):
        invitations.invite(organisation=cast.acme, role=Role.READ, by=ada, email=to)

    assert Mail.objects.count() == invitations.MOST_TO_ONE
    Mail.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert invitations.renew(invitation=invited.invitation, by=ada).is_mailed


def test_nobody_sends_letters_to_the_world_through_us(
    cast: Cast, postbox: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invitations, "MOST_MAILED", 3)

    def invite(number: int) -> None:
        made = invitations.invite(
            organisation=cast.acme,
            role=Role.READ,
            by=signed_in(cast.ada),
            email=f"{number}@ink.example",
        )
        invitations.revoke(invitation=made.invitation, by=signed_in(cast.ada))

    for number in range(3):
        invite(number)
    with pytest.raises(TooMany):
        invite(4)


def test_letters_that_are_over_are_forgotten_after_a_month(postbox: Postbox) -> None:
    waiting, sent, new = letter(), letter(), letter()
    Mail.objects.filter(pk__in=[sent.pk, new.pk]).update(state="sent")
    old = timezone.now() - mail.KEPT - timedelta(seconds=1)
    Mail.objects.filter(pk__in=[waiting.pk, sent.pk]).update(created_at=old)

    assert mail.forget(now=timezone.now()) == 1

    assert set(Mail.objects.values_list("pk", flat=True)) == {waiting.pk, new.pk}
