"""Discussions and pull requests in a browser, with and without scripts; their pages looked at."""

import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Hub, sign_in
from tests.browser.test_pages import Scheme, look

pytestmark = pytest.mark.browser

REPO = "ada/quay"


@pytest.fixture(scope="module")
def api(browser: Browser, hub: Hub) -> HfApi:
    """Ada's client, with a token that she makes herself; and a repo that others have changed."""
    page = browser.new_page()
    sign_in(page, hub)
    page.goto(f"{hub.url}/settings/tokens")
    page.get_by_label("Name").fill("desk")
    page.get_by_label("Write").check()
    page.get_by_role("button", name="Make token").click()
    api = HfApi(endpoint=hub.url, token=page.locator(".secret code").inner_text())
    page.context.close()
    api.create_repo(REPO)
    _commit(
        api, {"config.json": b'{\n  "model_type": "bert"\n}\n', "a.png": _picture(b"\x0b\x6a\x5b")}
    )
    _commit(api, {"model.safetensors": _weights([16, 8])})
    return api


@pytest.fixture(scope="module")
def furnished(api: HfApi) -> dict[str, int]:
    """Numbers of a discussion, of a pull request, and of one that cannot be merged."""
    talk = api.create_discussion(REPO, "Does it run on a CPU?", description="On *mine*, @ada?")
    comment = "It does:\n\n```python\nmodel.to('cpu')\n```\n\n| size | ms |\n|---|---|\n| 1 | 2 |"
    api.comment_discussion(REPO, talk.num, comment)
    api.rename_discussion(REPO, talk.num, "Does it run on CPUs?")
    files = {
        "config.json": b'{\n  "model_type": "albert"\n}\n',
        "a.png": _picture(b"\x83\x55\x00"),
        "model.safetensors": _weights([16, 4]),
    }
    good = _commit(api, files, create_pr=True)
    clash = _commit(api, {"notes.txt": b"theirs\n"}, create_pr=True)
    _commit(api, {"notes.txt": b"ours\n"})
    return {"talk": talk.num, "good": good, "clash": clash}


def _commit(api: HfApi, files: dict[str, bytes], *, create_pr: bool = False) -> int:
    operations = [CommitOperationAdd(path, raw) for path, raw in files.items()]
    made = api.create_commit(
        REPO,
        operations,
        commit_message=f"Change {', '.join(files)}",
        commit_description="It is better so.",
        create_pr=create_pr,
    )
    return int(made.pr_num or 0)


def _picture(colour: bytes) -> bytes:
    """A PNG of one colour."""
    width, height = 120, 80
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = (b"\0" + colour * width) * height
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    packed = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def _weights(shape: list[int]) -> bytes:
    size = 2 * shape[0] * shape[1]
    tensor = {"dtype": "F16", "shape": shape, "data_offsets": [0, size]}
    header = json.dumps({"layer.0.weight": tensor}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(size)


@pytest.fixture(params=[True, False], ids=["scripts", "no-scripts"])
def page(request: pytest.FixtureRequest, browser: Browser, hub: Hub) -> Iterator[Page]:
    context = browser.new_context(java_script_enabled=request.param)
    page = context.new_page()
    sign_in(page, hub)
    yield page
    context.close()


def test_a_discussion_from_its_question_to_its_end(page: Page, hub: Hub, api: HfApi) -> None:
    page.goto(f"{hub.url}/{REPO}")
    page.get_by_role("link", name="Community").click()
    page.get_by_role("link", name="New", exact=True).click()
    page.get_by_role("textbox", name="Title").fill("Which licence?")
    page.get_by_label("Description").fill("I see **none**.")
    page.get_by_role("button", name="Begin discussion").click()
    expect(page.get_by_text("I see none.")).to_be_visible()

    page.get_by_role("textbox", name="Comment").fill("MIT, I think.")
    page.get_by_role("button", name="Comment").click()
    expect(page.get_by_text("MIT, I think.")).to_be_visible()
    page.get_by_role("link", name="Edit or hide").last.click()
    page.get_by_role("textbox", name="Comment").fill("Apache, I know.")
    page.get_by_role("button", name="Keep comment").click()
    expect(page.get_by_text("(edited)")).to_be_visible()
    page.get_by_role("link", name="Edit or hide").last.click()
    page.get_by_role("button", name="Hide for good").click()
    expect(page.get_by_text("This comment has been hidden.")).to_be_visible()

    page.get_by_text("Change the title").click()
    page.get_by_role("textbox", name="Title").fill("Which licence is it?")
    page.get_by_role("button", name="Keep title").click()
    page.get_by_role("textbox", name="Comment").fill("Answered.")
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_text("closed this")).to_be_visible()
    page.get_by_role("link", name="Community").click()
    expect(page.get_by_role("link", name="Which licence is it?")).to_have_count(0)
    page.get_by_role("link", name="Closed", exact=True).click()
    expect(page.get_by_role("link", name="Which licence is it?").first).to_be_visible()


def test_a_pull_request_is_looked_at_and_merged(page: Page, hub: Hub, api: HfApi) -> None:
    name = f"{len(list(api.get_repo_discussions(REPO)))}.txt"
    num = _commit(api, {name: b"fresh\n"}, create_pr=True)

    page.goto(f"{hub.url}/{REPO}/discussions/{num}")
    page.get_by_role("link", name="Files changed").click()
    expect(page.get_by_text("fresh")).to_be_visible()
    page.get_by_role("link", name="Conversation").click()
    page.get_by_role("textbox", name="Comment").fill("Thank you!")
    page.get_by_role("button", name="Merge").click()

    expect(page.get_by_text("The pull request is merged.")).to_be_visible()
    expect(page.get_by_role("button", name="Merge")).to_have_count(0)
    page.get_by_role("link", name="Files", exact=True).click()
    expect(page.get_by_role("link", name=name, exact=True).first).to_be_visible()


PAGES = {
    "discussions": "/discussions",
    "discussions-all": "/discussions?status=all",
    "discussions-none": "/discussions?author=nobody",
    "discussion-new": "/discussions/new",
    "discussion": "/discussions/{talk}",
    "pull-request": "/discussions/{good}",
    "pull-request-files": "/discussions/{good}/files",
    "pull-request-conflict": "/discussions/{clash}",
}


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_its_pages_are_sound_to_eyes_and_screen_readers(
    browser: Browser,
    hub: Hub,
    furnished: dict[str, int],
    pictures: Path,
    scheme: Scheme,
    width: int,
) -> None:
    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})
    sign_in(page, hub)

    for name, path in PAGES.items():
        url = f"{hub.url}/{REPO}{path.format(**furnished)}"
        look(page, url, pictures / f"{name}-{scheme}-{width}.png")
    page.goto(f"{hub.url}/{REPO}/discussions/{furnished['talk']}")
    page.get_by_role("link", name="Edit or hide").first.click()
    look(page, page.url, pictures / f"comment-edit-{scheme}-{width}.png")
    page.context.close()
