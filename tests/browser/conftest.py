"""A browser, and a hub with something to look at; ``SCREENSHOTS`` names where pictures go."""

import json
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from playwright.sync_api import Browser, Page, sync_playwright

from tests.live import LiveServer
from tests.wire.plain import Plain

CHROMIUM = "/usr/bin/chromium"
PASSWORD = "harbour-ink-42"
CARD = """---
license: apache-2.0
language: [en, de]
pipeline_tag: text-classification
library_name: transformers
datasets: [ada/rows]
---
# Harbour

A small model that tells *recipes* from **poems**. Its [config](config.json) is short.

## Results

| step | loss |
|---:|---:|
| 100 | 1.2 |
"""


@dataclass(frozen=True, slots=True)
class Hub:
    """A running hub with ada's repos, and the way to sign in as her."""

    url: str
    commit: str
    collection: str
    """Where a collection of hers is."""


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Ends with the package: its event loop would keep other tests from the database."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def hub(browser: Browser) -> Iterator[Hub]:
    with LiveServer() as live:
        yield furnished(live, browser)


def furnished(live: LiveServer, browser: Browser) -> Hub:
    """Let Ada have a model with a history, a dataset, a secret and a collection."""
    link = live.create_user("ada")
    api = HfApi(endpoint=live.url, token=live.token("ada"))
    header = json.dumps({"w": {"dtype": "F16", "shape": [8, 8], "data_offsets": [0, 128]}}).encode()
    weights = struct.pack("<Q", len(header)) + header + bytes(128)
    files = {
        "README.md": CARD.encode(),
        "config.json": b'{\n  "model_type": "bert"\n}\n',
        "docs/README.md": b"# Notes\n\nNothing yet.\n",
        "model.safetensors": weights,
    }
    api.create_repo("ada/harbour")
    _commit(api, files, "Add the model")
    commit = _commit(api, {"config.json": b'{\n  "model_type": "albert"\n}\n'}, "Change the type")
    api.create_repo("ada/rows", repo_type="dataset")
    api.create_repo("ada/secret", private=True)
    best = api.create_collection("Harbours", description="Models and rows that go together")
    note = "The one to begin with"
    api.add_collection_item(best.slug, item_id="ada/harbour", item_type="model", note=note)
    api.add_collection_item(best.slug, item_id="ada/rows", item_type="dataset")
    api.add_collection_item(best.slug, item_id="2311.12983", item_type="paper")
    _guard(Plain(live.url, {"ada": live.token("ada")}), commit)
    _follow(live)
    page = browser.new_page()
    page.goto(live.url + link)
    page.get_by_role("button", name="Sign in as ada").click()
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("New password, once more").fill(PASSWORD)
    page.get_by_role("button", name="Set password").click()
    page.context.close()
    return Hub(live.url, commit, f"/collections/{best.slug}")


def _guard(ada: Plain, commit: str) -> None:
    """A rule on tags, a check of the last commit, and a promotion of it."""
    repo = "/api/v1/repos/models/ada/harbour"
    rule = {"kind": "tag", "pattern": "v*", "needed_checks": ["ci/weights"]}
    check = {"state": "success", "context": "ci/weights", "description": "All tensors are finite"}
    wish = {"tag": "production", "revision": "main", "note": "Better on poems"}
    assert ada("PUT", f"{repo}/ref-rules", rule).status == 200
    assert ada("POST", f"{repo}/statuses/{commit}", check).status == 201
    assert ada("POST", f"{repo}/promotions", wish).status == 201


def _follow(live: LiveServer) -> None:
    """Cleo, whom Ada follows, says something; and a CI system that Ada's repo trusts."""
    live.create_user("cleo")
    plain = Plain(live.url, {"ada": live.token("ada"), "cleo": live.token("cleo")})
    said = {"title": "Which rows?", "description": "Which are to come?", "pullRequest": False}
    claims = {"repository": "acme/ci", "ref": "refs/heads/main"}
    trusted = {"issuer": "https://token.actions.githubusercontent.com", "claims": claims}
    repo = "/api/v1/repos/models/ada/harbour"
    assert plain("POST", "/api/users/cleo/follow").status == 200
    assert plain("POST", "/api/datasets/ada/rows/discussions", said, who="cleo").status == 200
    assert plain("POST", f"{repo}/trusted-publishers", trusted).status == 201


def _commit(api: HfApi, files: dict[str, bytes], message: str) -> str:
    operations = [CommitOperationAdd(path, raw) for path, raw in files.items()]
    return api.create_commit("ada/harbour", operations, commit_message=message).oid


def sign_in(page: Page, hub: Hub) -> None:
    page.goto(f"{hub.url}/login")
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{hub.url}/")


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    named = os.environ.get("SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
