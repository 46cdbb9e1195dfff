"""A terminal that is let in from a browser."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from teams.models import AccessToken, AuditEntry, DeviceCode, User
from teams.services import device_sign_in
from tests.cast import Cast

pytestmark = pytest.mark.django_db

CLIENT = next(iter(device_sign_in.CLIENTS))
GRANT = "urn:ietf:params:oauth:grant-type:device_code"
CONFIRM = "/oauth/device/confirm"


@pytest.fixture(autouse=True)
def fresh_counters() -> None:
    cache.clear()


def begin() -> dict[str, Any]:
    answer = Client().post("/oauth/device", {"client_id": CLIENT})
    assert answer.status_code == 200, answer.content
    told: dict[str, Any] = answer.json()
    return told


def poll(begun: dict[str, Any], client_id: str = CLIENT) -> Any:
    sent = {"grant_type": GRANT, "device_code": begun["device_code"], "client_id": client_id}
    return form(sent)


def form(sent: dict[str, str]) -> Any:
    """As clients send it: not in parts."""
    kind = "application/x-www-form-urlencoded"
    return Client().post("/oauth/token", urlencode(sent), content_type=kind)


def error(answer: Any) -> str:
    assert answer.status_code == 400, answer.content
    said: str = answer.json()["error"]
    return said


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def say(user: User, begun: dict[str, Any], answer: str = "yes") -> Any:
    return browser(user).post(CONFIRM, {"code": begun["user_code"], "answer": answer})


def test_a_terminal_gets_one_token_once_it_is_let_in(cast: Cast) -> None:
    begun = begin()
    before = error(poll(begun))
    shown = browser(cast.ada).post(CONFIRM, {"code": begun["user_code"].lower()})

    done, collected = say(cast.ada, begun), poll(begun)

    token = collected.json()["access_token"]
    who = Client(headers={"Authorization": f"Bearer {token}"}).get("/api/whoami-v2").json()
    assert before == "authorization_pending"
    assert "Let this terminal in?" in shown.content.decode()
    assert done.status_code == 200
    assert collected["Cache-Control"] == "no-store"
    assert token.startswith("wh_oauth_")
    assert (who["name"], who["auth"]["accessToken"]["role"]) == ("ada", "write")
    assert error(poll(begun)) == "invalid_grant"
    assert AuditEntry.objects.filter(action="token.create").exists()


def test_a_terminal_that_is_turned_away_hears_so(cast: Cast) -> None:
    begun = begin()

    say(cast.ada, begun, "no")

    assert error(poll(begun)) == "access_denied"
    assert not AccessToken.objects.exists()


def test_a_code_is_answered_once(cast: Cast) -> None:
    begun = begin()
    say(cast.ada, begun, "no")

    assert say(cast.cleo, begun).status_code == 422
    assert error(poll(begun)) == "access_denied"


def test_a_code_expires(cast: Cast) -> None:
    begun = begin()
    DeviceCode.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert error(poll(begun)) == "expired_token"
    assert say(cast.ada, begun).status_code == 422


def test_a_terminal_that_asks_too_soon_is_told_to_slow_down(cast: Cast) -> None:
    begun = begin()

    found = [error(poll(begun)) for _ in range(3)]

    assert found == ["authorization_pending", "slow_down", "slow_down"]
    assert DeviceCode.objects.get().interval == device_sign_in.INTERVAL + 2 * device_sign_in.SLOWER


def test_strangers_get_nothing(cast: Cast) -> None:
    begun = begin()
    other = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": CLIENT}

    assert error(Client().post("/oauth/device", {"client_id": "mine"})) == "invalid_client"
    assert error(poll({"device_code": "x"})) == "invalid_grant"
    assert error(poll(begun, client_id="mine")) == "invalid_grant"
    assert form(other).status_code == 400
    assert Client().get(CONFIRM).status_code == 302
    assert Client().post(CONFIRM, {"code": begun["user_code"], "answer": "yes"}).status_code != 200
    assert error(poll(begun)) == "authorization_pending"


def test_codes_are_not_kept_as_they_are(cast: Cast) -> None:
    begun = begin()

    row = DeviceCode.objects.get()

    kept = bytes(row.device_digest) + bytes(row.user_digest)
    assert begun["device_code"].encode() not in kept
    assert begun["user_code"].replace("-", "").encode() not in kept


def test_who_guesses_codes_is_soon_not_heard(cast: Cast) -> None:
    begun, ben = begin(), browser(cast.ben)

    wrong = [ben.post(CONFIRM, {"code": "BBBB-BBBB"}).status_code for _ in range(12)]

    assert set(wrong) == {422}
    assert "Too many" in ben.post(CONFIRM, {"code": begun["user_code"]}).content.decode()
    assert say(cast.ada, begun).status_code == 200


def test_one_address_begins_so_many_sign_ins_and_no_more() -> None:
    for _ in range(device_sign_in.MOST_WAITING):
        begin()

    refused = Client().post("/oauth/device", {"client_id": CLIENT})

    assert refused.status_code == 403
