"""Take a push: check every object of its pack, then publish it with all its refs, or nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hub.crashpoints import Point, reach
from hub.errors import BadObject
from hub.git.objects import Kind, parse_commit
from hub.git.refs import BRANCHES, TAGS, RefUpdate
from hub.git.stored import StoredObject, store
from hub.git.tree_diff import differences
from hub.git.unpacked import Pack, Source
from hub.models import Repo
from hub.queries import history, packs
from hub.queries.tags import known_chains
from hub.services import indexing
from hub.services.commits import noreply
from hub.services.filing import NewCommit
from hub.services.publish import Change, Heads, publish
from hub.services.push_intake import Intake, PushedCommit
from hub.services.push_rules import RefsRefused, check_refs
from teams.policies import Principal

INDEXED_AT_ONCE = 500
"""Commits whose changed paths are found out within the push; of more a job takes care."""
MAX_TAGS_OF_TAGS = 10
"""Annotated tags on the way to a commit: reading refs takes a query for each."""


def push(*, repo: Repo, updates: Sequence[RefUpdate], source: Source | None, by: Principal) -> None:
    """Move refs as a client of git asks; ``source`` is its pack, none if it only deletes.

    Raises:
        RefsRefused: a ref may not be moved so, or is no longer where the client saw it.
        BadObject, TooLarge, BlobNotFound, BadPath: the pack is refused.
    """
    check_refs(repo, updates, by)
    if source is None:
        _delete(repo, updates, by)
        return
    intake = Intake(repo, source)
    reach(Point.PUSH_RECEIVED)
    with intake.pack:
        _Push(repo, updates, intake, by).publish()


def _delete(repo: Repo, updates: Sequence[RefUpdate], by: Principal) -> None:
    def build(heads: Heads) -> Change:
        _check_fresh(updates, heads)
        return Change(tuple(updates), makes_garbage=True)

    if any(update.new is not None for update in updates):
        raise BadObject("The push has no pack.")
    publish(repo, refs=[update.ref for update in updates], build=build, by=by.user)


def _check_fresh(updates: Sequence[RefUpdate], heads: Heads) -> None:
    stale = [update.ref for update in updates if heads[update.ref] != update.old]
    if stale:
        raise RefsRefused(dict.fromkeys(stale, "fetch first"))


class _Push:
    """One pack on its way to be published."""

    def __init__(
        self, repo: Repo, updates: Sequence[RefUpdate], intake: Intake, by: Principal
    ) -> None:
        self._repo = repo
        self._updates = updates
        self._intake = intake
        self._by = by
        named = [one.new for one in updates if one.new] + [one.oid for one in intake.tags.values()]
        self._known_tags = known_chains(repo.pk, [oid for oid in named if oid not in intake.pack])
        self._outside: Mapping[bytes, Kind] = {}
        self._links: dict[bytes, str] = {}
        """Symbolic links that the push brings into place."""

    def publish(self) -> None:
        """Publish all that was pushed; what is missing is asked before and, for good, within."""
        self._check_tips()
        self._intake.check_content(self._by)
        self._outside = self._intake.outside()
        self._verify()
        order = order_commits(self._intake.commits, self._tips())
        is_long = len(order) > INDEXED_AT_ONCE
        if is_long:
            self._check_whole()
        commits = [self._row(oid, is_long=is_long) for oid in order]
        self._intake.check_links(self._links)
        makes_garbage = self._makes_garbage()
        reach(Point.PUSH_CHECKED)

        def build(heads: Heads) -> Change:
            _check_fresh(self._updates, heads)
            return Change(
                tuple(self._updates),
                _TreeDeltas(self._repo.pk, self._intake.pack),
                commits,
                makes_garbage=makes_garbage,
                index_later=is_long,
            )

        publish(
            self._repo,
            refs=[update.ref for update in self._updates],
            build=build,
            files=_InFull(self._intake.pack),
            verify=self._verify,
            by=self._by.user,
        )
        if is_long:
            indexing.ring()

    def _check_tips(self) -> None:
        """A branch comes to a commit, a tag to a commit or an annotated tag."""
        problems: dict[str, str] = {}
        for update in self._updates:
            if update.new is None:
                continue
            tags = len(self._chain(update.new)) - 1
            self._intake.expect(update.new, Kind.TAG if tags else Kind.COMMIT)
            if tags and not update.ref.startswith(TAGS):
                problems[update.ref] = "not a commit"
            if tags > MAX_TAGS_OF_TAGS:
                problems[update.ref] = f"a tag of more than {MAX_TAGS_OF_TAGS} tags"
        if problems:
            raise RefsRefused(problems)

    def _target(self, oid: bytes) -> bytes:
        return self._chain(oid)[-1]

    def _chain(self, oid: bytes) -> Sequence[bytes]:
        """Annotated tags, each of the next, and what the last one names."""
        found = [oid]
        while found[-1] in self._intake.tags:
            found.append(self._intake.tags[found[-1]].oid)
        known = self._known_tags.get(found[-1])
        return found if known is None else [*found[:-1], *known.tags, known.target]

    def _tips(self) -> list[bytes]:
        """The commits that the refs come to; that of the default branch first, for it to have a
        line of its own."""
        default = BRANCHES + self._repo.default_branch
        updates = sorted(self._updates, key=lambda update: (update.ref != default, update.ref))
        return [self._target(update.new) for update in updates if update.new]

    def _verify(self) -> None:
        if missing := packs.missing(self._repo.pk, self._outside):
            told = ", ".join(oid.hex() for oid in missing[:3])
            raise BadObject(f"Objects are neither in the push nor in the repo: {told}.")

    def _check_whole(self) -> None:
        """Look at what is pushed as a whole, if nobody walks what each commit changed."""
        for tip in set(self._tips()) & self._intake.commits.keys():
            tree = self._intake.commits[tip].tree
            differences(self._intake.read_trees, None, tree)
        self._links = self._intake.all_links()

    def _row(self, oid: bytes, *, is_long: bool) -> NewCommit:
        commit = parse_commit(self._intake.pack.raw(oid))
        return NewCommit(
            oid=oid,
            tree=commit.tree,
            parents=commit.parents,
            author=commit.author.name,
            author_id=self._author_id(commit.author.email),
            created_at=commit.author.when,
            title=commit.title,
            message=commit.body,
            changes={} if is_long else self._changes(commit.tree, commit.parents[:1]),
        )

    def _author_id(self, email: str) -> int | None:
        """Anybody can write any address into a commit; only the pusher's own is believed."""
        user = self._by.user
        if user is None or not email:
            return None
        own = {user.email.casefold(), noreply(user.name).casefold()}
        return user.pk if email.casefold() in own else None

    def _changes(self, tree: bytes, first_parent: Sequence[bytes]) -> dict[str, bool]:
        old = self._tree_of(first_parent[0]) if first_parent else None
        return differences(self._intake.read_trees, old, tree, links=self._links)

    def _tree_of(self, oid: bytes) -> bytes | None:
        if oid in self._intake.commits:
            return self._intake.commits[oid].tree
        found = history.commit_by_oid(self._repo.pk, oid)
        return found.tree if found else None

    def _makes_garbage(self) -> bool:
        """Whether something may be left that no ref comes to; in doubt, yes."""
        tips = {update.new for update in self._updates if update.new}
        return not self._intake.is_tidy(tips) or not all(map(self._is_forward, self._updates))

    def _is_forward(self, update: RefUpdate) -> bool:
        if update.old is None or update.old == update.new:
            return True
        if update.new is None:
            return False
        ends = ends_of(self._intake.commits, self._target(update.new))
        rows = history.commits_by_oid(self._repo.pk, [*ends, update.old])
        old = rows.pop(update.old, None)
        if old is None or update.old in ends:
            return old is not None
        return any(
            line == old.line and old.pos <= pos
            for row in rows.values()
            for line, pos in history.segments(self._repo.pk, row)
        )


