"""What fine-grained tokens may, against a table written by hand, and against their owner."""

import csv
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest

from hub.models import Collection, Repo, sql
from hub.policies import can, collection_is_for, collections_visible_to, visible_to
from hub.queries.repo_filter import RepoFilter, matching
from hub.queries.repo_rows import TABLES
from teams.models import AccessToken, TokenPolicy, TokenReview, User
from teams.policies import Decision, Facts, Principal, decide
from teams.roles import BEGINS, NEEDS, OPEN_TO_ALL, PERMITTED_BY, Action, Permission, Role, Scope
from teams.services import tokens
from teams.services.tokens import Allowed
from tests.cast import Cast, signed_in
from tests.hub.test_policies import ACTIONS, answer, repo_in_state

pytestmark = pytest.mark.django_db

TABLE = list(
    csv.DictReader((Path(__file__).parents[1] / "teams/token_table.csv").read_text().splitlines())
)


def shown(user: User, *allowed: Allowed) -> Principal:
    """Who shows a new fine-grained token of ``user``."""
    token, _secret = tokens.issue_as(tokens.Wish(name="fine", allowed=allowed), user=user)
    return Principal.by_token(
        AccessToken.objects.select_related("user__namespace").get(pk=token.pk)
    )


def allowed_on(cast: Cast, row: dict[str, str], repo: Repo) -> list[Allowed]:
    named = frozenset(Permission(word) for word in row["permissions"].split("+") if word)
    acme = cast.acme.namespace_id
    places = {
        "nothing": [],
        "repo": [Allowed(named, acme, repo.pk)],
        "other": [Allowed(named, acme, cast.repo("acme/other").pk)],
        "namespace": [Allowed(named, acme)],
        "elsewhere": [Allowed(named, cast.ben.namespace_id)],
        "everywhere": [Allowed(named)],
    }
    return places[row["on"]]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: "-".join(list(row.values())[:3]))
def test_a_token_may_what_the_table_says(cast: Cast, row: dict[str, str]) -> None:
    repo = repo_in_state(cast, row["repo"])
    principal = shown(cast.ben, *allowed_on(cast, row, repo))

    found = {name: answer(principal, action, repo) for name, action in ACTIONS.items()}

    assert found == {name: row[name] for name in ACTIONS}


def test_no_token_may_more_than_its_owner() -> None:
    states = (Facts(role, is_public, is_gated) for role in Role for is_public, is_gated in _STATES)
    for facts, action, named in product(states, NEEDS, _SETS):
        narrow = Principal(user=User(), may_change=True, scope=Scope(everywhere=named))
        given = Facts(facts.role, facts.is_public, facts.is_gated, granted=narrow.granted_on(1))

        of_token = decide(narrow, action, given)
        of_owner = decide(Principal(user=User(), may_change=True), action, facts)

        assert of_owner.allowed or not of_token.allowed
        assert of_token.hidden or not of_owner.hidden


def test_a_permission_more_takes_nothing_away() -> None:
    states = [Facts(role, is_public, is_gated) for role in Role for is_public, is_gated in _STATES]
    for facts, action, named, more in product(states, NEEDS, _SETS, Permission):
        assert (
            not _told(facts, action, named).allowed or _told(facts, action, named | {more}).allowed
        )


_STATES = ((True, False), (True, True), (False, False))
_SETS = [frozenset[Permission](), *(frozenset({one}) for one in Permission), frozenset(Permission)]


def _told(facts: Facts, action: Action, named: frozenset[Permission]) -> Decision:
    principal = Principal(user=User(), may_change=True, scope=Scope(everywhere=named))
    given = Facts(facts.role, facts.is_public, facts.is_gated, granted=principal.granted_on(1))
    return decide(principal, action, given)


def test_what_needs_a_role_needs_a_permission_or_is_never_for_such_a_token() -> None:
    without = {action for action in NEEDS if not PERMITTED_BY.get(action)}

    for action in without:
        assert not _told(Facts(Role.ADMIN, is_public=True), action, frozenset(Permission)).allowed
    assert not without & (OPEN_TO_ALL | BEGINS)


