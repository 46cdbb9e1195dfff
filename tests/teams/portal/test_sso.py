"""Sign in by an organisation's OpenID Connect provider, a real one, and what it may not do."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from teams.errors import Forbidden, Invalid
from teams.http.sso import claims_in
from teams.models import (
    AuditEntry,
    IdentityProvider,
    Membership,
    SsoIdentity,
    Team,
    User,
)
from teams.policies import Principal
from teams.roles import Role
from teams.services import grouping, organisations, sso, sso_setup, tokens
from teams.services.organisations import Seat
from teams.services.sso import Claims, SignInFirst
from teams.services.sso_setup import ProviderWish
from tests.cast import Cast, signed_in
from tests.teams.identity_provider import callback, oidc_provider, sign_in

START = "/orgs/acme/sso"
DANA = {
    "sub": "u-dana",
    "email": "dana@acme.test",
    "name": "Dana Doe",
    "preferred_username": "dana",
    "groups": ["engineers", "everybody"],
}
EVE = {"sub": "u-eve", "email": "ada@acme.test", "preferred_username": "ada", "groups": ["guests"]}


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """The provider of acme, with Dana and Eve."""
    with oidc_provider([DANA, EVE]) as url:
        yield url


@pytest.fixture
def wish(issuer: str, settings: Settings) -> ProviderWish:
    settings.SSO_HOSTS = frozenset({issuer.removeprefix("http://")})
    return ProviderWish(
        issuer=issuer,
        client_id="weighhouse",
        secret="of the client",
        roles={"engineers": "write", "everybody": "read"},
        teams={"engineers": "Research"},
        default_role=Role.READ,
    )


@pytest.fixture
def acme(cast: Cast, wish: ProviderWish) -> Cast:
    """The cast, with a provider set up for its organisation."""
    sso_setup.configure(organisation=cast.acme, wish=wish, by=signed_in(cast.ada))
    return cast


def test_whoever_comes_the_first_time_gets_an_account_a_role_and_a_team(acme: Cast) -> None:
    grouping.create_team(organisation=acme.acme, name="Research", by=signed_in(acme.ada))
    client = Client()

    answer = sign_in(client, f"{START}?next=/acme", "u-dana")

    assert answer["Location"] == "/acme"
    dana = User.objects.get(namespace__name="dana")
    member = Membership.objects.get(user=dana)
    assert client.get("/api/whoami-v2").json()["name"] == "dana"
    assert (member.role, member.source) == (Role.WRITE, Membership.Source.SSO)
    assert [team.name for team in Team.objects.filter(members=member)] == ["Research"]
    assert dana.fullname == "Dana Doe"
    assert not dana.has_usable_password()
    told = AuditEntry.objects.filter(chain=acme.acme.namespace_id, action__startswith="sso.")
    assert [entry.action for entry in told.order_by("id")] == ["sso.link", "sso.sign_in"]


def test_role_and_teams_are_said_anew_at_each_sign_in(acme: Cast, wish: ProviderWish) -> None:
    grouping.create_team(organisation=acme.acme, name="Research", by=signed_in(acme.ada))
    sign_in(Client(), START, "u-dana")
    less = replace(wish, secret="", roles={"everybody": "contributor"}, teams={"x": "Research"})
    sso_setup.configure(organisation=acme.acme, wish=less, by=signed_in(acme.ada))

    sign_in(Client(), START, "u-dana")

    member = Membership.objects.get(user__namespace__name="dana")
    assert member.role == Role.CONTRIBUTOR
    assert not Team.objects.filter(members=member).exists()
    assert User.objects.filter(namespace__name__startswith="dana").count() == 1


def test_a_provider_cannot_take_over_the_account_of_whose_name_and_address_it_claims(
    acme: Cast,
) -> None:
    acme.ada.email = "ada@acme.test"
    acme.ada.save()
    client = Client()

    sign_in(client, START, "u-eve")

    assert client.get("/api/whoami-v2").json()["name"] == "ada-2"


def test_a_member_who_is_signed_in_keeps_their_account_and_only_shows_that_they_came(
    acme: Cast,
) -> None:
    client = Client()
    client.force_login(acme.ben)

    sign_in(client, START, "u-dana")

    assert client.get("/api/whoami-v2").json()["name"] == "ben"
    assert not SsoIdentity.objects.get(user=acme.ben).is_managed
    stranger = Client()
    answer = sign_in(stranger, START, "u-dana")
    assert answer["Location"] == f"/login?next={START}"
    assert stranger.get("/api/whoami-v2").status_code == 401


def test_whoever_is_in_no_group_that_is_let_in_stays_outside(
    acme: Cast, wish: ProviderWish
) -> None:
    strict = replace(wish, secret="", default_role=None)
    sso_setup.configure(organisation=acme.acme, wish=strict, by=signed_in(acme.ada))
    client = Client()

    assert sign_in(client, START, "u-eve")["Location"] == "/login"
    assert client.get("/api/whoami-v2").status_code == 401
    assert not User.objects.filter(namespace__name="ada-2").exists()


def test_an_answer_counts_once_and_only_in_the_browser_that_asked(acme: Cast) -> None:
    client, other = Client(), Client()
    back = callback(client, START, "u-dana")

    elsewhere, first, again = other.get(back), client.get(back), client.get(back)

    assert first["Location"] == "/acme"
    assert other.get("/api/whoami-v2").status_code == 401
    assert elsewhere.status_code in {302, 400}
    assert again["Location"] == "/login" if again.status_code == 302 else again.status_code == 400


@pytest.mark.parametrize("change", ["code=wrong", "state=wrong", "error=access_denied"])
def test_an_answer_that_was_changed_lets_nobody_in(acme: Cast, change: str) -> None:
    client = Client()
    path, _, query = callback(client, START, "u-dana").partition("?")
    name = change.partition("=")[0]
    kept = "&".join(part for part in query.split("&") if not part.startswith(f"{name}="))
    kept = kept if name != "error" else "&".join(p for p in kept.split("&") if "code" not in p)

    answer = client.get(f"{path}?{kept}&{change}")

    assert answer.status_code in {302, 400}
    assert client.get("/api/whoami-v2").status_code == 401
    assert not User.objects.filter(namespace__name="dana").exists()


def private_repo_is_seen_by(cast: Cast, client: Client) -> bool:
    code = client.get("/api/models/acme/hidden").status_code
    listed = client.get("/api/models?author=acme").json()
    assert (code == 200) == any(repo["id"] == "acme/hidden" for repo in listed)
    return code == 200


def test_where_it_is_enforced_members_are_let_in_only_after_they_came_by(
    acme: Cast, wish: ProviderWish
) -> None:
    acme.repo("acme/hidden", private=True)
    secret = tokens.issue(user=acme.ben, name="t", role="write")[1]
    program = Client(headers={"Authorization": f"Bearer {secret}"})
    browser = Client()
    browser.force_login(acme.ben)
    assert private_repo_is_seen_by(acme, program)
    enforced = replace(wish, secret="", is_enforced=True)
    sso_setup.configure(organisation=acme.acme, wish=enforced, by=signed_in(acme.ada))

    assert not private_repo_is_seen_by(acme, program)
    assert not private_repo_is_seen_by(acme, browser)
    sign_in(browser, START, "u-dana")
    assert private_repo_is_seen_by(acme, browser)
    assert private_repo_is_seen_by(acme, program)

    SsoIdentity.objects.update(fresh_until=timezone.now() - timedelta(seconds=1))
    assert not private_repo_is_seen_by(acme, program)


def test_owners_break_the_glass_and_own_repos_stay_open(acme: Cast, wish: ProviderWish) -> None:
    acme.repo("acme/hidden", private=True)
    acme.repo("ben/own", private=True)
    enforced = replace(wish, secret="", is_enforced=True)
    sso_setup.configure(organisation=acme.acme, wish=enforced, by=signed_in(acme.ada))
    ada, ben = Client(), Client()
    ada.force_login(acme.ada)
    ben.force_login(acme.ben)

    assert private_repo_is_seen_by(acme, ada)
    assert ben.get("/api/models/ben/own").status_code == 200
    assert Principal(user=acme.root, may_change=True).shut_out == frozenset()


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://elsewhere.test"},
        {"issuer": "http://169.254.169.254"},
        {"issuer": "ftp://127.0.0.1"},
        {"client_id": ""},
        {"session_hours": 0},
        {"roles": {"x": "emperor"}},
        {"is_enabled": False, "is_enforced": True},
    ],
)
def test_what_cannot_be_is_refused(
    acme: Cast, wish: ProviderWish, change: dict[str, object]
) -> None:
    bad = replace(wish, **change)  # type: ignore[arg-type]

    with pytest.raises(Invalid):
        sso_setup.configure(organisation=acme.acme, wish=bad, by=signed_in(acme.ada))


def test_only_admins_set_it_up(acme: Cast, wish: ProviderWish) -> None:
    with pytest.raises(Forbidden):
        sso_setup.configure(organisation=acme.acme, wish=wish, by=signed_in(acme.ben))
    client = Client()
    client.force_login(acme.ben)
    assert client.get("/orgs/acme/settings/sso").status_code == 403


def test_admins_set_it_up_on_a_page_that_never_shows_the_secret(acme: Cast, issuer: str) -> None:
    client = Client()
    client.force_login(acme.ada)
    form = {
        "issuer": issuer,
        "client_id": "other",
        "groups_claim": "groups",
        "roles": "a = write\nb = read",
        "session_hours": "24",
        "is_enabled": "on",
    }

    saved = client.post("/orgs/acme/settings/sso", form)
    page = client.get("/orgs/acme/settings/sso").content.decode()
    bad = client.post("/orgs/acme/settings/sso", {**form, "roles": "nonsense"})

    assert saved.status_code == 302
    assert "a = write" in page
    assert "of the client" not in page
    assert bad.status_code == 422
    entry = AuditEntry.objects.filter(action="org.settings.sso").latest("id")
    assert "of the client" not in str(entry.details)
    client.post("/orgs/acme/settings/sso", {"remove": "1"})
    assert Client().get(START).status_code == 404


def test_seats_of_owners_are_left_alone(acme: Cast) -> None:
    owner = Seat(Role.ADMIN, is_owner=True)
    organisations.seat(organisation=acme.acme, user=acme.ben, seat=owner, by=acme.ada)
    client = Client()
    client.force_login(acme.ben)

    sign_in(client, START, "u-eve")

    assert Membership.objects.get(user=acme.ben, organisation=acme.acme).is_owner


def test_a_subject_means_nobody_at_another_provider(
    acme: Cast, wish: ProviderWish, settings: Settings
) -> None:
    sign_in(Client(), START, "u-dana")
    settings.SSO_HOSTS |= {"elsewhere.test"}
    other = replace(wish, secret="", issuer="https://elsewhere.test")
    provider = sso_setup.configure(organisation=acme.acme, wish=other, by=signed_in(acme.ada))
    claims = Claims("u-dana", username="dana")

    stranger = sso.come_by(provider=provider, claims=claims, present=None)

    assert stranger.name == "dana-2"


def test_who_was_known_to_an_older_provider_shows_the_new_one_that_they_came(
    acme: Cast, wish: ProviderWish, settings: Settings
) -> None:
    sign_in(Client(), START, "u-dana")
    dana = User.objects.get(namespace__name="dana")
    settings.SSO_HOSTS |= {"elsewhere.test"}
    other = replace(wish, secret="", issuer="https://elsewhere.test")
    provider = sso_setup.configure(organisation=acme.acme, wish=other, by=signed_in(acme.ada))
    claims = Claims("u-7", username="dana")

    assert sso.come_by(provider=provider, claims=claims, present=dana) == dana

    with pytest.raises(SignInFirst):
        sso.come_by(provider=provider, claims=claims, present=None)


@pytest.mark.parametrize("subject", [None, 7, "", "x" * 300])
def test_who_is_not_named_is_not_let_in(acme: Cast, issuer: str, subject: object) -> None:
    provider = IdentityProvider.objects.get()

    with pytest.raises(Forbidden, match="did not say who you are"):
        claims_in(provider, {"id_token": {"iss": issuer, "sub": subject}})
