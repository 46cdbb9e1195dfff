"""store_check on a server that holds to its promises, on one that does not, and on none."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from hub.storage.s3 import S3Store
from hub.storage.s3_access import S3Address
from hub.storage.s3_probe import examine
from tests.hub.storage.storage_contract import staged_names
from tests.live import free_port
from tests.s3 import RadosGateway, S3Server


@pytest.mark.ceph
def test_the_gateway_holds_all_that_is_needed_and_says_what_it_does_not(ceph: RadosGateway) -> None:
    address = ceph.server.bucket()

    findings = list(examine(address))

    assert [one for one in findings if one.needed and not one.held] == []
    assert {one.what for one in findings if not one.held} == {
        "compares x-amz-checksum-sha256",
        "copies only for the first",
        "ends an upload of parts only for the first",
    }
    assert staged_names(S3Store(address)) == []


def test_a_server_that_believes_every_signature_is_found_out(
    moto: S3Server, settings: Settings
) -> None:
    moto.use(settings)
    told = StringIO()

    with pytest.raises(SystemExit) as ended:
        call_command("store_check", stdout=told)

    assert ended.value.code == 1
    failed = [line[4:] for line in told.getvalue().splitlines() if line.startswith("NO")]
    assert "refuses a wrong secret" in failed
    assert "refuses a link for another object" in failed
    assert "keeps what it is given" not in failed


def test_a_server_that_is_not_there_holds_nothing() -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"

    findings = list(examine(S3Address("bucket", endpoint=nowhere, key="a", secret="b")))

    assert not any(one.held for one in findings)
    assert {one.detail for one in findings} == {"EndpointConnectionError"}


def test_a_folder_is_no_server() -> None:
    with pytest.raises(CommandError, match="is a folder"):
        call_command("store_check")
