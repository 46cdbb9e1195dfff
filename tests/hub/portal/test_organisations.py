"""Pages of organisations: make one, invite, seat, gather in teams and resource groups, close."""

from http import HTTPStatus

import pytest
from django.test import Client

from hub.models import Repo
from teams.models import Grant, Invitation, Membership, ResourceGroup, Team, User
from teams.roles import Role
from teams.services import grouping, invitations
from tests.cast import Cast, signed_in

pytestmark = pytest.mark.django_db

HOME = "/orgs/acme/settings"


def browser_of(user: User) -> Client:
    browser = Client(headers={"Accept": "text/html"})
    browser.force_login(user)
    return browser


@pytest.fixture
def ada(cast: Cast) -> Client:
    return browser_of(cast.ada)


def test_who_makes_an_organisation_owns_it(cast: Cast) -> None:
    browser = browser_of(cast.cleo)

    taken = browser.post("/orgs/new", {"name": "Acme"})
    made = browser.post("/orgs/new", {"name": "ink"}, follow=True)

    assert taken.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "is taken" in taken.content.decode()
    assert made.redirect_chain[-1][0] == "/orgs/ink/settings/members"
    assert Membership.objects.get(organisation__namespace__name="ink").label == "owner"


def test_a_link_is_shown_once_and_lets_somebody_in(cast: Cast, ada: Client) -> None:
    page = ada.post(f"{HOME}/members", {"invite": "yes", "email": "", "role": "write"})
    link = page.context["link"]
    assert link in page.content.decode()
    assert link not in ada.get(f"{HOME}/members").content.decode()
    path = link[link.index("/join/") :]

    stranger = Client(headers={"Accept": "text/html"})
    assert "Sign in to join" in stranger.get(path).content.decode()
    joined = browser_of(cast.cleo).post(path, follow=True)

    assert "You are a member of acme: write." in joined.content.decode()
    assert browser_of(cast.root).get(path).status_code == HTTPStatus.NOT_FOUND


def test_a_letter_for_somebody_else_is_not_accepted(cast: Cast) -> None:
    by = signed_in(cast.ada)
    invited = invitations.invite(
        organisation=cast.acme, role=Role.READ, by=by, email="x@ink.example"
    )
    cleo = browser_of(cast.cleo)

    shown = cleo.get(invited.path)
    refused = cleo.post(invited.path)

    assert "x…@i….example" in shown.content.decode()
    assert "Join as" not in shown.content.decode()
    assert refused.status_code == HTTPStatus.FORBIDDEN


def test_invitations_are_renewed_and_taken_back(cast: Cast, ada: Client) -> None:
    ada.post(f"{HOME}/members", {"invite": "yes", "role": "read"})
    number = Invitation.objects.get().pk

    again = ada.post(f"{HOME}/members", {"renew": number})
    ada.post(f"{HOME}/members", {"revoke": number})

    path = again.context["invited"].path
    assert browser_of(cast.cleo).get(path).status_code == HTTPStatus.NOT_FOUND


def test_roles_change_and_the_last_owner_stays(cast: Cast, ada: Client) -> None:
    ada.post(f"{HOME}/members", {"change": "ben", "seat": "maintainer"})
    refused = ada.post(f"{HOME}/members", {"change": "ada", "seat": "read"})

    assert Membership.objects.get(user=cast.ben).label == "maintainer"
    assert refused.status_code == HTTPStatus.CONFLICT
    assert "needs an owner" in refused.content.decode()


@pytest.mark.parametrize("page", ["members", "teams", "resource-groups"])
def test_strangers_see_nothing_of_the_settings(cast: Cast, page: str) -> None:
    nobody = Client(headers={"Accept": "text/html"}).get(f"{HOME}/{page}")

    assert browser_of(cast.cleo).get(f"{HOME}/{page}").status_code == HTTPStatus.FORBIDDEN
    assert nobody.status_code == HTTPStatus.FOUND


@pytest.mark.parametrize("page", ["profile", "close"])
def test_members_change_no_settings(cast: Cast, page: str) -> None:
    assert browser_of(cast.ben).get(f"{HOME}/{page}").status_code == HTTPStatus.FORBIDDEN


