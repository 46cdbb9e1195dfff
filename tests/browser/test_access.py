"""In a browser and with the real client: a narrow token, a gate, a terminal that signs in."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError
from playwright.sync_api import Browser, Page

from tests.live import LiveServer

CARD = b"""---
extra_gated_heading: Tell us who you are
extra_gated_prompt: You agree **not** to resell the weights.
extra_gated_fields:
  Company: text
  Country: country
  I agree to the licence: checkbox
---
# Gate
"""


@pytest.fixture(scope="module")
def live() -> Iterator[LiveServer]:
    with LiveServer(workers=True) as server:
        yield server


@pytest.fixture(scope="module")
def links(live: LiveServer) -> dict[str, str]:
    return {name: live.create_user(name) for name in ("ada", "cleo")}


def signed_in(browser: Browser, live: LiveServer, name: str, link: str) -> Page:
    """A window of somebody's own, in which they came by link."""
    page = browser.new_context().new_page()
    page.goto(live.url + link)
    page.get_by_role("button", name=f"Sign in as {name}").click()
    return page


@pytest.fixture(scope="module")
def ada(browser: Browser, live: LiveServer, links: dict[str, str]) -> Iterator[Page]:
    page = signed_in(browser, live, "ada", links["ada"])
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def cleo(browser: Browser, live: LiveServer, links: dict[str, str]) -> Iterator[Page]:
    page = signed_in(browser, live, "cleo", links["cleo"])
    yield page
    page.context.close()


def picture(page: Page, pictures: Path, name: str) -> None:
    page.screenshot(path=pictures / f"access-{name}.png", full_page=True)


def secret_on(page: Page) -> str:
    found = re.search(r"wh_\w{47}", page.get_by_role("main").inner_text())
    assert found, page.get_by_role("main").inner_text()
    return found[0]


def test_a_fine_grained_token_reads_the_repo_that_was_picked(
    live: LiveServer, ada: Page, pictures: Path
) -> None:
    api = HfApi(endpoint=live.url, token=live.token("ada"))
    for name in ("ada/picked", "ada/other"):
        api.create_repo(name, private=True)
    ada.goto(f"{live.url}/settings/tokens")
    ada.get_by_role("link", name="Fine-grained instead").click()
    ada.get_by_role("textbox", name="Name").fill("reads one")
    ada.get_by_label("ada/picked (model)").check()
    of_repos = ada.get_by_role("group", name="To the repos above")
    of_repos.get_by_label("(repo.content.read)").check()
    picture(ada, pictures, "fine-token-form")
    ada.get_by_role("button", name="Make token").click()
    narrow = HfApi(endpoint=live.url, token=secret_on(ada))

    who = narrow.whoami()["auth"]["accessToken"]
    ada.goto(f"{live.url}/settings/tokens")
    picture(ada, pictures, "tokens")

    assert who["role"] == "fineGrained"
    assert [one["entity"]["name"] for one in who["fineGrained"]["scoped"]] == ["ada/picked"]
    assert narrow.model_info("ada/picked").private
    with pytest.raises(RepositoryNotFoundError):
        narrow.model_info("ada/other")
    with pytest.raises(HfHubHTTPError, match=r"repo\.content\.write"):
        narrow.upload_file(
            path_or_fileobj=b"x", path_in_repo="x.txt", repo_id="ada/picked", repo_type="model"
        )
    assert [model.id for model in narrow.list_models(author="ada")] == ["ada/picked"]


