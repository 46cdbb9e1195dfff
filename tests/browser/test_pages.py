"""Every page: sound to axe in both themes, whole on a phone and without scripts, no complaints."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Hub, sign_in

pytestmark = pytest.mark.browser

OPEN = {
    "home": "/",
    "models": "/models",
    "models-none": "/models?license=mit",
    "datasets": "/datasets",
    "search": "/search?q=recipes",
    "sign-in": "/login",
    "profile": "/ada",
    "card": "/ada/harbour",
    "files": "/ada/harbour/tree/main",
    "folder": "/ada/harbour/tree/main/docs",
    "file": "/ada/harbour/blob/main/config.json",
    "tensors": "/ada/harbour/blob/main/model.safetensors",
    "commits": "/ada/harbour/commits/main",
    "commit": "/ada/harbour/commit/{commit}",
    "collections": "/collections",
    "collection": "{collection}",
    "rules": "/ada/harbour/rules",
    "promotions": "/ada/harbour/promotions",
    "missing": "/ada/secret",
}
SIGNED_IN = {
    "home-signed-in": "/",
    "new": "/new",
    "new-collection": "/collections/new?item=model/ada/harbour",
    "own-collection": "{collection}",
    "own-rules": "/ada/harbour/rules",
    "own-promotions": "/ada/harbour/promotions",
    "own-publishers": "/ada/harbour/publishers",
    "notifications": "/notifications?all=1",
    "activity": "/notifications/activity",
    "someone": "/cleo",
    "tokens": "/settings/tokens",
    "password": "/settings/password",
    "empty": "/datasets/ada/rows",
    "private": "/ada/secret",
    "settings": "/ada/harbour/settings",
}


Scheme = Literal["light", "dark"]


@pytest.fixture(scope="module", params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> Scheme:
    chosen: Scheme = request.param
    return chosen


@pytest.fixture(scope="module")
def desk(browser: Browser, scheme: Scheme) -> Iterator[Page]:
    page = browser.new_page(color_scheme=scheme, viewport={"width": 1280, "height": 900})
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def signed_in_desk(browser: Browser, scheme: Scheme, hub: Hub) -> Iterator[Page]:
    page = browser.new_page(color_scheme=scheme, viewport={"width": 1280, "height": 900})
    sign_in(page, hub)
    yield page
    page.context.close()


def vars_of(hub: Hub) -> dict[str, str]:
    return {"commit": hub.commit, "collection": hub.collection}


def look(page: Page, url: str, picture: Path) -> None:
    """Open a page, take its picture and let axe judge it."""
    page.goto(url)
    page.screenshot(path=picture, full_page=True)
    found = Axe().run(page).response["violations"]

    serious = [
        (violation["id"], [node["html"][:120] for node in violation["nodes"]])
        for violation in found
        if violation["impact"] in {"serious", "critical"}
    ]
    assert serious == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("name", OPEN)
def test_a_page_is_sound_to_eyes_and_screen_readers(
    desk: Page, scheme: Scheme, hub: Hub, pictures: Path, name: str
) -> None:
    look(desk, hub.url + OPEN[name].format(**vars_of(hub)), pictures / f"{name}-{scheme}.png")


@pytest.mark.parametrize("name", SIGNED_IN)
def test_a_page_of_ones_own_is_sound_too(
    signed_in_desk: Page, scheme: Scheme, hub: Hub, pictures: Path, name: str
) -> None:
    look(
        signed_in_desk,
        hub.url + SIGNED_IN[name].format(**vars_of(hub)),
        pictures / f"{name}-{scheme}.png",
    )


@pytest.mark.parametrize("name", OPEN)
def test_a_page_fits_a_phone(browser: Browser, hub: Hub, pictures: Path, name: str) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 740})

    page.goto(hub.url + OPEN[name].format(**vars_of(hub)))
    page.screenshot(path=pictures / f"{name}-phone.png")

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.context.close()


def text_of(page: Page) -> str:
    """What stands on the page, without how many minutes ago it was made, and without counts:
    each process remembers those of the front page for a minute."""
    text = re.sub(r"\d+ (second|minute)s? ago|just now", "", page.get_by_role("main").inner_text())
    return re.sub(r"^\d+$", "", text, flags=re.MULTILINE)


@pytest.mark.parametrize("name", OPEN)
def test_a_page_reads_the_same_without_scripts(browser: Browser, hub: Hub, name: str) -> None:
    path = OPEN[name].format(**vars_of(hub))
    plain = browser.new_context(java_script_enabled=False).new_page()
    full = browser.new_page()
    complaints: list[str] = []
    full.on("console", lambda message: complaints.append(message.text))

    plain.goto(hub.url + path)
    full.goto(hub.url + path)

    assert text_of(plain) == text_of(full)
    assert [text for text in complaints if "status of 404" not in text] == []
    plain.context.close()
    full.context.close()
