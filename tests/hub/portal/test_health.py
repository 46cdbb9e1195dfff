"""/readyz tells of a store that cannot be used."""

from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from hub.queries.store import blob_store
from tests.live import free_port
from tests.s3 import S3Server

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def bucket(moto: S3Server, settings: Settings) -> Iterator[None]:
    moto.use(settings)
    blob_store.cache_clear()
    yield
    blob_store.cache_clear()


def told(client: Client) -> str:
    result: str = client.get("/readyz").json()["checks"]["store"]
    return result


def test_a_bucket_that_answers_is_ready(client: Client) -> None:
    assert told(client) == "ok"


def test_a_bucket_that_is_not_there_is_not_ready(client: Client, settings: Settings) -> None:
    settings.STORE_URL = "s3://no-such-bucket/hub"

    assert told(client) == "the store does not answer"


def test_a_server_that_is_not_there_is_not_ready(client: Client, settings: Settings) -> None:
    settings.S3 = settings.S3 | {"endpoint": f"http://127.0.0.1:{free_port()}"}

    assert told(client) == "the store does not answer"
