"""Open pull requests, note what is added to them, and merge them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction

from hub.errors import DiscussionOver, MergeConflict, RevisionNotFound
from hub.events import RefMove
from hub.git.merging import Merged, merge
from hub.git.refs import BRANCHES, PULL_REQUESTS, RefUpdate
from hub.git.spool import ObjectSpool
from hub.models import Discussion, Repo, sql
from hub.models.discussion import MAX_TITLE
from hub.names import EntryPath, RevisionName
from hub.policies import check_can
from hub.queries import history
from hub.queries.merge_bases import merge_bases
from hub.queries.objects import parsed_trees
from hub.queries.pull_requests import commits_since
from hub.services import discussions
from hub.services.comment_text import prepared_if_any
from hub.services.commits import Building, Message, Operation, build_commit, prepared
from hub.services.discussion_log import check_talk, locked
from hub.services.edits import TreeEdit
from hub.services.protection import Way, check_merge
from hub.services.publish import Change, Heads, publish
from teams.errors import Conflict, Invalid, Stale
from teams.models import User
from teams.policies import Principal
from teams.roles import Action

MAX_NOTED = 100
"""Commits of one push that are written down one by one, the newest of them."""
_TOLD = 10


def open_pull_request(
    *, repo: Repo, title: str, text: str, by: Principal, branch: RevisionName | None = None
) -> Discussion:
    """Begin a pull request as a draft, at the head of the branch that it is to change.

    Raises:
        Invalid: title or text are empty or too long.
        Forbidden: discussions are disabled, or ``by`` may only read.
        RevisionNotFound: there is no such branch.
    """
    check_can(by, Action.REPO_PROPOSE, repo)
    check_talk(repo)
    target = _target(repo, branch)
    said = prepared_if_any(repo, text)

    def build(heads: Heads) -> Change:
        return Change((RefUpdate(made.ref, None, _head(heads, target)),))

    with transaction.atomic():
        made = _begin(repo, title, target, by)
        done = publish(repo, refs=[target, made.ref], build=build, by=by.user)
        made.base = made.head = done.change.updates[0].new
        discussions.save(made, "base", "head")
        discussions.describe(made, said, by)
    return made


def propose(
    *,
    repo: Repo,
    branch: RevisionName,
    operations: Iterable[Operation],
    message: Message,
    by: Principal,
    parent: str = "",
) -> Discussion:
    """Open a pull request of one commit; its message is title and description.

    Raises:
        Refusal: as :func:`hub.services.commits.commit` and :func:`open_pull_request`.
    """
    check_can(by, Action.REPO_PROPOSE, repo)
    check_talk(repo)
    target = _target(repo, branch)
    said = prepared_if_any(repo, message.description)
    with ObjectSpool() as files:
        steps = prepared(repo, operations, files, by)
        building = Building(repo, target, steps, message, parent, by.user)
        with transaction.atomic():
            made = _begin(repo, message.title[:MAX_TITLE], target, by)
            made.status = Discussion.Status.OPEN
            building.new_ref = made.ref
            publish(repo, refs=[target, made.ref], build=building, files=files, by=by.user)
            made.base, made.head = building.onto, building.result
            discussions.save(made, "base", "head", "status")
            discussions.describe(made, said, by)
            if building.result != building.onto:
                _note(made.pk, [(building.result, message.title)], by.user)
    return made


def _target(repo: Repo, branch: RevisionName | None) -> str:
    name = branch.text if branch else repo.default_branch
    return BRANCHES + name.removeprefix(BRANCHES)


def _begin(repo: Repo, title: str, target: str, by: Principal) -> Discussion:
    """Write the row; what it is to begin at is known for good once the ref stands."""
    title = discussions.checked_title(title)
    num = discussions.next_num(repo)
    begins = history.resolve(repo, RevisionName(target))
    return Discussion.objects.create(
        repo=repo,
        num=num,
        title=title,
        status=Discussion.Status.DRAFT,
        is_pull_request=True,
        author=by.user,
        target=target,
        base=begins.oid,
        head=begins.oid,
    )


def _head(heads: Heads, ref: str) -> bytes:
    head = heads[ref]
    if head is None:
        raise RevisionNotFound(f"Invalid rev id: {ref}")
    return head


def note_moves(repo_id: int, moves: Sequence[RefMove], by: User | None) -> None:
    """Write down what commits and pushes add to pull requests, in the transaction that does it.

    Raises:
        DiscussionOver: the pull request was closed or merged.
    """
    for move in moves:
        if move.ref.startswith(PULL_REQUESTS) and move.old is not None and move.new is not None:
            _note_move(repo_id, move.ref, move.old, move.new, by)


_ITS = """
SELECT id, status FROM hub_discussion
WHERE repo_id = %s AND is_pull_request AND num::text = %s
"""


def _note_move(repo_id: int, ref: str, old: bytes, new: bytes, by: User | None) -> None:
    row = sql.row(_ITS, [repo_id, ref.removeprefix(PULL_REQUESTS)])
    if row is None:
        return
    pk, status = row
    if status not in {Discussion.Status.DRAFT, Discussion.Status.OPEN}:
        raise DiscussionOver(f"The pull request is {status}: nothing can be added to it.")
    fresh = commits_since(repo_id, new, old, MAX_NOTED)
    _note(pk, [(commit.oid, commit.title) for commit in reversed(fresh)], by)
    sql.send("UPDATE hub_discussion SET head = %s, updated_at = now() WHERE id = %s", [new, pk])


_NOTE = """
INSERT INTO hub_discussionevent
    (discussion_id, kind, author_id, details, text, html, is_hidden)
