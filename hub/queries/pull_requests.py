"""What a pull request changes, whether it can be merged, and which commits it brings."""

from dataclasses import dataclass, field
from functools import cached_property

from hub.git.merging import merge
from hub.models import Discussion, Repo
from hub.queries import diffs, history
from hub.queries.diffs import FileChange
from hub.queries.history import CommitRow
from hub.queries.merge_bases import merge_bases
from hub.queries.objects import parsed_trees
from hub.queries.reachable import live_lines

MAX_DIFF_FILES = 1000
"""A diff of more files is not written out."""


@dataclass
class Comparison:
    """A pull request beside its branch: two trees, and the paths that both sides changed."""

    repo: Repo
    old: bytes | None
    """The tree that the pull request began at; None if its commits are gone."""
    new: bytes | None
    base: CommitRow | None = None
    head: CommitRow | None = None
    conflicts: list[str] = field(default_factory=list)
    is_mergeable: bool = False
    """Open, with something to merge and nothing in the way."""

    @cached_property
    def files(self) -> list[FileChange]:
        """The files that the pull request changes, by path."""
        if self.new is None:
            return []
        return diffs.changed_files(self.repo.pk, self.old, self.new)

    @property
    def diff(self) -> str:
        """The unified diff of all files, or of none if there are too many."""
        if self.new is None or len(self.files) > MAX_DIFF_FILES:
            return ""
        return diffs.unified(self.repo, self.old, self.new)


def compare(discussion: Discussion) -> Comparison:
    """Compare a pull request with its branch, or, once it is merged, with what that was."""
    repo, repo_id = discussion.repo, discussion.repo_id
    head, base = _oid(discussion.head), _oid(discussion.base)
    if discussion.status == Discussion.Status.MERGED:
        return _between(repo, base, head)
    onto = history.ref_oid(repo_id, discussion.target)
    if onto is None or head is None:
        return _between(repo, base, head)
    bases = merge_bases(repo_id, onto, head)
    found = _between(repo, bases[0] if bases else None, head)
    if discussion.is_ongoing and bases not in ([onto], [head]):
        rows = history.commits_by_oid(repo_id, [onto, head, *bases])
        found.conflicts = merge(
            lambda oids: parsed_trees(repo_id, oids),
            bases=[rows[one].tree for one in bases],
            ours=rows[onto].tree,
            theirs=rows[head].tree,
        ).conflicts
    is_open = discussion.status == Discussion.Status.OPEN
    found.is_mergeable = is_open and bases != [head] and not found.conflicts
    return found


def _oid(kept: bytes | memoryview | None) -> bytes | None:
    return bytes(kept) if kept else None


def _between(repo: Repo, base: bytes | None, head: bytes | None) -> Comparison:
    rows = history.commits_by_oid(repo.pk, [oid for oid in (base, head) if oid])
    before, after = rows.get(base or b""), rows.get(head or b"")
    old, new = (row.tree if row else None for row in (before, after))
    return Comparison(repo, old, new, before, after)


def commits_since(repo_id: int, head: bytes, since: bytes, limit: int) -> list[CommitRow]:
    """The first parents of ``head``, itself first, that ``since`` does not come from."""
    start = history.commit_by_oid(repo_id, head)
    if start is None:
        return []
    known = live_lines(repo_id, {since}, {})
    return [
        commit
        for commit in history.log(repo_id, start, limit)
        if known.get(commit.line, 0) < commit.pos
    ]
