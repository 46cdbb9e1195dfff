"""The review of a pull request on its page: what is missing, who approved, what CI said."""

import pytest

from hub.models import Repo
from hub.names import EntryPath, RevisionName
from hub.queries import history
from hub.queries.discussions import discussion_of
from hub.services import protection, pull_requests, statuses
from hub.services.commits import Message, PutFile
from hub.services.protection import RuleWish
from hub.services.statuses import Report
from tests.cast import Cast, signed_in
from tests.hub.portal.conftest import Browse

pytestmark = pytest.mark.django_db
PAGE = "/acme/tiny/discussions/1"


@pytest.fixture
def head(cast: Cast) -> str:
    """Of Ben's pull request, which wants an approval and a check."""
    repo = cast.repo("acme/tiny")
    wish = RuleWish(kind="branch", pattern="main", needed_approvals=1, needed_checks=["ci"])
    protection.set_rule(repo=repo, wish=wish, by=signed_in(cast.ada))
    made = pull_requests.propose(
        repo=repo,
        branch=RevisionName("main"),
        operations=[PutFile(EntryPath("a.txt"), b"a")],
        message=Message("Better"),
        by=signed_in(cast.ben),
    )
    commit = history.resolve(repo, RevisionName("refs/pr/1"))
    outcome = Report(context="ci", state="success", target_url="https://ci.example.org/1")
    statuses.report(repo=repo, commit=commit, outcome=outcome, by=signed_in(cast.ben))
    assert made.head is not None
    return bytes(made.head).hex()


def test_a_second_person_approves_on_the_page_and_merges(
    browse: Browse, cast: Cast, head: str
) -> None:
    ada, ben = browse(cast.ada), browse(cast.ben)
    own = ben.get(PAGE).content.decode()
    assert "it has 0 of the 1 approvals that it needs" in own
    assert 'value="approve"' not in own
    assert 'href="https://ci.example.org/1"' in own

    ada.post(PAGE, {"action": "approve", "head": head})
    page = ada.get(PAGE).content.decode()

    assert "Approved by ada." in page
    assert "cannot be merged yet" not in page
    ada.post(PAGE, {"action": "merge", "head": head, "text": ""})
    assert discussion_of(Repo.objects.get(name="tiny"), 1).status == "merged"


def test_an_approval_is_taken_back(browse: Browse, cast: Cast, head: str) -> None:
    ada = browse(cast.ada)
    ada.post(PAGE, {"action": "approve", "head": head})
    ada.post(PAGE, {"action": "withdraw"})

    refused = ada.post(PAGE, {"action": "merge", "head": head, "text": ""})

    assert refused.status_code == 422
    assert "0 of the 1 approvals" in refused.content.decode()


def test_one_may_not_approve_what_one_has_not_looked_at_or_proposed(
    browse: Browse, cast: Cast, head: str
) -> None:
    late = browse(cast.ada).post(PAGE, {"action": "approve", "head": "0" * 40})
    own = browse(cast.ben).post(PAGE, {"action": "approve", "head": head})
    stranger = browse(cast.cleo).post(PAGE, {"action": "approve", "head": head})

    assert "changed since you looked at it" in late.content.decode()
    assert "A second person has to approve" in own.content.decode()
    assert "do not have the rights" in stranger.content.decode()