def order_commits(commits: Mapping[bytes, PushedCommit], tips: Sequence[bytes]) -> list[bytes]:
    """Those of ``commits`` that ``tips`` lead to, each after its first parent.

    First-parent chains stay together, so that each is one line as long as can be.
    """
    order: list[bytes] = []
    seen: set[bytes] = set()
    waiting = list(reversed(tips))
    while waiting:
        chain: list[bytes] = []
        oid = waiting.pop()
        while oid in commits and oid not in seen:
            seen.add(oid)
            chain.append(oid)
            first, *others = commits[oid].parents or (b"",)
            waiting += others
            oid = first
        order += reversed(chain)
    return order


def ends_of(commits: Mapping[bytes, PushedCommit], tip: bytes) -> set[bytes]:
    """The commits at which a walk from ``tip`` leaves the pack."""
    ends: set[bytes] = set()
    seen: set[bytes] = set()
    waiting = [tip]
    while waiting:
        oid = waiting.pop()
        if oid not in commits:
            ends.add(oid)
        elif oid not in seen:
            seen.add(oid)
            waiting += commits[oid].parents
    return ends


@dataclass(frozen=True, slots=True)
class _InFull:
    """The rows that are stored in full; they may be read more than once."""

    pack: Pack

    def __iter__(self) -> Iterator[StoredObject]:
        return self.pack.rows(deltas=False)


@dataclass(frozen=True, slots=True)
class _TreeDeltas:
    """The rows that are deltas; read only after the others were added.

    What a delta is made against may lie in the repo already, and as a delta itself. Then the tree
    is stored in full, for no read may ever take more than one step.
    """

    repo_id: int
    pack: Pack

    def __iter__(self) -> Iterator[StoredObject]:
        in_full = packs.stored_in_full(self.repo_id, self.pack.keyframes())
        for row in self.pack.rows(deltas=True):
            if row.base in in_full:
                yield row
            else:
                yield store(Kind.TREE, self.pack.raw(row.oid))
