import json
import logging
import logging.config

import pytest
import structlog

from hub.config import logs

TOKEN = "wh_3H0JoBMaFjVkY5UIBHuPLJk2UrDU8FIDIKOVjAMc631SLcB"


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {TOKEN}",
        "Authorization: Basic YWRhOnMzY3JldC1wYXNzd29yZA==",
        f"GET /resolve/main/w.bin?token={TOKEN}&x=1",
        f"somewhere {TOKEN} stands alone",
        "https://s3/x?X-Amz-Signature=deadbeefcafe0123&X-Amz-Credential=AKIAsecret",
        "postgresql://hub:s3cret-password@db/hub",
        '{"password": "s3cret-password"}',
        "KeyError: {'secret_key': 's3cret-password'}",
        "GET /login/link/admin/die94a-ac48fc3fedd950937817bcd103bcd921",
    ],
)
def test_no_secret_survives_the_filter(text: str) -> None:
    clean = logs.without_secrets(text)

    assert logs.HIDDEN in clean
    for secret in (TOKEN, "s3cret", "YWRhOn", "deadbeef", "AKIA", "ac48fc3f"):
        assert secret not in clean


def test_the_rest_of_a_line_is_left_as_it_is() -> None:
    line = "PUT /ada/tiny/resolve/main/tokenizer.json?download=true took 12 ms"

    assert logs.without_secrets(line) == line


def test_a_line_is_json_with_the_request_id(capsys: pytest.CaptureFixture[str]) -> None:
    logging.config.dictConfig(logs.configuration("json", "INFO"))

    with structlog.contextvars.bound_contextvars(request_id="abcdefgh"):
        logging.getLogger("hub.test").info("stored %s", "blob")

    line = json.loads(capsys.readouterr().err)
    assert (line["msg"], line["request_id"], line["level"]) == ("stored blob", "abcdefgh", "info")


def test_a_traceback_keeps_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    logging.config.dictConfig(logs.configuration("json", "INFO"))

    try:
        int(f"Bearer {TOKEN}")
    except ValueError:
        structlog.get_logger("hub.test").exception("failed")

    printed = capsys.readouterr().err
    assert "ValueError" in printed
    assert TOKEN not in printed
