"""Webhooks in a browser: made, pinged, looked at, replayed, rotated, deleted."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Hub, furnished, sign_in
from tests.browser.test_pages import Scheme, look
from tests.hub.services.hooks import Sink, listening
from tests.live import LiveServer

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    with listening() as sink:
        yield sink


@pytest.fixture(scope="module")
def hub(browser: Browser, sink: Sink) -> Iterator[Hub]:
    """A hub of its own: its webhooks may go to our receiver, and somebody delivers them."""
    environ = {
        "WEIGHHOUSE_WEBHOOK_ALLOW_CIDRS": "127.0.0.0/8",
        "WEIGHHOUSE_WEBHOOK_PORTS": f"{sink.port},{sink.port + 1}",
    }
    with LiveServer(environ=environ, workers=True) as live:
        yield furnished(live, browser)


@pytest.fixture
def page(browser: Browser, hub: Hub) -> Iterator[Page]:
    page = browser.new_page()
    sign_in(page, hub)
    yield page
    page.context.close()


def made(page: Page, hub: Hub, url: str) -> None:
    page.goto(f"{hub.url}/settings/webhooks")
    page.get_by_label("URL").fill(url)
    page.get_by_label("Watches").fill("user ada\nmodel ada/harbour")
    page.get_by_role("button", name="Make webhook").click()


def delivered(page: Page, scope: str, state: str = "done") -> None:
    """Wait until the log says so."""
    row = page.locator("tr", has_text=scope).filter(has_text=state)
    for _ in range(50):
        if row.count():
            return
        page.wait_for_timeout(200)
        page.reload()
    pytest.fail(f"{scope} is not {state}: {page.locator('main').inner_text()}")


def test_a_webhook_from_its_making_to_its_end(page: Page, hub: Hub, sink: Sink) -> None:
    made(page, hub, sink.url)
    secret = page.locator(".secret code[tabindex]").inner_text()
    assert secret.startswith("whsec_")
    page.goto(f"{hub.url}/settings/webhooks")
    page.get_by_role("link", name=f"127.0.0.1:{sink.port}").click()
    expect(page.get_by_text(secret)).to_have_count(0)

    page.get_by_role("button", name="Ping").click()
    expect(page.get_by_text("A ping is on its way.")).to_be_visible()
    delivered(page, "webhook.ping.update")
    page.get_by_role("link", name="webhook.ping.update").click()
    expect(page.get_by_role("main")).to_contain_text("webhook-signature")
    expect(page.get_by_role("main")).to_contain_text("Weigh twice, publish once.")
    page.get_by_role("button", name="Send again").click()
    expect(page.get_by_text("It is on its way again.")).to_be_visible()

    page.get_by_role("link", name=f"127.0.0.1:{sink.port}").click()
    page.get_by_role("button", name="Add a second secret").click()
    assert page.locator(".secret code[tabindex]").inner_text() not in {"", secret}
    page.get_by_role("button", name="Make it the first").click()
    page.get_by_label("status").check()
    page.get_by_role("button", name="Change", exact=True).click()
    expect(page.get_by_label("status")).to_be_checked()
    page.get_by_role("button", name="Disable").click()
    expect(page.get_by_text("Disabled.")).to_be_visible()
    page.get_by_role("button", name="Delete webhook").click()
    expect(page.get_by_text("The webhook is deleted, with its log.")).to_be_visible()


def test_what_cannot_be_is_said_in_the_form(page: Page, hub: Hub) -> None:
    made(page, hub, "ftp://ci.example.org/hook")

    expect(page.locator(".form-errors, .errorlist")).to_have_count(1)
    expect(page.get_by_label("Watches")).to_have_value("user ada\nmodel ada/harbour")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_its_pages_are_sound(
    browser: Browser, hub: Hub, sink: Sink, scheme: Scheme, pictures: Path
) -> None:
    page = browser.new_page(color_scheme=scheme, viewport={"width": 1280, "height": 900})
    sign_in(page, hub)
    made(page, hub, sink.url)
    page.goto(f"{hub.url}/settings/webhooks")
    page.get_by_role("link", name=f"127.0.0.1:{sink.port}").first.click()
    here = page.url
    page.get_by_role("button", name="Ping").click()
    delivered(page, "webhook.ping.update")
    look(page, f"{hub.url}/settings/webhooks", pictures / f"webhooks-{scheme}.png")
    look(page, here, pictures / f"webhook-{scheme}.png")
    page.get_by_role("link", name="webhook.ping.update").first.click()
    look(page, page.url, pictures / f"delivery-{scheme}.png")
    page.context.close()
