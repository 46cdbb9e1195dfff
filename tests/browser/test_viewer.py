"""What somebody sees of a dataset that they have just pushed: rows, a filter, words, a query."""

import struct
import zlib
from collections.abc import Iterator

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from playwright.sync_api import Browser, Page, expect

from tests.live import LiveServer

pytestmark = pytest.mark.browser
WORK = "from hub.services.working import work_off\nwhile work_off('cpu') or work_off('heavy'): pass"
PICTURES = 60


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with LiveServer() as live:
        live.create_user("ada")
        api = HfApi(endpoint=live.url, token=live.token("ada"))
        lines = [f"{at},{'math' if at % 3 else 'art'},row number {at}\n" for at in range(300)]
        _push(api, "ada/lines", {"train.csv": ("id,kind,text\n" + "".join(lines)).encode()})
        _push(api, "ada/pictures", {f"{at:03}.png": png(at) for at in range(PICTURES)})
        live.manage("shell", "-v0", "-c", WORK)
        yield live.url


def _push(api: HfApi, name: str, files: dict[str, bytes]) -> None:
    api.create_repo(name, repo_type="dataset")
    added = [CommitOperationAdd(path, raw) for path, raw in files.items()]
    api.create_commit(name, added, commit_message="Add data", repo_type="dataset")


def png(number: int) -> bytes:
    """A picture of one colour."""
    line = b"\0" + bytes((number * 4, 80, 255 - number * 4)) * 64
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(line * 64)),
        (b"IEND", b""),
    ]
    chunks = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.context.close()


def test_rows_are_paged_filtered_searched_and_asked(page: Page, url: str) -> None:
    page.goto(f"{url}/datasets/ada/lines")
    page.get_by_role("link", name="Viewer").click()
    expect(page.get_by_role("status")).to_contain_text("Rows 1 to 50 of 300")
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_role("cell", name="row number 50")).to_be_visible()

    page.goto(f"{url}/datasets/ada/lines/viewer?where=kind%3D%27art%27+AND+id+%3E+200")
    expect(page.get_by_role("status")).to_contain_text("33 that fit")
    page.goto(f"{url}/datasets/ada/lines/viewer?search=137")
    expect(page.get_by_role("status")).to_contain_text("1 that fit")
    expect(page.get_by_role("cell", name="row number 137")).to_be_visible()

    page.get_by_role("link", name="SQL").click()
    page.get_by_label("One SELECT over this dataset").fill(
        "SELECT kind, count(*) AS n FROM data GROUP BY kind ORDER BY kind"
    )
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("cell", name="100", exact=True)).to_be_visible()
    expect(page.get_by_role("cell", name="200", exact=True)).to_be_visible()


def test_every_picture_of_a_page_is_there(page: Page, url: str) -> None:
    page.goto(f"{url}/datasets/ada/pictures/viewer")
    shown = page.locator("td img")
    expect(shown).to_have_count(50)

    shown.last.scroll_into_view_if_needed()
    for at in range(50):
        shown.nth(at).scroll_into_view_if_needed()
    page.wait_for_function(
        "() => [...document.querySelectorAll('td img')].every(one => one.naturalWidth === 64)"
    )
