"""The command line of the client."""

from pathlib import Path

import pytest

from tests.wire.clients import Client
from tests.wire.stories import Stories

pytestmark = pytest.mark.wire

SIZE = 2_000_000


@pytest.fixture(params=[True, False], ids=["xet", "no-xet"])
def xet(request: pytest.FixtureRequest) -> bool:
    chosen: bool = request.param
    return chosen


@pytest.fixture
def folder(tmp_path: Path, client: Client, xet: bool) -> Path:  # noqa: FBT001 - a fixture
    """Files that this client has not uploaded yet."""
    (tmp_path / "up").mkdir()
    (tmp_path / "up" / "a.txt").write_text("a")
    content = f"{client.slug} {xet} ".encode() * (SIZE // 10)
    (tmp_path / "up" / "w.bin").write_bytes(content[:SIZE])
    return tmp_path


def test_a_folder_goes_up_and_one_file_comes_down(
    stories: Stories,
    client: Client,
    folder: Path,
    xet: bool,  # noqa: FBT001 - a fixture
) -> None:
    repo = f"ada/cli-{client.slug}-{xet}".lower()
    down = folder / "down"

    stories.command(client, "hf", "upload", repo, str(folder / "up"), ".", xet=xet)
    stories.command(client, "hf", "download", repo, "w.bin", "--local-dir", str(down), xet=xet)

    assert (down / "w.bin").read_bytes() == (folder / "up" / "w.bin").read_bytes()
    assert not (down / "a.txt").exists()


def test_the_command_line_knows_who_it_is(stories: Stories, client: Client) -> None:
    assert "ada" in stories.command(client, "hf", "auth", "whoami")
