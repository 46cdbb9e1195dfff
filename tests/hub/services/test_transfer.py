"""Repos go between owners and resource groups, and owners go when they own nothing."""

import threading

import pytest
from django.db import connection

from hub.models import Event, Repo
from hub.names import RepoKind, RepoName
from hub.policies import place_of
from hub.services import closing, repos, resource_groups
from hub.services.repos import RepoSettings
from teams.errors import Conflict, Forbidden, NotFound
from teams.models import Grant, Organisation, ResourceGroup, User
from teams.policies import Principal
from teams.queries import namespace_named
from teams.roles import Role
from teams.services import grouping, organisations
from teams.services.grants import GrantWish
from tests.cast import Cast, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(cast: Cast) -> Principal:
    return signed_in(cast.ada)


@pytest.fixture
def group(cast: Cast, ada: Principal) -> ResourceGroup:
    return grouping.create_group(organisation=cast.acme, name="Secret", by=ada)


def role(cast: Cast, user: User, repo: Repo) -> Role:
    return signed_in(user).role_on(place_of(Repo.objects.get(pk=repo.pk)))


def test_only_admins_take_a_repo_out_of_an_organisation(cast: Cast, ada: Principal) -> None:
    repo = cast.repo("acme/tiny")

    with pytest.raises(Forbidden, match="Only admins of acme"):
        repos.move(repo=repo, to=RepoName("ben", "tiny"), by=signed_in(cast.ben))
    repos.move(repo=repo, to=RepoName("acme", "small"), by=signed_in(cast.ben))
    repos.move(repo=repo, to=RepoName("ada", "tiny"), by=ada)

    assert Repo.objects.get().full_name == "ada/tiny"


def test_not_even_an_admin_of_one_repo_takes_it_away(cast: Cast, ada: Principal) -> None:
    repo = cast.repo("acme/tiny", private=True)
    resource_groups.give(repo=repo, wish=GrantWish(cast.cleo, Role.ADMIN), by=ada)

    with pytest.raises(Forbidden, match="Only admins of acme"):
        repos.move(repo=repo, to=RepoName("cleo", "tiny"), by=signed_in(cast.cleo))


def test_what_was_granted_ends_with_the_owner(
    cast: Cast, ada: Principal, group: ResourceGroup
) -> None:
    repo = cast.repo("acme/tiny", private=True)
    resource_groups.put(repo=repo, group_id=group.pk, by=ada)
    resource_groups.give(repo=repo, wish=GrantWish(cast.cleo, Role.ADMIN), by=ada)

    repos.move(repo=repo, to=RepoName("ada", "tiny"), by=ada)

    assert not Grant.objects.exists()
    assert Repo.objects.get().resource_group is None
    assert role(cast, cast.cleo, repo) == Role.NO_ACCESS


def test_a_repo_enters_and_leaves_a_group_by_admins_alone(
    cast: Cast, ada: Principal, group: ResourceGroup
) -> None:
    repo = cast.repo("acme/tiny", private=True)
    with pytest.raises(Forbidden):
        resource_groups.put(repo=repo, group_id=group.pk, by=signed_in(cast.ben))

    resource_groups.put(repo=repo, group_id=group.pk, by=ada)

    assert role(cast, cast.ben, repo) == Role.NO_ACCESS
    resource_groups.put(repo=repo, group_id=None, by=ada)
    assert role(cast, cast.ben, repo) == Role.WRITE


def test_a_repo_enters_no_group_of_others(cast: Cast, ada: Principal) -> None:
    others = organisations.create(name="others", owner=cast.ada, by=cast.ada)
    group = grouping.create_group(organisation=others, name="Theirs", by=ada)
    repo = cast.repo("acme/tiny")

    with pytest.raises(NotFound):
        resource_groups.put(repo=repo, group_id=group.pk, by=ada)


def test_a_repo_begins_in_a_group_whose_contributors_make_it(
    cast: Cast, ada: Principal, group: ResourceGroup
) -> None:
    name, ben = RepoName("acme", "tiny"), signed_in(cast.ben)
    with pytest.raises(NotFound, match="no such resource group"):
        repos.create(kind=RepoKind.MODEL, name=name, by=ben, group_id=group.pk)
    Grant.objects.create(
        namespace=cast.acme.namespace, group=group, user=cast.ben, role=Role.CONTRIBUTOR
    )

    made = repos.create(kind=RepoKind.MODEL, name=name, by=signed_in(cast.ben), group_id=group.pk)

    assert made.resource_group == group
    assert {event.group_id for event in Event.objects.all()} == {group.pk}


