"""Signatures that the usual verifiers accept, whatever the body is."""

import hashlib
import hmac
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from hub.outgoing.signing import (
    HIDDEN,
    Keys,
    Message,
    headers,
    is_secret,
    new_secret,
    without_secrets,
)

SECRET, OTHER = new_secret(), new_secret()
BODIES = st.dictionaries(
    st.text(), st.text() | st.integers() | st.text(max_size=9).map(lambda text: text * 2000)
).map(lambda value: json.dumps(value, ensure_ascii=False).encode(errors="replace"))


ONE = Keys((SECRET,))


def made(body: bytes, keys: Keys = ONE, *, https: bool = True) -> dict[str, str]:
    message = Message("msg_1", "uuid", "repo.content", body)
    return headers(message, keys, now=int(time.time()), agent="test", https=https)


@given(BODIES, st.text(min_size=1))
def test_a_verifier_accepts_what_we_sign_and_nothing_else(body: bytes, more: str) -> None:
    told = made(body)
    changed = body + more.encode(errors="replace")

    assert Webhook(SECRET).verify(body, told) == json.loads(body)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(changed, told)
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify(body, told)


def test_the_signature_that_github_made_usual_takes_the_whole_secret_as_its_key() -> None:
    told = made(b"{}", Keys((SECRET, OTHER)))

    expected = hmac.new(SECRET.encode(), b"{}", hashlib.sha256).hexdigest()
    assert told["X-Hub-Signature-256"] == f"sha256={expected}"
    assert len(told["webhook-signature"].split()) == 2


def test_the_shared_token_goes_only_by_https_and_never_to_the_log() -> None:
    keys = Keys((SECRET,), "hunter2")

    assert made(b"{}", keys)["X-Webhook-Secret"] == "hunter2"
    assert "X-Webhook-Secret" not in made(b"{}", keys, https=False)
    assert without_secrets(made(b"{}", keys))["X-Webhook-Secret"] == HIDDEN


@pytest.mark.parametrize(
    "text", ["", "whsec_", "whsec_AAAA", "A" * 44, "whsec_" + "ä" * 44, "whsec_" + "A" * 120]
)
def test_what_is_no_signing_secret_is_not_taken_for_one(text: str) -> None:
    assert is_secret(SECRET)
    assert not is_secret(text)
