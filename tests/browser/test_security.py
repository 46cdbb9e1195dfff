"""A quarantined pickle: seen with its reasons, refused to clients, let out by its owner."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi, RepoFile
from huggingface_hub.errors import LocalEntryNotFoundError
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Hub, furnished, sign_in
from tests.hub.scanning.corpus import OS_SYSTEM, call, torch_state, zipped
from tests.live import LiveServer

pytestmark = pytest.mark.browser

FILES = {
    "pytorch_model.bin": zipped({"archive/data.pkl": OS_SYSTEM, "archive/data/0": bytes(64)}),
    "tokenizer.pkl": call("some_package.words", "Vocabulary", protocol=4),
    "weights.pt": zipped({"archive/data.pkl": torch_state(), "archive/data/0": bytes(16)}),
    "train.sh": b"export AWS_ACCESS_KEY_ID=AKIA" + b"A1B2" * 4 + b"\npython train.py\n",
}
EXPECTED = {
    "pytorch_model.bin": "unsafe",
    "tokenizer.pkl": "suspicious",
    "weights.pt": "safe",
    "train.sh": "caution",
}
_PATIENCE_SECONDS = 120.0


@pytest.fixture(scope="module")
def live() -> Iterator[LiveServer]:
    with LiveServer(environ={"WEIGHHOUSE_SCAN_POLICY": "quarantine"}, workers=True) as live:
        yield live


@pytest.fixture(scope="module")
def hub(browser: Browser, live: LiveServer) -> Hub:
    return furnished(live, browser)


def verdicts(api: HfApi) -> dict[str, str]:
    found = api.get_paths_info("ada/harbour", list(FILES), expand=True)
    files = (file for file in found if isinstance(file, RepoFile))
    return {file.path: str(file.security and file.security["status"]) for file in files}


def scanned(api: HfApi) -> dict[str, str]:
    end = time.monotonic() + _PATIENCE_SECONDS
    while set(found := verdicts(api)) != set(FILES) or "queued" in found.values():
        assert time.monotonic() < end, f"No verdict yet: {found}"
        time.sleep(0.2)
    return found


def test_a_pickle_is_withheld_until_its_owner_lets_it_out(
    browser: Browser, live: LiveServer, hub: Hub, pictures: Path, tmp_path: Path
) -> None:
    api = HfApi(endpoint=live.url, token=live.token("ada"))
    operations = [CommitOperationAdd(path, raw) for path, raw in FILES.items()]
    api.create_commit("ada/harbour", operations, commit_message="Add pickles")
    assert scanned(api) == EXPECTED
    told = api.model_info("ada/harbour", securityStatus=True).security_repo_status
    assert told is not None
    assert {one["path"] for one in told["filesWithIssues"]} == set(FILES) - {"weights.pt"}
    with pytest.raises(LocalEntryNotFoundError) as refused:
        api.hf_hub_download("ada/harbour", "pytorch_model.bin", local_dir=tmp_path)
    assert "403" in str(refused.value.__cause__)
    page = browser.new_page()
    sign_in(page, hub)

    page.goto(f"{hub.url}/ada/harbour/tree/main")
    expect(page.locator("tr", has_text="pytorch_model.bin").get_by_text("unsafe")).to_be_visible()
    page.screenshot(path=pictures / "security-files.png", full_page=True)
    page.goto(f"{hub.url}/ada/harbour/blob/main/pytorch_model.bin")
    expect(page.get_by_text("os.system")).to_be_visible()
    page.screenshot(path=pictures / "security-file.png", full_page=True)
    page.goto(f"{hub.url}/ada/harbour/security")
    page.screenshot(path=pictures / "security.png", full_page=True)
    let_out(page, "pytorch_model.bin")
    page.screenshot(path=pictures / "security-released.png", full_page=True)
    page.context.close()

    path = api.hf_hub_download("ada/harbour", "pytorch_model.bin", local_dir=tmp_path)
    assert Path(path).read_bytes() == FILES["pytorch_model.bin"]


def let_out(page: Page, name: str) -> None:
    issue = page.get_by_role("listitem").filter(has=page.get_by_role("link", name=name))
    issue.get_by_placeholder("Why it is fine").fill("Made by us")
    issue.get_by_role("button", name="Let it out").click()
    expect(page.get_by_text("The file is served again")).to_be_visible()