def test_new_repos_are_as_their_organisation_says(cast: Cast, ada: Principal) -> None:
    Organisation.objects.filter(pk=cast.acme.pk).update(
        default_visibility="private", creators=Role.ADMIN
    )
    name = RepoName("acme", "tiny")
    with pytest.raises(Forbidden):
        repos.create(kind=RepoKind.MODEL, name=name, by=signed_in(cast.ben))

    assert repos.create(kind=RepoKind.MODEL, name=name, by=ada).private
    assert not repos.create(kind=RepoKind.MODEL, name=RepoName("ada", "tiny"), by=ada).private


def test_a_grant_on_a_group_makes_nobody_begin_repos_whom_the_organisation_would_not_let(
    cast: Cast, ada: Principal, group: ResourceGroup
) -> None:
    Organisation.objects.filter(pk=cast.acme.pk).update(creators=Role.ADMIN)
    Grant.objects.create(
        namespace=cast.acme.namespace, group=group, user=cast.cleo, role=Role.WRITE
    )

    with pytest.raises(Forbidden):
        repos.create(
            kind=RepoKind.MODEL,
            name=RepoName("acme", "tiny"),
            by=signed_in(cast.cleo),
            group_id=group.pk,
        )


def again(repo: Repo) -> Repo:
    """As another request has it in hand at the same moment."""
    return Repo.objects.select_related("namespace").get(pk=repo.pk)


def test_whoever_renames_leaves_a_repo_in_the_group_that_somebody_just_put_it_into(
    cast: Cast, ada: Principal, group: ResourceGroup
) -> None:
    repo = cast.repo("acme/tiny", private=True)
    in_hand = again(repo)
    resource_groups.put(repo=repo, group_id=group.pk, by=ada)

    repos.move(repo=in_hand, to=RepoName("acme", "small"), by=signed_in(cast.root))

    assert Repo.objects.get().resource_group == group


def test_whoever_renames_takes_no_repo_back_that_was_just_given_away(
    cast: Cast, ada: Principal
) -> None:
    repo = cast.repo("acme/tiny")
    in_hand = again(repo)
    repos.move(repo=repo, to=RepoName("ada", "tiny"), by=ada)

    with pytest.raises(Conflict, match="in this moment"):
        repos.move(repo=in_hand, to=RepoName("acme", "small"), by=signed_in(cast.ben))

    assert Repo.objects.get().full_name == "ada/tiny"


def test_a_change_of_one_setting_undoes_no_other(cast: Cast, ada: Principal) -> None:
    repo = cast.repo("acme/tiny")
    in_hand = again(repo)
    repos.change_settings(repo=repo, settings=RepoSettings(visibility="private"), by=ada)

    repos.change_settings(repo=in_hand, settings=RepoSettings(discussions_disabled=True), by=ada)

    assert Repo.objects.get().private


@pytest.mark.django_db(transaction=True)
def test_nothing_begins_in_an_organisation_that_is_just_closed(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def close() -> None:
        closing.close_organisation(organisation=cast.acme, by=signed_in(cast.ada))
        connection.close()

    def allowed_then_closed(*_asked: object, **_more: object) -> None:
        closer = threading.Thread(target=close)
        closer.start()
        closer.join()

    monkeypatch.setattr(repos, "check_can_create_in", allowed_then_closed)

    with pytest.raises(NotFound):
        repos.create(kind=RepoKind.MODEL, name=RepoName("acme", "tiny"), by=signed_in(cast.ben))

    assert not Repo.objects.exists()


def test_an_organisation_with_repos_stays(cast: Cast, ada: Principal) -> None:
    repo = cast.repo("acme/tiny")

    with pytest.raises(Forbidden):
        closing.close_organisation(organisation=cast.acme, by=signed_in(cast.ben))
    with pytest.raises(Conflict, match="still owns 1 repo"):
        closing.close_organisation(organisation=cast.acme, by=ada)
    repos.delete(repo=repo, by=ada)
    closing.close_organisation(organisation=cast.acme, by=ada)

    with pytest.raises(NotFound):
        namespace_named("acme")


def test_an_account_goes_when_nothing_hangs_on_it(cast: Cast, ada: Principal) -> None:
    repo = cast.repo("ada/tiny")
    with pytest.raises(Conflict, match="still owns 1 repo"):
        closing.close_account(user=cast.ada, by=cast.ada)
    repos.delete(repo=repo, by=ada)
    with pytest.raises(Conflict, match="only owner of acme"):
        closing.close_account(user=cast.ada, by=cast.ada)
    organisations.seat(organisation=cast.acme, user=cast.ben, seat=organisations.OWNER, by=None)

    closing.close_account(user=cast.ada, by=cast.ada)

    with pytest.raises(NotFound):
        namespace_named("ada")
    assert not User.objects.filter(namespace__name="ada").exists()
