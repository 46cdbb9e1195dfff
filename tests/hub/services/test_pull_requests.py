"""Pull requests: what they begin at, who adds to them, and what merging does to the branch."""

import pytest

from hub.errors import DiscussionOver, MergeConflict, RevisionNotFound, StaleParent
from hub.models import Discussion, Event, Repo
from hub.names import EntryPath, RevisionName
from hub.queries import history, trees
from hub.queries.discussions import discussion_of, events_of
from hub.queries.pull_requests import compare
from hub.services import commits, discussions, pull_requests
from hub.services.commits import DeleteFile, Message, Operation, PutFile
from teams.errors import Conflict, Forbidden, Invalid, Stale
from teams.policies import Principal
from tests.cast import Cast, signed_in

pytestmark = pytest.mark.django_db
MAIN = RevisionName("main")


def put(path: str, text: str) -> PutFile:
    return PutFile(EntryPath(path), text.encode())


def land(repo: Repo, by: Principal, *operations: Operation, on: str = "main") -> bytes:
    return commits.commit(
        repo=repo,
        branch=RevisionName(on),
        operations=operations,
        message=Message("a change"),
        by=by,
    )


def proposed(repo: Repo, by: Principal, *operations: Operation) -> Discussion:
    return pull_requests.propose(
        repo=repo, branch=MAIN, operations=operations, message=Message("Better", "Why"), by=by
    )


def head_of(repo: Repo, revision: str = "main") -> history.CommitRow:
    return history.resolve(repo, RevisionName(revision))


def files_of(repo: Repo, revision: str = "main") -> dict[str, str]:
    commit = head_of(repo, revision)
    found = {}
    for entry in trees.list_all(repo.pk, commit, EntryPath("")):
        if not entry.is_folder and entry.path != ".gitattributes":
            raw = trees.read_file(repo.pk, commit, EntryPath(entry.path)) or b""
            found[entry.path] = raw.decode()
    return found


def merged(discussion: Discussion, by: Principal) -> Discussion:
    return pull_requests.merge_pull_request(discussion=discussion, by=by)


def told(discussion: Discussion) -> list[str]:
    return [
        event.details.get("subject") or event.details.get("status") or event.text
        for event in events_of(discussion)
    ]


def test_a_pull_request_begins_as_a_draft_at_the_head_of_its_branch(cast: Cast) -> None:
    repo = cast.repo()

    made = pull_requests.open_pull_request(
        repo=repo, title="Better", text="Why", by=signed_in(cast.cleo)
    )

    assert (made.num, made.status, made.target) == (1, "draft", "refs/heads/main")
    assert head_of(repo, "refs/pr/1").oid == head_of(repo).oid
    assert told(made) == ["Why"]


def test_discussions_and_pull_requests_count_together(cast: Cast) -> None:
    repo, ada = cast.repo(), signed_in(cast.ada)
    discussions.open_discussion(repo=repo, title="First", text="", by=ada)

    assert proposed(repo, ada, put("a", "1")).ref == "refs/pr/2"


def test_a_reader_proposes_a_commit_and_the_branch_stays(cast: Cast) -> None:
    repo = cast.repo()
    before = head_of(repo)

    made = proposed(repo, signed_in(cast.cleo), put("a", "1"))

    assert (made.status, made.title) == ("open", "Better")
    assert head_of(repo).oid == before.oid
    assert files_of(repo, "refs/pr/1") == {"a": "1"}
    assert told(discussion_of(repo, 1)) == ["Why", "Better"]
    assert list(head_of(repo, "refs/pr/1").parents) == [before.oid]


def test_what_is_committed_to_a_pull_request_is_told_in_it(cast: Cast) -> None:
    repo, cleo = cast.repo(), signed_in(cast.cleo)
    made = proposed(repo, cleo, put("a", "1"))

    second = land(repo, cleo, put("b", "1"), on="refs/pr/1")

    found = discussion_of(repo, made.num)
    assert bytes(found.head or b"") == second
    assert told(found) == ["Why", "Better", "a change"]
    assert events_of(found)[2].author == cast.cleo


def test_a_proposal_on_an_old_parent_is_refused_and_leaves_nothing(cast: Cast) -> None:
    repo, ada = cast.repo(), signed_in(cast.ada)
    old = head_of(repo).oid.hex()
    land(repo, ada, put("a", "1"))

    with pytest.raises(StaleParent):
        pull_requests.propose(
            repo=repo,
            branch=MAIN,
            operations=[put("b", "1")],
            message=Message("Late"),
            by=ada,
            parent=old,
        )
    with pytest.raises(RevisionNotFound):
        pull_requests.propose(
            repo=repo,
            branch=RevisionName("gone"),
            operations=[put("b", "1")],
            message=Message("Nowhere"),
            by=ada,
        )
    assert not Discussion.objects.exists()
    assert history.refs(repo, "refs/pr/") == []


def test_where_the_branch_stayed_merging_is_fast_forward(cast: Cast) -> None:
    repo = cast.repo()
    made = proposed(repo, signed_in(cast.cleo), put("a", "1"))

    done = merged(made, signed_in(cast.ada))

    assert head_of(repo).oid == head_of(repo, "refs/pr/1").oid == done.merge_commit
    assert (done.status, files_of(repo)) == ("merged", {"a": "1"})
    assert told(done)[-1] == "merged"
    event = Event.objects.filter(repo_id=repo.pk, scope="discussion").latest("seq")
    assert event.details["discussion"]["merge_commit"] == head_of(repo).oid.hex()


