"""A person makes an organisation and lets people in; each page is photographed."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Hub, sign_in

pytestmark = pytest.mark.browser

SETTINGS = "/orgs/ink-works/settings"


def seen(page: Page, pictures: Path, name: str) -> None:
    """The page is without faults of access, and there is a picture of it."""
    page.screenshot(path=pictures / f"organisation-{name}.png", full_page=True)
    found = Axe().run(page).response["violations"]
    serious = [one["id"] for one in found if one["impact"] in {"serious", "critical"}]
    assert serious == [], name


def test_an_organisation_from_its_first_page_to_its_groups(
    browser: Browser, hub: Hub, pictures: Path
) -> None:
    page = browser.new_page()
    sign_in(page, hub)

    page.goto(f"{hub.url}/orgs/new")
    page.get_by_label("Name").fill("ink-works")
    seen(page, pictures, "new")
    page.get_by_role("button", name="Make organisation").click()
    page.wait_for_url(f"{hub.url}{SETTINGS}/members")

    page.get_by_label("As", exact=True).select_option("write")
    page.get_by_role("button", name="Make a link").click()
    expect(page.get_by_role("heading", name="The invitation is made")).to_be_visible()
    seen(page, pictures, "invited")
    link = page.locator(".secret code").first.inner_text().strip()
    guest = browser.new_page()
    guest.goto(link)
    seen(guest, pictures, "join")
    expect(guest.get_by_role("link", name="Sign in to join")).to_be_visible()
    guest.context.close()

    _gather(page, hub, pictures)
    _show(page, hub, pictures)
    page.context.close()


def _gather(page: Page, hub: Hub, pictures: Path) -> None:
    """A team, and a resource group in which it has a role."""
    page.goto(f"{hub.url}{SETTINGS}/teams")
    page.get_by_label("Name").fill("Readers")
    page.get_by_role("button", name="Make team").click()
    page.get_by_label("Put in").select_option("ada")
    page.get_by_role("button", name="Add to the team").click()
    expect(page.get_by_role("button", name="Take ada out")).to_be_visible()
    seen(page, pictures, "team")

    page.goto(f"{hub.url}{SETTINGS}/resource-groups")
    page.get_by_label("Name").fill("Secret")
    page.get_by_role("button", name="Make resource group").click()
    page.get_by_label("Team").select_option(label="Readers")
    page.get_by_role("button", name="Give", exact=True).click()
    expect(page.get_by_role("button", name="Take the role of Readers back")).to_be_visible()
    seen(page, pictures, "group")


def _show(page: Page, hub: Hub, pictures: Path) -> None:
    """What the world sees of it; and its owner stays."""
    page.goto(f"{hub.url}{SETTINGS}/profile")
    page.get_by_label("About").fill("We weigh ink.")
    page.get_by_role("button", name="Change", exact=True).click()
    seen(page, pictures, "profile")
    page.goto(f"{hub.url}{SETTINGS}/members")
    page.get_by_label("What ada is", exact=True).select_option("read")
    page.get_by_role("button", name="Change what ada is").click()
    expect(page.get_by_text("An organisation needs an owner")).to_be_visible()
    page.goto(f"{hub.url}/ink-works")
    expect(page.get_by_text("We weigh ink.")).to_be_visible()
    seen(page, pictures, "public")
    page.goto(f"{hub.url}/ada/harbour/access")
    seen(page, pictures, "access")
