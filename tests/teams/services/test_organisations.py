"""Owners, members, teams, resource groups, grants and invitations."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from hub.models import Repo
from teams.errors import Conflict, Forbidden, Invalid, NotFound, Refusal, Unauthenticated
from teams.models import AuditEntry, Grant, Invitation, Membership, ResourceGroup, TeamMember
from teams.models.standing import Place
from teams.policies import ANONYMOUS, Principal
from teams.queries import organisation_named, user_named
from teams.queries.organisations import waiting_invitations
from teams.roles import Role
from teams.services import grants, grouping, invitations, members, organisations
from teams.services.grants import GrantWish
from teams.services.organisations import OWNER, SEATS, OrganisationSettings, Seat
from tests.cast import Cast, gather, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(cast: Cast) -> Principal:
    return signed_in(cast.ada)


@pytest.fixture
def ben(cast: Cast) -> Principal:
    return signed_in(cast.ben)


def label(cast: Cast, name: str) -> str:
    return Membership.objects.get(organisation=cast.acme, user=user_named(name)).label


# --- Members --------------------------------------------------------------------------------------
@pytest.mark.parametrize("seat", SEATS.values(), ids=SEATS)
def test_a_member_becomes_whatever_an_owner_says(cast: Cast, ada: Principal, seat: Seat) -> None:
    members.change(organisation=cast.acme, user=cast.ben, seat=seat, by=ada)

    assert label(cast, "ben") == seat.label


def test_the_last_owner_neither_leaves_nor_stops_owning(cast: Cast, ada: Principal) -> None:
    with pytest.raises(Conflict, match="needs an owner"):
        members.leave(organisation=cast.acme, by=ada)
    with pytest.raises(Conflict, match="needs an owner"):
        members.change(organisation=cast.acme, user=cast.ada, seat=Seat(Role.ADMIN), by=ada)

    assert label(cast, "ada") == "owner"


def test_an_owner_goes_once_there_is_another(cast: Cast, ada: Principal) -> None:
    members.change(organisation=cast.acme, user=cast.ben, seat=OWNER, by=ada)
    members.leave(organisation=cast.acme, by=ada)

    assert label(cast, "ben") == "owner"
    with pytest.raises(Conflict):
        members.leave(organisation=cast.acme, by=signed_in(cast.ben))


def test_admins_manage_members_but_no_owners(cast: Cast, ada: Principal) -> None:
    members.change(organisation=cast.acme, user=cast.ben, seat=Seat(Role.ADMIN), by=ada)
    organisations.change_role(organisation=cast.acme, user=cast.cleo, role=Role.READ, by=None)
    ben = signed_in(cast.ben)

    members.change(organisation=cast.acme, user=cast.cleo, seat=Seat(Role.WRITE), by=ben)

    for user, seat in ((cast.cleo, OWNER), (cast.ada, Seat(Role.READ))):
        with pytest.raises(Forbidden, match="Only owners of acme"):
            members.change(organisation=cast.acme, user=user, seat=seat, by=ben)
    with pytest.raises(Forbidden, match="Only owners of acme"):
        members.remove(organisation=cast.acme, user=cast.ada, by=ben)


@pytest.mark.parametrize("who", ["ben", "cleo", "anonymous", "reading"])
def test_nobody_else_manages_members(cast: Cast, who: str) -> None:
    by = {
        "ben": signed_in(cast.ben),
        "cleo": signed_in(cast.cleo),
        "anonymous": ANONYMOUS,
        "reading": signed_in(cast.ada, may_change=False),
    }[who]
    verbs: list[Callable[[], object]] = [
        lambda: members.change(organisation=cast.acme, user=cast.ben, seat=OWNER, by=by),
        lambda: members.remove(organisation=cast.acme, user=cast.ben, by=by),
        lambda: invitations.invite(organisation=cast.acme, role=Role.READ, by=by),
        lambda: grouping.create_group(organisation=cast.acme, name="Secret", by=by),
        lambda: grouping.create_team(organisation=cast.acme, name="Ink", by=by),
        lambda: organisations.close(organisation=cast.acme, by=by),
        lambda: organisations.change_settings(
            organisation=cast.acme, settings=OrganisationSettings(fullname="Mine"), by=by
        ),
        lambda: grants.give(
            on=Place(cast.acme.namespace_id, group_id=1),
            wish=GrantWish(cast.cleo, Role.ADMIN),
            by=by,
        ),
    ]
    for verb in verbs:
        with pytest.raises((Forbidden, Unauthenticated, NotFound)):
            verb()


def test_whoever_is_taken_out_keeps_nothing(cast: Cast, ada: Principal) -> None:
    repo = cast.repo("acme/tiny", private=True)
    team = grouping.create_team(organisation=cast.acme, name="Ink", by=ada)
    grouping.join_team(team=team, user=cast.ben, by=ada)
    place = Place(cast.acme.namespace_id, repo_id=repo.pk)
    grants.give(on=place, wish=GrantWish(cast.ben, Role.ADMIN), by=ada)
    grants.give(on=place, wish=GrantWish(team, Role.ADMIN), by=ada)
    assert signed_in(cast.ben).role_on(place) == Role.ADMIN

    members.remove(organisation=cast.acme, user=cast.ben, by=ada)

    assert signed_in(cast.ben).role_on(place) == Role.NO_ACCESS
    assert not TeamMember.objects.exists()


def test_a_maintainer_makes_teams_and_nothing_more(cast: Cast, ada: Principal) -> None:
    seat = SEATS["maintainer"]
    members.change(organisation=cast.acme, user=cast.ben, seat=seat, by=ada)
    ben = signed_in(cast.ben)

    team = grouping.create_team(organisation=cast.acme, name="Ink", by=ben)
    grouping.join_team(team=team, user=cast.ada, by=ben)

    with pytest.raises(Forbidden):
        grouping.create_group(organisation=cast.acme, name="Secret", by=ben)


@pytest.mark.django_db(transaction=True)
def test_of_two_owners_who_leave_at_once_one_stays() -> None:
    """Each alone may go: only the database sees both."""
    cast = gather()
    for round_number in range(5):
        organisations.seat(organisation=cast.acme, user=cast.ada, seat=OWNER, by=None)
        organisations.seat(organisation=cast.acme, user=cast.ben, seat=OWNER, by=None)
        start = Barrier(2)

        def leave(name: str, start: Barrier = start) -> bool:
            try:
                acme, by = organisation_named("acme"), signed_in(user_named(name))
                start.wait(timeout=30)
                members.leave(organisation=acme, by=by)
            except Conflict:
                return False
            finally:
                connection.close()
            return True

        with ThreadPoolExecutor(2) as threads:
            left = list(threads.map(leave, ["ada", "ben"]))

        assert sorted(left) == [False, True], round_number
        assert Membership.objects.filter(organisation=cast.acme, is_owner=True).count() == 1


# --- Teams, groups, grants ------------------------------------------------------------------------
def test_a_group_shuts_its_repos_to_who_is_not_in_it(cast: Cast, ada: Principal) -> None:
    group = grouping.create_group(organisation=cast.acme, name="Secret", by=ada)
    repo = cast.repo("acme/tiny", private=True)
    Repo.objects.filter(pk=repo.pk).update(resource_group=group)
    place = Place(cast.acme.namespace_id, "model", group.pk, repo.pk)

    assert signed_in(cast.ben).role_on(place) == Role.NO_ACCESS
    grants.give(
        on=Place(cast.acme.namespace_id, group_id=group.pk),
        wish=GrantWish(cast.ben, Role.WRITE),
        by=ada,
    )
    assert signed_in(cast.ben).role_on(place) == Role.WRITE


def test_an_admin_of_a_group_says_who_is_in_it_and_nowhere_else(cast: Cast, ada: Principal) -> None:
    one, other = (grouping.create_group(organisation=cast.acme, name=n, by=ada) for n in "ab")
    space = cast.acme.namespace_id
    grants.give(on=Place(space, group_id=one.pk), wish=GrantWish(cast.ben, Role.ADMIN), by=ada)
    ben, wish = signed_in(cast.ben), GrantWish(cast.cleo, Role.READ)

    grants.give(on=Place(space, group_id=one.pk), wish=wish, by=ben)

    with pytest.raises(NotFound):
        grants.give(on=Place(space, group_id=other.pk), wish=wish, by=ben)
    with pytest.raises(Forbidden):
        grants.give(on=Place(space), wish=wish, by=ben)


def test_a_group_with_repos_stays(cast: Cast, ada: Principal) -> None:
    group = grouping.create_group(organisation=cast.acme, name="Secret", by=ada)
    repo = cast.repo("acme/tiny", private=True)
    Repo.objects.filter(pk=repo.pk).update(resource_group=group)

    with pytest.raises(Conflict, match="still holds repos"):
        grouping.delete_group(organisation=cast.acme, group=group, by=ada)

    assert ResourceGroup.objects.filter(pk=group.pk).exists()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"role": Role.NO_ACCESS}, "gives something"),
        ({"kinds": ["paper"]}, "kinds must be"),
        ({"kinds": []}, "kinds must be"),
        ({"expires_at": timezone.now() - timedelta(hours=1)}, "expired already"),
    ],
    ids=["nothing", "unknown-kind", "no-kind", "past"],
)
def test_a_grant_that_cannot_be_is_refused(
    cast: Cast, ada: Principal, change: dict[str, object], says: str
) -> None:
    group = grouping.create_group(organisation=cast.acme, name="Secret", by=ada)
    wish = GrantWish(**{"to": cast.ben, "role": Role.READ, **change})  # type: ignore[arg-type]

    with pytest.raises(Invalid, match=says):
        grants.give(on=Place(cast.acme.namespace_id, group_id=group.pk), wish=wish, by=ada)


def test_a_team_of_others_gets_nothing_here(cast: Cast, ada: Principal) -> None:
    others = organisations.create(name="others", owner=cast.cleo, by=cast.cleo)
    team = grouping.create_team(organisation=others, name="Ink", by=signed_in(cast.cleo))

    with pytest.raises(Invalid, match="another organisation"):
        grants.give(on=Place(cast.acme.namespace_id), wish=GrantWish(team, Role.READ), by=ada)


def test_giving_twice_is_the_last_gift_alone(cast: Cast, ada: Principal) -> None:
    repo = cast.repo("acme/tiny", private=True)
    place = Place(cast.acme.namespace_id, repo_id=repo.pk)
    for role in (Role.ADMIN, Role.READ):
        grants.give(on=place, wish=GrantWish(cast.cleo, role), by=ada)

    assert [grant.role for grant in Grant.objects.all()] == [Role.READ]
    grants.take(grant=Grant.objects.get(), by=signed_in(cast.cleo))
    assert not Grant.objects.exists()


def test_a_grant_goes_with_its_repo(cast: Cast, ada: Principal) -> None:
    repo = cast.repo("acme/tiny", private=True)
    place = Place(cast.acme.namespace_id, repo_id=repo.pk)
    grants.give(on=place, wish=GrantWish(cast.cleo, Role.READ), by=ada)

    Repo.objects.filter(pk=repo.pk).delete()

    assert not Grant.objects.exists()
    with pytest.raises(NotFound):
        grants.give(on=place, wish=GrantWish(cast.cleo, Role.READ), by=ada)


@pytest.mark.parametrize(
    "name",
    ["", "   ", "a\0b", "x" * 81, "\u202egnp.exe", "\u200b", "a\ud800", "\x1b[2J"],
)
def test_a_name_that_nobody_can_read_is_refused(cast: Cast, ada: Principal, name: str) -> None:
    for make in (grouping.create_team, grouping.create_group):
        with pytest.raises(Invalid):
            make(organisation=cast.acme, name=name, by=ada)


# --- Invitations ----------------------------------------------------------------------------------
def invite(cast: Cast, ada: Principal, **more: object) -> str:
    asked = {"organisation": cast.acme, "role": Role.READ, "by": ada, **more}
    return invitations.invite(**asked).path.removeprefix("/join/")  # type: ignore[arg-type]


def test_a_link_makes_a_member_once(cast: Cast, ada: Principal) -> None:
    secret = invite(cast, ada, role=Role.CONTRIBUTOR)

    invitations.accept(secret=secret, by=signed_in(cast.cleo))

    assert label(cast, "cleo") == "contributor"
    with pytest.raises(NotFound, match="is over"):
        invitations.accept(secret=secret, by=signed_in(cast.root))


def test_a_link_is_stored_as_a_digest_alone(cast: Cast, ada: Principal) -> None:
    secret = invite(cast, ada)

    row = Invitation.objects.values().get()
    assert secret not in str(row)
    assert not [entry for entry in AuditEntry.objects.all() if secret in str(entry.details)]


def test_a_link_that_is_over_says_no_more(cast: Cast, ada: Principal) -> None:
    old, revoked, renewed = (invite(cast, ada) for _ in range(3))
    rows = {waiting.pk: waiting for waiting in waiting_invitations(cast.acme)}
    first, second, third = sorted(rows)
    Invitation.objects.filter(pk=first).update(expires_at=timezone.now())
    invitations.revoke(invitation=rows[second], by=ada)
    again = invitations.renew(invitation=rows[third], by=ada)

    said = set()
    for secret in (old, revoked, renewed, "forged", "", "\0"):
        with pytest.raises(Refusal) as refused:
            invitations.accept(secret=secret, by=signed_in(cast.cleo))
        said.add((type(refused.value), refused.value.message))

    assert len(said) == 1
    invitations.accept(secret=again.path.removeprefix("/join/"), by=signed_in(cast.cleo))


def test_a_link_for_an_address_is_for_nobody_else(cast: Cast, ada: Principal) -> None:
    secret = invite(cast, ada, email="cleo@ink.example")

    with pytest.raises(Forbidden, match=r"c…@i…\.example") as refused:
        invitations.accept(secret=secret, by=signed_in(cast.cleo))
    assert "cleo@" not in refused.value.message

    cast.cleo.email = "Cleo@Ink.example"
    invitations.accept(secret=secret, by=signed_in(cast.cleo))
    assert label(cast, "cleo") == "read"


def test_a_weaker_link_takes_no_role_away(cast: Cast, ada: Principal) -> None:
    invitations.accept(secret=invite(cast, ada, role=Role.READ), by=signed_in(cast.ben))

    assert label(cast, "ben") == "write"


@pytest.mark.parametrize("email", ["no address", "a@b\nBcc: c@d.example", "@", "a@b@c", "x" * 400])
def test_an_invitation_wants_an_address(cast: Cast, ada: Principal, email: str) -> None:
    with pytest.raises(Invalid, match="no e-mail address"):
        invite(cast, ada, email=email)


@pytest.mark.django_db(transaction=True)
def test_two_people_with_one_link_are_one_member() -> None:
    cast = gather()
    secret = invite(cast, signed_in(cast.ada))
    start = Barrier(2)

    def accept(name: str) -> bool:
        try:
            by = signed_in(user_named(name))
            start.wait(timeout=30)
            invitations.accept(secret=secret, by=by)
        except NotFound:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(accept, ["cleo", "root"])) == [False, True]


# --- The organisation itself ----------------------------------------------------------------------
def test_what_was_done_is_in_the_log(cast: Cast, ada: Principal) -> None:
    before = set(AuditEntry.objects.values_list("pk", flat=True))
    settings = OrganisationSettings(fullname="Acme", default_visibility="private")
    organisations.change_settings(organisation=cast.acme, settings=settings, by=ada)
    invitations.accept(secret=invite(cast, ada), by=signed_in(cast.cleo))
    members.change(organisation=cast.acme, user=cast.cleo, seat=Seat(Role.WRITE), by=ada)
    members.remove(organisation=cast.acme, user=cast.cleo, by=ada)

    entries = AuditEntry.objects.exclude(pk__in=before).order_by("pk")
    assert [entry.action for entry in entries] == [
        "org.update_settings",
        "org.invite_user",
        "org.add_user",
        "org.change_role",
        "org.remove_user",
    ]
    assert entries[3].details == {"role": {"old": "read", "new": "write"}}


@pytest.mark.parametrize(
    "website", ["javascript:alert(1)", "https://", "ftp://a.example", "https://u:p@a.example", "x"]
)
def test_a_website_is_one_that_a_page_may_link_to(cast: Cast, ada: Principal, website: str) -> None:
    settings = OrganisationSettings(website=website)
    with pytest.raises(Invalid, match="website"):
        organisations.change_settings(organisation=cast.acme, settings=settings, by=ada)


def test_the_name_of_a_closed_organisation_stays_taken(cast: Cast, ada: Principal) -> None:
    organisations.close(organisation=cast.acme, by=ada)

    with pytest.raises(NotFound):
        organisation_named("acme")
    with pytest.raises(Conflict, match="taken"):
        organisations.create(name="ACME", owner=cast.cleo, by=cast.cleo)
