"""Rewrite history without some large files: new trees, new commits, all refs moved at once."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from django.db import transaction

from hub.git.objects import TREE_MODE, Entry, Kind, Tree, build_tree, parse_tree
from hub.git.refs import BRANCHES, RefUpdate
from hub.git.stored import StoredObject, store
from hub.git.tree_diff import differences
from hub.models import Repo, sql
from hub.queries.closure import TreeReader
from hub.queries.history import CommitRow, commits_of_line
from hub.queries.objects import parsed_trees, read_many
from hub.queries.reachable import live_lines
from hub.queries.tags import known_chains
from hub.services import indexing
from hub.services.filing import NewCommit
from hub.services.protection import Way
from hub.services.publish import Change, Heads, publish
from hub.services.push_intake import PushedCommit
from hub.services.pushes import INDEXED_AT_ONCE, order_commits
from teams.errors import TooLarge
from teams.policies import Principal

MAX_COMMITS = 20_000
"""Of all branches and tags together; beyond it git has to do it, and push the outcome."""
_AT_ONCE = 256
_SIGNATURE = re.compile(rb"^gpgsig(?:-sha256)? [^\n]*\n(?: [^\n]*\n)*", re.MULTILINE)
_TAG_SIGNATURE = re.compile(rb"-----BEGIN (?:PGP|SSH) SIGNATURE-----.*", re.DOTALL)


def rewrite(*, repo: Repo, without: Collection[bytes], by: Principal) -> bool:
    """Take the pointers to large files out of all commits; answer whether there were any.

    Commits that had none, and stand on none that had, stay as they are. The others keep authors,
    dates and messages, but not signatures, which would no longer hold.

    Raises:
        TooLarge: there are more commits than we rewrite.
        RefProtected: a rule protects a branch or tag that would have to move.
    """
    refs = [name for (name,) in sql.rows("SELECT name FROM git_ref WHERE repo_id = %s", [repo.pk])]

    commits: dict[bytes, bytes] = {}

    def build(heads: Heads) -> Change:
        commits.clear()
        return _Rewriting(repo, heads, without, commits).change()

    with transaction.atomic():
        done = publish(repo, refs=refs, build=build, by=by.user)
        _follow(repo.pk, commits)
    if done.change.index_later:
        indexing.ring()
    return bool(done.change.updates)


_FOLLOW = """
WITH fresh AS (SELECT * FROM unnest(%(old)s::bytea[], %(new)s::bytea[]) AS f(old, new))
UPDATE hub_discussion d SET
    head = coalesce((SELECT new FROM fresh WHERE old = d.head), d.head),
    base = coalesce((SELECT new FROM fresh WHERE old = d.base), d.base),
    merge_commit = coalesce((SELECT new FROM fresh WHERE old = d.merge_commit), d.merge_commit)