def test_a_team_in_a_group_reads_its_repos(cast: Cast, ada: Client) -> None:
    cast.repo("acme/tiny", private=True)
    cast.repo("acme/open")
    ada.post(f"{HOME}/teams", {"name": "Ink", "description": "They write"})
    team = Team.objects.get()
    ada.post(f"{HOME}/teams/{team.pk}", {"join": "ben"})
    ada.post(f"{HOME}/resource-groups", {"name": "Secret"})
    here = f"{HOME}/resource-groups/{ResourceGroup.objects.get().pk}"
    ada.post(here, {"put": "model:tiny"})
    ben = browser_of(cast.ben)
    assert ben.get("/acme/tiny").status_code == HTTPStatus.NOT_FOUND
    assert ben.get(here).status_code == HTTPStatus.NOT_FOUND

    gift = {"give": "yes", "to": team.pk, "role": "read", "kinds": ["model"], "until": "2999-01-01"}
    ada.post(here, gift)

    assert ben.get("/acme/tiny").status_code == HTTPStatus.OK
    assert "Secret" in ada.get(f"{HOME}/teams/{team.pk}").content.decode()
    assert "Secret" in ben.get(f"{HOME}/resource-groups").content.decode()
    ada.post(here, {"take": Grant.objects.get().pk})
    assert ben.get("/acme/tiny").status_code == HTTPStatus.NOT_FOUND
    assert ada.post(here, {"delete": "yes"}).status_code == HTTPStatus.CONFLICT
    ada.post(here, {"out": "model:tiny"})
    ada.post(here, {"delete": "yes"})
    assert not ResourceGroup.objects.exists()


def test_an_outsider_gets_a_role_on_one_repo(cast: Cast, ada: Client) -> None:
    cast.repo("acme/tiny", private=True)
    cleo = browser_of(cast.cleo)
    assert cleo.get("/acme/tiny").status_code == HTTPStatus.NOT_FOUND

    nobody = ada.post("/acme/tiny/access", {"give": "yes", "role": "read"})
    ada.post("/acme/tiny/access", {"give": "yes", "user": "cleo", "role": "read"})

    assert nobody.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert cleo.get("/acme/tiny").status_code == HTTPStatus.OK
    assert browser_of(cast.ben).get("/acme/tiny/access").status_code == HTTPStatus.FORBIDDEN
    grouping.create_group(organisation=cast.acme, name="Secret", by=signed_in(cast.ada))
    ada.post("/acme/tiny/access", {"group": ResourceGroup.objects.get().pk})
    assert Repo.objects.get().resource_group is not None
    assert "cleo" in ada.get("/acme/tiny/access").content.decode()


def test_profiles_say_what_their_owners_wrote(cast: Cast, ada: Client) -> None:
    values = {
        "fullname": "Acme <b>Works</b>",
        "about": "We weigh ink.",
        "website": "https://ink.example",
        "default_role": "read",
        "default_visibility": "private",
        "creators": "write",
    }
    ada.post(f"{HOME}/profile", values)
    ada.post("/settings/profile", {"fullname": "Ada", "about": "I count.", "website": ""})

    page = ada.get("/acme").content.decode()
    assert "We weigh ink." in page
    assert "https://ink.example" in page
    assert "<b>Works" not in page
    assert "I count." in ada.get("/ada").content.decode()


@pytest.mark.parametrize(
    "change",
    [
        {"website": "javascript:alert(1)"},
        {"fullname": "\u202egnp"},
        {"about": "x" * 501},
        {"fullname": "x" * 151},
    ],
    ids=["script", "turned", "long", "long-name"],
)
def test_a_profile_that_cannot_be_shown_is_refused(
    cast: Cast, ada: Client, change: dict[str, str]
) -> None:
    answer = ada.post("/settings/profile", {"fullname": "Ada", "about": "", **change})

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY


def test_an_organisation_closes_by_its_typed_name(cast: Cast, ada: Client) -> None:
    wrong = ada.post(f"{HOME}/close", {"confirmation": "acm"})
    assert wrong.status_code == HTTPStatus.UNPROCESSABLE_ENTITY

    ada.post(f"{HOME}/close", {"confirmation": "acme"})

    assert ada.get("/acme").status_code == HTTPStatus.NOT_FOUND


def test_an_account_closes_by_its_typed_name(cast: Cast) -> None:
    cleo = browser_of(cast.cleo)

    cleo.post("/settings/account/close", {"confirmation": "cleo"})

    assert not User.objects.filter(pk=cast.cleo.pk).exists()
    assert browser_of(cast.ada).get("/cleo").status_code == HTTPStatus.NOT_FOUND


def test_members_leave_from_their_own_list(cast: Cast) -> None:
    ben = browser_of(cast.ben)
    assert "acme" in ben.get("/settings/organizations").content.decode()

    ben.post("/settings/organizations", {"leave": "acme"})

    assert not Membership.objects.filter(user=cast.ben).exists()


@pytest.mark.parametrize(
    ("page", "form"),
    [
        ("/settings/organizations", {"leave": "a\0b"}),
        ("/orgs/acme/settings/members", {"remove": "a\0b"}),
        ("/orgs/acme/settings/tokens", {"approve": "a\0b"}),
        ("/acme/tiny/access", {"take": "a\0b"}),
        ("/acme/tiny/access-requests", {"accept": "a\0b"}),
        ("/settings/follows", {"follow": "a\0b"}),
    ],
)
def test_a_form_with_what_no_column_holds_is_refused(
    cast: Cast, ada: Client, page: str, form: dict[str, str]
) -> None:
    cast.repo("acme/tiny")

    assert ada.post(page, form).status_code in {400, 404}