def test_where_the_branch_moved_a_merge_commit_has_both(cast: Cast) -> None:
    repo, ada = cast.repo(), signed_in(cast.ada)
    land(repo, ada, put("keep", "1"), put("drop", "1"), put("d/x", "1"))
    made = proposed(repo, signed_in(cast.cleo), put("d/y", "2"), DeleteFile(EntryPath("drop")))
    ours = land(repo, ada, put("keep", "2"))
    theirs = head_of(repo, "refs/pr/1").oid

    done = merged(made, ada)

    head = head_of(repo)
    assert (list(head.parents), head.title) == ([ours, theirs], "Better (#1)")
    assert head.oid == done.merge_commit
    assert files_of(repo) == {"keep": "2", "d/x": "1", "d/y": "2"}
    assert [one.path for one in compare(discussion_of(repo, 1)).files] == ["d/y", "drop"]


def test_a_merge_says_which_paths_it_changed(cast: Cast) -> None:
    repo, ada = cast.repo(), signed_in(cast.ada)
    made = proposed(repo, ada, put("d/y", "2"))
    land(repo, ada, put("a", "1"))

    done = merged(made, ada)

    last = history.last_commits(repo.pk, head_of(repo), "d", ["y"])
    assert last["y"].oid == done.merge_commit


def test_files_that_both_sides_changed_are_a_conflict(cast: Cast) -> None:
    repo, ada = cast.repo(), signed_in(cast.ada)
    land(repo, ada, put("a", "1"), put("b", "1"))
    made = proposed(repo, signed_in(cast.cleo), put("a", "2"), put("b", "2"), put("c", "2"))
    before = land(repo, ada, put("a", "3"), put("b", "3"))

    assert compare(made).conflicts == ["a", "b"]
    with pytest.raises(MergeConflict, match="a, b") as refused:
        merged(made, ada)

    assert refused.value.details == {"conflicts": ["a", "b"]}
    assert (head_of(repo).oid, discussion_of(repo, 1).status) == (before, "open")


def test_a_conflict_is_solved_by_merging_the_branch_into_it(cast: Cast) -> None:
    repo, ada = cast.repo(), signed_in(cast.ada)
    land(repo, ada, put("a", "1"))
    first = proposed(repo, ada, put("a", "2"))
    second = proposed(repo, ada, put("a", "2"), put("b", "1"))
    merged(first, ada)

    assert compare(second).conflicts == []
    merged(second, ada)

    assert files_of(repo) == {"a": "2", "b": "1"}


def test_only_writers_merge_and_only_once(cast: Cast) -> None:
    repo, ada, cleo = cast.repo(), signed_in(cast.ada), signed_in(cast.cleo)
    made = proposed(repo, cleo, put("a", "1"))

    with pytest.raises(Forbidden):
        merged(made, cleo)
    merged(made, ada)
    with pytest.raises(DiscussionOver, match="merged already"):
        merged(discussion_of(repo, 1), ada)
    with pytest.raises(Conflict, match="nothing to merge"):
        # What its caller read may be older than another's merge.
        merged(made, ada)
    with pytest.raises(DiscussionOver):
        discussions.change_status(discussion=made, status="open", by=ada)


def test_what_cannot_be_merged_says_why(cast: Cast) -> None:
    repo, ada = cast.repo(), signed_in(cast.ada)
    draft = pull_requests.open_pull_request(repo=repo, title="Draft", text="", by=ada)
    talk = discussions.open_discussion(repo=repo, title="Talk", text="", by=ada)
    closed = proposed(repo, ada, put("a", "1"))
    discussions.change_status(discussion=closed, status="closed", by=ada)

    with pytest.raises(DiscussionOver, match="draft"):
        merged(draft, ada)
    with pytest.raises(Invalid, match="no pull request"):
        merged(talk, ada)
    with pytest.raises(DiscussionOver, match="closed"):
        merged(discussion_of(repo, closed.num), ada)
    discussions.change_status(discussion=draft, status="open", by=ada)
    with pytest.raises(Conflict, match="nothing to merge"):
        merged(discussion_of(repo, draft.num), ada)


def test_a_pull_request_that_changed_since_it_was_looked_at_is_not_merged(cast: Cast) -> None:
    repo, ada = cast.repo(), signed_in(cast.ada)
    made = proposed(repo, ada, put("a", "1"))
    seen = head_of(repo, "refs/pr/1").oid.hex()
    land(repo, ada, put("a", "evil"), on="refs/pr/1")

    with pytest.raises(Stale, match="changed since"):
        pull_requests.merge_pull_request(discussion=made, by=ada, head=seen)

    assert files_of(repo) == {}


@pytest.mark.parametrize("end", ["closed", "merged"])
def test_nothing_is_added_to_a_pull_request_that_is_over(cast: Cast, end: str) -> None:
    repo, ada = cast.repo(), signed_in(cast.ada)
    made = proposed(repo, ada, put("a", "1"))
    if end == "merged":
        merged(made, ada)
    else:
        discussions.change_status(discussion=made, status="closed", by=ada)
    before = head_of(repo, "refs/pr/1").oid

    with pytest.raises(DiscussionOver, match=end):
        land(repo, ada, put("b", "1"), on="refs/pr/1")

    assert head_of(repo, "refs/pr/1").oid == before


def test_histories_that_crossed_merge_what_all_of_them_agree_on(cast: Cast) -> None:
    repo, ada = cast.repo(), signed_in(cast.ada)
    land(repo, ada, put("a", "1"), put("b", "1"))
    one = proposed(repo, ada, put("a", "2"))
    two = proposed(repo, ada, put("b", "2"))
    merged(one, ada)
    merged(two, ada)
    late = proposed(repo, ada, put("c", "1"))
    land(repo, ada, put("a", "3"))

    merged(late, ada)

    assert files_of(repo) == {"a": "3", "b": "2", "c": "1"}