WHERE repo_id = %(repo)s AND is_pull_request
"""


def _follow(repo_id: int, commits: Mapping[bytes, bytes]) -> None:
    """Let pull requests name the new commits, those that are over, too."""
    if commits:
        values = {"repo": repo_id, "old": list(commits), "new": list(commits.values())}
        sql.run(_FOLLOW, values)


class _Rewriting:
    """One history and what becomes of it; ``commits`` tells what took the place of which."""

    def __init__(
        self, repo: Repo, heads: Heads, without: Collection[bytes], commits: dict[bytes, bytes]
    ) -> None:
        self._repo = repo
        self._heads = heads
        self._gone = _pointers(repo.pk, without)
        self._chains = known_chains(repo.pk, heads.oids.values())
        self._made: dict[bytes, StoredObject] = {}
        self._new_trees: dict[bytes, Tree] = {}
        self._trees: dict[bytes, bytes | None] = {}
        """Trees that change, and what becomes of them; None if nothing is left."""
        self._commits = commits

    def change(self) -> Change:
        """Answer what is to be published; nothing, if no commit has one of the files."""
        if not self._gone:
            return Change()
        rows = self._reachable()
        self._change_trees({row.tree for row in rows.values()})
        if not self._trees:
            return Change()
        fresh = self._change_commits(rows)
        moved = {name: self._new_target(oid) for name, oid in self._heads.oids.items()}
        updates = [
            RefUpdate(name, oid, moved[name])
            for name, oid in self._heads.oids.items()
            if moved[name] != oid
        ]
        is_long = len(fresh) > INDEXED_AT_ONCE
        return Change(
            tuple(updates),
            list(self._made.values()),
            self._filed(fresh, rows, is_long=is_long),
            makes_garbage=True,
            index_later=is_long,
            way=Way.REWRITE,
        )

    def _target(self, oid: bytes) -> bytes:
        chain = self._chains.get(oid)
        return chain.target if chain else oid

    def _reachable(self) -> dict[bytes, CommitRow]:
        tips = {self._target(oid) for oid in self._heads.oids.values()}
        lines = live_lines(self._repo.pk, tips, {})
        if sum(lines.values()) > MAX_COMMITS:
            raise TooLarge(
                f"More than {MAX_COMMITS:,} commits would have to be looked at. Rewrite a clone "
                "with `git filter-repo`, push it, and delete the files without rewriting."
            )
        found: dict[bytes, CommitRow] = {}
        for line, last in lines.items():
            found |= {row.oid: row for row in commits_of_line(self._repo.pk, line, 1, last)}
        return found

    def _change_trees(self, roots: Collection[bytes]) -> None:
        """Make what takes the place of the trees that lead to a file that goes."""
        reader = TreeReader(self._repo.pk)
        changed = _leading_to(reader, roots, self._gone)
        for oid in changed:
            self._new_tree(oid, changed, reader)

    def _new_tree(self, oid: bytes, changed: set[bytes], reader: TreeReader) -> bytes | None:
        if oid not in changed:
            return oid
        if oid not in self._trees:
            left: Tree = {}
            for name, entry in reader.read({oid})[oid].items():
                new: bytes | None = entry.oid
                if entry.mode == TREE_MODE:
                    new = self._new_tree(entry.oid, changed, reader)
                elif entry.oid in self._gone:
                    new = None
                if new is not None:
                    left[name] = entry._replace(oid=new)
            self._trees[oid] = self._keep(Kind.TREE, build_tree(left)) if left else None
        return self._trees[oid]

    def _keep(self, kind: Kind, raw: bytes) -> bytes:
        made = store(kind, raw)
        self._made[made.oid] = made
        if kind is Kind.TREE:
            self._new_trees[made.oid] = parse_tree(raw)
        return made.oid

    def _new_root(self, oid: bytes) -> bytes:
        return self._trees.get(oid, oid) or self._keep(Kind.TREE, b"")

    def _change_commits(self, rows: Mapping[bytes, CommitRow]) -> dict[bytes, CommitRow]:
        """Make the new commits; answer their rows, each still with the place of the old one."""
        affected: dict[bytes, None] = {}
        for oid in _parents_first(rows):
            row = rows[oid]
            if row.tree in self._trees or not affected.keys().isdisjoint(row.parents):
                affected[oid] = None
        fresh: dict[bytes, CommitRow] = {}
        for batch in _batches(list(affected)):
            raws = read_many(self._repo.pk, batch)
            for oid in batch:
                row = rows[oid]
                tree = self._new_root(row.tree)
                parents = [self._commits.get(parent, parent) for parent in row.parents]
                new = self._keep(Kind.COMMIT, _said_anew(raws[oid], tree, parents))
                self._commits[oid] = new
                fresh[new] = row._replace(oid=new, tree=tree, parents=parents)
        return fresh

    def _filed(
        self, fresh: Mapping[bytes, CommitRow], rows: Mapping[bytes, CommitRow], *, is_long: bool
    ) -> list[NewCommit]:
        default = BRANCHES + self._repo.default_branch
        names = sorted(self._heads.oids, key=lambda name: (name != default, name))
        ends = [self._target(self._heads.oids[name]) for name in names]
        tips = [self._commits.get(oid, oid) for oid in ends]
        pushed = {oid: PushedCommit(row.tree, tuple(row.parents)) for oid, row in fresh.items()}
        every = {**rows, **fresh}
        return [
            _filed(fresh[oid], {} if is_long else self._changes(fresh[oid], every))
            for oid in order_commits(pushed, tips)
        ]

    def _changes(self, row: CommitRow, rows: Mapping[bytes, CommitRow]) -> dict[str, bool]:
        old = rows[row.parents[0]].tree if row.parents else None
        return differences(self._read_trees, old, row.tree)

    def _read_trees(self, oids: Collection[bytes]) -> Mapping[bytes, Tree]:
        new = {oid: self._new_trees[oid] for oid in oids if oid in self._new_trees}
        return new | parsed_trees(self._repo.pk, [oid for oid in oids if oid not in new])

    def _new_target(self, oid: bytes) -> bytes:
        """What a ref is to point to that pointed to ``oid``: the tags on the way are new, too."""
        old = self._target(oid)
        new = self._commits.get(old, old)
        if new == old:
            return oid
        tags = self._chains[oid].tags if oid in self._chains else ()
        raws = read_many(self._repo.pk, tags)
        for tag in reversed(tags):
            raw = _TAG_SIGNATURE.sub(b"", raws[tag])
            _line, _, rest = raw.partition(b"\n")
            new = self._keep(Kind.TAG, b"object %s\n%s" % (new.hex().encode(), rest))
        return new


def _pointers(repo_id: int, digests: Collection[bytes]) -> set[bytes]:
    rows = sql.rows(
        "SELECT oid FROM git_object WHERE repo_id = %s AND lfs_oid = ANY(%s)",
        [repo_id, list(digests)],
    )
    return {oid for (oid,) in rows}


def _leading_to(reader: TreeReader, roots: Collection[bytes], files: set[bytes]) -> set[bytes]:
    """The trees below ``roots``, these included, below which one of the files is."""
    above: dict[bytes, set[bytes]] = {}
    changed: set[bytes] = set()
    seen, level = set(roots), list(roots)
    while level:
        deeper: set[bytes] = set()
        for oid, entry in _entries(reader, level):
            if entry.oid in files:
                changed.add(oid)
            elif entry.is_tree:
                above.setdefault(entry.oid, set()).add(oid)
                deeper.add(entry.oid)
        level = list(deeper - seen)
        seen |= deeper
    waiting = list(changed)
    while waiting:
        more = above.get(waiting.pop(), set()) - changed
        changed |= more
        waiting += more
    return changed


def _entries(reader: TreeReader, oids: list[bytes]) -> Iterator[tuple[bytes, Entry]]:
    for batch in _batches(oids):
        for oid, tree in reader.read(set(batch)).items():
            yield from ((oid, entry) for entry in tree.values())


def _parents_first(rows: Mapping[bytes, CommitRow]) -> Iterator[bytes]:
    done: set[bytes] = set()
    for start in rows:
        waiting = [start]
        while waiting:
            oid = waiting[-1]
            left = [one for one in rows[oid].parents if one not in done] if oid not in done else []
            waiting += left
            if not left:
                waiting.pop()
                if oid not in done:
                    done.add(oid)
                    yield oid


def _batches(oids: list[bytes]) -> Iterator[list[bytes]]:
    for start in range(0, len(oids), _AT_ONCE):
        yield oids[start : start + _AT_ONCE]


def _said_anew(raw: bytes, tree: bytes, parents: Sequence[bytes]) -> bytes:
    head, _, message = raw.partition(b"\n\n")
    kept = [
        line
        for line in _SIGNATURE.sub(b"", head + b"\n").split(b"\n")
        if line and not line.startswith((b"tree ", b"parent "))
    ]
    first = [b"tree " + tree.hex().encode(), *(b"parent " + one.hex().encode() for one in parents)]
    return b"\n".join([*first, *kept]) + b"\n\n" + message


def _filed(row: CommitRow, changes: Mapping[str, bool]) -> NewCommit:
    return NewCommit(
        oid=row.oid,
        tree=row.tree,
        parents=tuple(row.parents),
        author=row.author,
        author_id=row.author_id,
        created_at=row.created_at,
        title=row.title,
        message=row.message,
        changes=changes,
    )