def test_a_gate_opens_once_the_owner_accepts(
    live: LiveServer, ada: Page, cleo: Page, pictures: Path, tmp_path: Path
) -> None:
    owner = HfApi(endpoint=live.url, token=live.token("ada"))
    reader = HfApi(endpoint=live.url, token=live.token("cleo"))
    owner.create_repo("ada/gate")
    owner.upload_file(path_or_fileobj=CARD, path_in_repo="README.md", repo_id="ada/gate")
    ada.goto(f"{live.url}/ada/gate/settings")
    ada.get_by_label("Gated: whoever you let in reads the files").check()
    ada.get_by_role("button", name="Change the gate").click()
    with pytest.raises(GatedRepoError, match="not in the authorized list"):
        reader.hf_hub_download("ada/gate", "README.md", cache_dir=tmp_path)

    cleo.goto(f"{live.url}/ada/gate/tree/main")
    picture(cleo, pictures, "gate")
    cleo.get_by_label("Company").fill("Acme")
    cleo.get_by_label("Country").fill("Norway")
    cleo.get_by_label("I agree to the licence").check()
    cleo.get_by_role("button", name="Ask for access").click()
    picture(cleo, pictures, "gate-asked")
    waiting = list(owner.list_pending_access_requests("ada/gate"))
    ada.goto(f"{live.url}/ada/gate/access-requests")
    picture(ada, pictures, "access-requests")
    ada.get_by_role("button", name="Accept cleo").click()
    ada.get_by_role("link", name="Accepted").click()
    picture(ada, pictures, "access-accepted")

    assert [(one.username, one.fields) for one in waiting] == [
        ("cleo", {"Company": "Acme", "Country": "Norway", "I agree to the licence": True})
    ]
    path = reader.hf_hub_download("ada/gate", "README.md", cache_dir=tmp_path)
    assert Path(path).read_bytes() == CARD


def test_the_client_decides_on_access(live: LiveServer, links: dict[str, str]) -> None:
    owner = HfApi(endpoint=live.url, token=live.token("ada"))
    reader = HfApi(endpoint=live.url, token=live.token("cleo"))
    owner.create_repo("ada/rows", repo_type="dataset")
    owner.update_repo_settings("ada/rows", repo_type="dataset", gated="manual")

    def lists() -> list[list[str | None]]:
        of = {"repo_id": "ada/rows", "repo_type": "dataset"}
        return [
            [one.username for one in listed(**of)]
            for listed in (
                owner.list_pending_access_requests,
                owner.list_accepted_access_requests,
                owner.list_rejected_access_requests,
            )
        ]

    owner.grant_access("ada/rows", "cleo", repo_type="dataset")
    granted = lists()
    reader.auth_check("ada/rows", repo_type="dataset")
    owner.cancel_access_request("ada/rows", "cleo", repo_type="dataset")
    cancelled = lists()
    with pytest.raises(GatedRepoError, match="awaiting a review"):
        reader.auth_check("ada/rows", repo_type="dataset")
    owner.reject_access_request("ada/rows", "cleo", repo_type="dataset", rejection_reason="No")
    rejected = lists()
    owner.accept_access_request("ada/rows", "cleo", repo_type="dataset")

    assert granted == [[], ["cleo"], []]
    assert cancelled == [["cleo"], [], []]
    assert rejected == [[], [], ["cleo"]]
    assert lists() == [[], ["cleo"], []]
    with pytest.raises(HfHubHTTPError, match="already"):
        owner.grant_access("ada/rows", "cleo", repo_type="dataset")
    with pytest.raises(HfHubHTTPError, match="403"):
        list(reader.list_pending_access_requests("ada/rows", repo_type="dataset"))


def test_a_terminal_signs_in_through_the_browser(
    live: LiveServer, ada: Page, pictures: Path, tmp_path: Path
) -> None:
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING"))}
    environ |= {"HF_ENDPOINT": live.url, "HF_HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    hf = str(Path(sys.executable).with_name("hf"))
    terminal = subprocess.Popen(
        [hf, "auth", "login"],
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert terminal.stdout is not None
    said = ""
    while "code=" not in said:
        line = terminal.stdout.readline()
        assert line, said
        said += line
    found = re.search(r"http\S+code=\S+", said)
    assert found, said

    ada.goto(found[0])
    picture(ada, pictures, "device-code")
    ada.get_by_role("button", name="Go on").click()
    picture(ada, pictures, "device-confirm")
    ada.get_by_role("button", name="Let it in").click()
    picture(ada, pictures, "device-done")
    said += terminal.communicate(timeout=120)[0]
    who = subprocess.run(
        [hf, "auth", "whoami"], check=False, env=environ, capture_output=True, text=True
    )

    assert terminal.returncode == 0, said
    assert "ada" in who.stdout, who.stdout + who.stderr
    assert "wh_oauth_" not in live.log.read_text(errors="replace")
