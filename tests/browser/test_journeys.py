"""What somebody does here from the first visit on, and what stays with them."""

from collections.abc import Iterator

import pytest
from huggingface_hub import HfApi
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Hub, sign_in

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.context.close()


def test_from_signing_in_to_the_first_file(page: Page, hub: Hub) -> None:
    sign_in(page, hub)

    page.get_by_role("link", name="New repo").first.click()
    page.get_by_label("Name").fill("first")
    page.get_by_role("button", name="Create repo").click()
    expect(page.get_by_role("heading", name="Nothing on the scales yet")).to_be_visible()
    expect(page.get_by_text("hf upload ada/first .")).to_be_visible()

    page.goto(f"{hub.url}/settings/tokens")
    page.get_by_label("Name").fill("laptop")
    page.get_by_label("Write").check()
    page.get_by_role("button", name="Make token").click()
    secret = page.locator(".secret code").inner_text()
    api = HfApi(endpoint=hub.url, token=secret)
    api.upload_file(
        path_or_fileobj=b"---\nlicense: mit\n---\n# First\n\nIt is here.",
        path_in_repo="README.md",
        repo_id="ada/first",
    )

    page.goto(f"{hub.url}/ada/first")
    expect(page.get_by_text("It is here.")).to_be_visible()
    page.goto(f"{hub.url}/settings/tokens")
    expect(page.get_by_text(secret)).to_have_count(0)


def test_deleting_takes_the_name_and_leaves_the_profile(page: Page, hub: Hub) -> None:
    sign_in(page, hub)
    page.goto(f"{hub.url}/new")
    page.get_by_label("Name").fill("gone")
    page.get_by_role("button", name="Create repo").click()

    page.get_by_role("link", name="Settings").click()
    page.get_by_label("Full name of the repo").fill("ada/gone")
    page.get_by_role("button", name="Delete for good").click()

    expect(page).to_have_url(f"{hub.url}/ada")
    expect(page.get_by_text("ada/gone is deleted.")).to_be_visible()


def test_a_filter_changes_the_results_and_the_address_without_a_new_page(
    page: Page, hub: Hub
) -> None:
    page.goto(f"{hub.url}/models")
    page.evaluate("window.stayed = true")

    page.get_by_role("link", name="Apache License 2.0").click()
    page.wait_for_url("**/models?license=apache-2.0")

    expect(page.get_by_role("link", name="Remove the filter")).to_be_visible()
    assert page.evaluate("window.stayed")
    page.go_back()
    expect(page.get_by_role("link", name="Remove the filter")).to_have_count(0)


def test_typing_a_name_narrows_the_list(page: Page, hub: Hub) -> None:
    page.goto(f"{hub.url}/models")

    page.get_by_label("Filter models by name").press_sequentially("no-such")

    expect(page.get_by_role("heading", name="No model matches")).to_be_visible()
    expect(page.get_by_label("Filter models by name")).to_have_value("no-such")


def test_a_chosen_theme_holds_after_a_reload(page: Page, hub: Hub) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(hub.url)
    for _press in range(2):
        with page.expect_response("**/settings/theme"):
            page.get_by_role("button", name="Theme:").click()

    page.reload()

    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_files_are_reached_by_the_keyboard_alone(page: Page, hub: Hub) -> None:
    page.goto(f"{hub.url}/ada/harbour/tree/main")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    for _press in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == "config.json":
            break
    page.keyboard.press("Enter")

    expect(page).to_have_url(f"{hub.url}/ada/harbour/blob/main/config.json")


def test_another_revision_of_a_file_is_one_choice_away(page: Page, hub: Hub) -> None:
    page.goto(f"{hub.url}/ada/harbour/commit/{hub.commit}")

    page.get_by_role("link", name="config.json").click()

    expect(page.get_by_text("albert")).to_be_visible()
    page.get_by_label("Revision").click()
    page.get_by_role("link", name="main").click()
    expect(page).to_have_url(f"{hub.url}/ada/harbour/blob/main/config.json")


def test_a_collection_is_begun_from_a_repo_filled_and_deleted(page: Page, hub: Hub) -> None:
    sign_in(page, hub)
    page.goto(f"{hub.url}/ada/harbour")
    page.get_by_role("link", name="New collection with this model").click()
    page.get_by_label("Title").fill("My shelf")
    page.get_by_label("Private").check()
    page.get_by_role("button", name="Create collection").click()
    expect(page.get_by_role("heading", name="My shelf")).to_be_visible()

    page.get_by_label("What it is").select_option("dataset")
    page.get_by_label("Name").fill("ada/missing")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("Repository not found")).to_be_visible()
    page.get_by_label("Name").fill("ada/rows")
    page.get_by_role("button", name="Add").click()
    page.get_by_role("button", name="Move ada/rows up").click()
    expect(page.locator(".repo-list > li").first).to_contain_text("rows")

    page.get_by_label("Note on ada/rows").fill("Read these first")
    page.get_by_role("button", name="Keep note").first.click()
    expect(page.get_by_label("Note on ada/rows")).to_have_value("Read these first")
    page.get_by_role("button", name="Remove ada/harbour").click()
    expect(page.locator(".repo-list > li")).to_have_count(1)
    page.get_by_role("button", name="Vote").click()
    expect(page.get_by_role("button", name="Voted")).to_be_visible()

    page.get_by_role("button", name="Delete collection").click()
    expect(page.get_by_text("My shelf is deleted; what it held is not.")).to_be_visible()


def test_a_branch_is_protected_and_a_tag_promoted(page: Page, hub: Hub) -> None:
    sign_in(page, hub)
    page.goto(f"{hub.url}/new")
    page.get_by_label("Name").fill("guarded")
    page.get_by_role("button", name="Create repo").click()
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("link", name="Protected branches and tags").click()

    page.get_by_label("Called").fill("main")
    page.get_by_label("A branch changes by pull requests alone").check()
    page.get_by_label("Checks that must succeed").fill("ci/weights, ci/licence")
    page.get_by_role("button", name="Protect", exact=True).click()
    expect(page.get_by_role("main")).to_contain_text(
        "moved by whoever may write; keeps its history; is not deleted; "
        "changes by pull requests alone; needs the check ci/weights; needs the check ci/licence"
    )

    page.get_by_role("link", name="Promotions").click()
    page.get_by_label("Tag").fill("production")
    page.get_by_role("button", name="Promote").click()
    expect(page.get_by_text("production: done.")).to_be_visible()
    page.get_by_label("Tag").fill("production")
    page.get_by_role("button", name="Promote").click()
    expect(page.get_by_text("production names that commit already.")).to_be_visible()

    page.goto(f"{hub.url}/ada/guarded/rules")
    page.get_by_role("button", name="Let go of the rule on main").click()
    expect(page.get_by_role("heading", name="Nothing is protected")).to_be_visible()