SELECT %s, 'commit', %s, jsonb_build_object('oid', c.oid, 'subject', c.subject), '', '', false
FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS c(oid, subject, place) ORDER BY c.place
"""


def _note(discussion_id: int, commits: Sequence[tuple[bytes, str]], by: User | None) -> None:
    oids, titles = [oid.hex() for oid, _title in commits], [title for _oid, title in commits]
    sql.send(_NOTE, [discussion_id, by.pk if by else None, oids, titles])


def merge_pull_request(
    *, discussion: Discussion, by: Principal, text: str = "", head: str = ""
) -> Discussion:
    """Bring a pull request into its branch, fast forward where that has not moved since.

    ``head`` is the commit that whoever merges has looked at.

    Raises:
        Invalid: it is no pull request, or the comment is too long.
        Forbidden: ``by`` may not write to the repo.
        DiscussionOver: it is a draft, closed, or merged already.
        Stale: it is no longer at ``head``.
        Conflict: there is nothing to merge.
        MergeConflict: both sides changed the same files; the refusal tells ``conflicts``.
        RevisionNotFound: the branch was deleted.
        RefProtected: a rule wants an approval or a check that is missing.
    """
    check_can(by, Action.REPO_WRITE, discussion.repo)
    if not discussion.is_pull_request:
        raise Invalid("This is no pull request, so there is nothing to merge.")
    said = prepared_if_any(discussion.repo, text)
    _check_open(discussion)
    building = _Merging(discussion, by.user, head)
    refs = [discussion.target, discussion.ref]
    with transaction.atomic():
        publish(discussion.repo, refs=refs, build=building, by=by.user)
        fresh = locked(discussion)
        _check_open(fresh)
        check_merge(fresh, building.head)
        fresh.base, fresh.head = building.base, building.head
        fresh.merge_commit = building.result
        discussions.take_to(fresh, Discussion.Status.MERGED, said, by)
    return fresh


def _check_open(discussion: Discussion) -> None:
    if discussion.status == Discussion.Status.DRAFT:
        raise DiscussionOver("This pull request is a draft. Set its status to open first.")
    if discussion.status != Discussion.Status.OPEN:
        raise DiscussionOver(f"This pull request is {discussion.status} already.")


@dataclass
class _Merging:
    """Builds a merge on whatever heads it is given, and remembers the last outcome."""

    discussion: Discussion
    author: User | None
    wanted: str
    base: bytes | None = None
    head: bytes = b""
    result: bytes = b""

    def __call__(self, heads: Heads) -> Change:
        target, ref = self.discussion.target, self.discussion.ref
        onto, self.head = _head(heads, target), _head(heads, ref)
        if not self.head.hex().startswith(self.wanted):
            raise Stale("The pull request changed since you looked at it.")
        bases = merge_bases(self.discussion.repo_id, onto, self.head)
        if bases == [self.head]:
            raise Conflict("There is nothing to merge: the branch has all of these commits.")
        self.base = bases[0] if bases else None
        if bases == [onto]:
            self.result = self.head
            return Change((RefUpdate(target, onto, self.head),), way=Way.MERGE)
        return self._true_merge(onto, bases)

    def _true_merge(self, onto: bytes, bases: Sequence[bytes]) -> Change:
        repo_id = self.discussion.repo_id
        rows = history.commits_by_oid(repo_id, [onto, self.head, *bases])
        merged = merge(
            lambda oids: parsed_trees(repo_id, oids),
            bases=[rows[base].tree for base in bases],
            ours=rows[onto].tree,
            theirs=rows[self.head].tree,
        )
        if merged.conflicts:
            raise _conflict(self.discussion, merged.conflicts)
        edit = _edited(repo_id, rows[onto].tree, merged)
        root, trees = edit.finish()
        stored, row = build_commit(
            root, (onto, self.head), self._message(), self.author, edit.changes
        )
        self.result = stored.oid
        update = RefUpdate(self.discussion.target, onto, stored.oid)
        return Change((update,), [*trees, stored], [row], way=Way.MERGE)

    def _message(self) -> Message:
        title = f"{self.discussion.title} (#{self.discussion.num})"
        return Message(title, f"Merge {self.discussion.ref} into {self.discussion.target}")


def _conflict(discussion: Discussion, paths: Sequence[str]) -> MergeConflict:
    branch = discussion.target.removeprefix(BRANCHES)
    told = ", ".join(paths[:_TOLD]) + (" and others" if len(paths) > _TOLD else "")
    return MergeConflict(
        f"This pull request cannot be merged: {branch} changed the same files. "
        f"Merge {branch} into it first. Conflicts: {told}",
        conflicts=list(paths),
    )


def _edited(repo_id: int, tree: bytes, merged: Merged) -> TreeEdit:
    paths = {path: EntryPath(path) for path in merged.changes}
    edit = TreeEdit(repo_id, tree, paths.values())
    # Deletions first: a file may take the place of a folder.
    for path, entry in sorted(merged.changes.items(), key=lambda one: one[1] is not None):
        if entry is None:
            edit.delete(paths[path])
        else:
            edit.put(paths[path], entry)
    return edit