def test_lists_show_exactly_what_a_token_lets_one_see(cast: Cast) -> None:
    for owner, private in product(("ada", "ben", "acme"), (False, True)):
        cast.repo(f"{owner}/r{private}", private=private)
        _collection(cast, owner, private=private)
    secret = Repo.objects.get(namespace=cast.acme.namespace, visibility="private")
    readings = [frozenset({one}) for one in Permission]
    places = [(None, None), (cast.acme.namespace_id, None), (secret.namespace_id, secret.pk)]

    for user, named, place in product((cast.ada, cast.ben, cast.cleo, cast.root), readings, places):
        principal = shown(user, Allowed(named, *place))
        everything = Repo.objects.select_related("namespace")
        seen = {repo for repo in everything if can(principal, Action.REPO_SEE, repo)}

        assert set(Repo.objects.filter(visible_to(principal))) == seen
        assert _listed(principal) == {repo.pk for repo in seen}
        assert set(Collection.objects.filter(collections_visible_to(principal))) == {
            one for one in Collection.objects.all() if _sees(principal, one)
        }


def _collection(cast: Cast, owner: str, *, private: bool) -> None:
    owners = {
        "ada": cast.ada.namespace_id,
        "ben": cast.ben.namespace_id,
        "acme": cast.acme.namespace_id,
    }
    Collection.objects.create(
        namespace_id=owners[owner], title=f"private: {private}", private=private
    )


def _sees(principal: Principal, collection: Collection) -> bool:
    return collection_is_for(principal, Action.COLLECTION_SEE, collection)


def _listed(principal: Principal) -> set[int]:
    condition = matching(RepoFilter(), principal)
    rows = sql.rows(f"SELECT r.id FROM {TABLES} WHERE {condition.sql}", condition.values)
    return {row[0] for row in rows}


@pytest.mark.parametrize(
    ("takes", "role", "review", "found"),
    [
        ("any", "write", "", "yes"),
        ("any", "fine", "denied", "no"),
        ("fine", "write", "", "no"),
        ("fine", "fine", "", "yes"),
        ("fine", "fine", "denied", "no"),
        ("approved", "write", "", "no"),
        ("approved", "fine", "", "no"),
        ("approved", "fine", "denied", "no"),
        ("approved", "fine", "approved", "yes"),
        ("approved", "job", "", "yes"),
    ],
)
def test_an_organisation_takes_the_tokens_that_its_policy_says(
    cast: Cast, takes: str, role: str, review: str, found: str
) -> None:
    counts = found == "yes"
    TokenPolicy.objects.create(organisation=cast.acme, takes=takes)
    secret, own = cast.repo("acme/tiny", private=True), cast.repo("ben/own", private=True)
    token = _token(cast.ben, role)
    if review:
        approved = review == "approved"
        TokenReview.objects.create(organisation=cast.acme, token=token, approved=approved)

    principal = Principal.by_token(token)

    assert can(principal, Action.REPO_SEE, secret) is counts
    assert (secret in Repo.objects.filter(visible_to(principal))) is counts
    assert _listed(principal) >= ({secret.pk} if counts else set())
    assert can(principal, Action.REPO_SEE, own)
    assert can(signed_in(cast.ben), Action.REPO_WRITE, secret)


def _token(user: User, role: str) -> AccessToken:
    everywhere = (Allowed(frozenset({Permission.REPO_WRITE})),)
    if role == "job":
        return tokens.issue_for_job(job="7", user=user, may=everywhere, lasts=timedelta(hours=1))[0]
    allowed = everywhere if role == "fine" else None
    return tokens.issue_as(tokens.Wish(name="it", role="write", allowed=allowed), user=user)[0]


def test_the_token_of_a_job_ends_with_it(cast: Cast) -> None:
    token = _token(cast.ben, "job")

    assert tokens.revoke_all_for("job:7") == 1

    token.refresh_from_db()
    assert not token.is_live
