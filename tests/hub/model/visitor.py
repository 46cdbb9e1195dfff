"""Somebody who uses a hub at random, in every way that there is, and keeps the reference true."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from random import Random

from hub.errors import BlobNotFound
from hub.git.objects import Commit, Kind, Signature, build_tree, hash_object, parse_tree
from hub.git.refs import RefUpdate
from hub.models import Repo, sql
from hub.names import EntryPath, RepoKind, RepoName, RevisionName
from hub.queries import history
from hub.queries.objects import read_raw
from hub.queries.store import blob_store
from hub.services import blobs, commits, purges, pushes, refs, repos, xet_intake, xet_xorbs
from hub.services.commits import DeleteFile, Message, Operation, PutFile, PutLarge
from hub.services.xet_tokens import issue_token
from teams.roles import Action
from tests.cast import Cast, signed_in
from tests.hub.git.packs import pack, whole
from tests.hub.model.reference import Files, Large, RepoReference, Snapshot
from tests.hub.services import aging
from tests.hub.xet.samples import FileSample, index_of, shard_of, xorb_of

MAIN = "refs/heads/main"
SMALL = [f"{folder}f{number}" for folder in ("", "a/", "a/b/") for number in range(4)]
MANY = [f"many/{number:02}" for number in range(40)]
MAX_REPOS, MAX_BRANCHES = 4, 4
WHEN = datetime(2026, 11, 21, tzinfo=UTC)


class Visitor:
    """Makes one random step after the other."""

    def __init__(self, cast: Cast, seed: int) -> None:
        self.random = Random(seed)
        self.by = signed_in(cast.root)
        self.day = 0.0
        self.repos: dict[str, RepoReference] = {}
        self.contents: dict[bytes, bytes] = {}
        """Every large file that was ever uploaded, by its SHA-256."""
        self.xorbs: dict[bytes, set[bytes]] = {}
        """The xorbs of which each was made, if it came by Xet."""
        self.last_needed: dict[bytes, float] = {}
        """The last day on which somebody could come to a large file."""
        self.last_sent: dict[bytes, float] = {}
        """The last day on which a large file, or a xorb, was uploaded."""
        self._names = 0
        self.create_repo()

    def step(self) -> None:
        steps = list(STEPS)
        (chosen,) = self.random.choices(steps, [STEPS[step] for step in steps])
        chosen(self)

    def note_needed(self) -> None:
        """To be called before anything may become unreachable, or time passes."""
        for one in self.repos.values():
            for sha256 in one.needed():
                self.last_needed[sha256] = self.day

    def _some_repo(self) -> RepoReference:
        return self.repos[self.random.choice(sorted(self.repos))]

    def _fresh_name(self, prefix: str) -> str:
        self._names += 1
        return f"{prefix}{self._names}"

    # Repos

    def create_repo(self) -> None:
        if len(self.repos) < MAX_REPOS:
            name = self._fresh_name("repo")
            repo = repos.create(kind=RepoKind.MODEL, name=RepoName("ada", name), by=self.by)
            self._know(name, repo, {".gitattributes": _content(repo, ".gitattributes")})

    def duplicate_repo(self) -> None:
        if len(self.repos) < MAX_REPOS:
            name, source = self._fresh_name("copy"), self._some_repo()
            to = RepoName("ada", name)
            repo = repos.duplicate(source=source.repo, to=to, by=self.by, visibility="public")
            self._know(name, repo, source.head(MAIN).files)
            self.repos[name].purged |= source.purged

    def _know(self, name: str, repo: Repo, files: Files) -> None:
        known = self.repos[name] = RepoReference(repo)
        known.refs[MAIN] = _head(repo, MAIN)
        known.commits[known.refs[MAIN]] = Snapshot(dict(files), ())

    def move_repo(self) -> None:
        one = self._some_repo()
        old, new = one.repo.name, self._fresh_name("moved")
        repos.move(repo=one.repo, to=RepoName("acme", new), by=self.by)
        self.repos[new] = self.repos.pop(old)

    def delete_repo(self) -> None:
        if len(self.repos) > 1:
            self.note_needed()
            repos.delete(repo=self.repos.pop(self._some_repo().repo.name).repo, by=self.by)

    # Commits

    def commit(self) -> None:
        one = self._some_repo()
        ref = self.random.choice(one.branches())
        files = dict(one.head(ref).files)
        operations: list[Operation] = []
        for path in self.random.sample(SMALL, self.random.randint(1, 3)):
            if path in files and self.random.random() < 0.3:
                operations.append(DeleteFile(EntryPath(path)))
                del files[path]
            elif self.contents and self.random.random() < 0.3:
                files[path] = large = self._any_large()
                operations.append(PutLarge(EntryPath(path), *large))
            else:
                files[path] = text = self._text()
                operations.append(PutFile(EntryPath(path), text))
        self._land(one, ref, files, operations)

    def commit_many(self) -> None:
        """A folder of so many files that its trees are stored as deltas."""
        one = self._some_repo()
        ref = self.random.choice(one.branches())
        files: Files = dict(one.head(ref).files)
        paths = self.random.sample(MANY, 3) if MANY[0] in files else MANY
        operations: list[Operation] = []
        for path in paths:
            files[path] = text = self._text()
            operations.append(PutFile(EntryPath(path), text))
        self._land(one, ref, files, operations)

    def _land(
        self, one: RepoReference, ref: str, files: Files, operations: list[Operation]
    ) -> None:
        message = Message(self._fresh_name("commit "))
        try:
            oid = commits.commit(
                repo=one.repo,
                branch=RevisionName(ref),
                operations=operations,
                message=message,
                by=self.by,
            )
        except BlobNotFound:
            named = {step.sha256 for step in operations if isinstance(step, PutLarge)}
            needed = set().union(*(other.needed() for other in self.repos.values()))
            assert not named <= needed, "a file that some repo needs was not to be had"
            return
        if oid != one.refs[ref]:
            one.commits[oid] = Snapshot(files, (one.refs[ref],))
            one.refs[ref] = oid
        # What is named anew is held again, by adoption or by an upload.
        one.purged -= {step.sha256 for step in operations if isinstance(step, PutLarge)}

    def _text(self) -> bytes:
        return b"text %d" % self.random.randrange(40)

    def _any_large(self) -> Large:
        sha256 = self.random.choice(sorted(self.contents))
        return Large(sha256, len(self.contents[sha256]))

    def squash(self) -> None:
        self.note_needed()
        one = self._some_repo()
        ref = self.random.choice(one.branches())
        files = one.head(ref).files
        title = self._fresh_name("squash ")
        oid = refs.squash(repo=one.repo, branch=RevisionName(ref), message=title, by=self.by.user)
        one.commits[oid] = Snapshot(files, ())
        one.refs[ref] = oid

    # Refs

    def create_branch(self) -> None:
        one = self._some_repo()
        if len(one.branches()) < MAX_BRANCHES:
            self._point(one, "refs/heads/", self._fresh_name("branch"))

    def create_tag(self) -> None:
        one = self._some_repo()
        if len(one.tags()) < MAX_BRANCHES:
            self._point(one, "refs/tags/", self._fresh_name("v"))

    def _point(self, one: RepoReference, prefix: str, name: str) -> None:
        """Let a new ref begin at any commit that some ref leads to."""
        oid = self.random.choice(sorted(one.reachable()))
        start = history.commit_by_oid(one.repo.pk, oid)
        assert start is not None, "a reachable commit is gone"
        if prefix == "refs/heads/":
            refs.create_branch(
                repo=one.repo, branch=RevisionName(name), start=start, by=self.by.user
            )
        else:
            message = self.random.choice(["", "a message"])
            tag = RevisionName(name)
            refs.create_tag(repo=one.repo, tag=tag, target=start, message=message, by=self.by.user)
            if message:
                one.annotated.add(prefix + name)
        one.refs[prefix + name] = oid

    def delete_ref(self) -> None:
        one = self._some_repo()
        others = sorted(one.refs.keys() - {MAIN})
        if others:
            self.note_needed()
            ref = self.random.choice(others)
            name = RevisionName(ref.removeprefix("refs/heads/").removeprefix("refs/tags/"))
            if ref.startswith("refs/tags/"):
                refs.delete_tag(repo=one.repo, tag=name, by=self.by.user)
            else:
                refs.delete_branch(repo=one.repo, branch=name, by=self.by.user)
            del one.refs[ref]
            one.annotated.discard(ref)

    # Pushes

    def push(self) -> None:
        """A commit on a branch, or a merge of another commit into it, as git would send it."""
        one = self._some_repo()
        ref = self.random.choice(one.branches())
        others = self.random.sample(sorted(one.reachable()), self.random.randint(0, 1))
        parents = (one.refs[ref], *(oid for oid in others if oid != one.refs[ref]))
        path, content = self.random.choice(SMALL[:4]), self._text()
        tree = parse_tree(read_raw(one.repo.pk, _tree(one.repo, parents[0]))[1])
        entry = next(iter(tree.values()))
        blob = hash_object(Kind.BLOB, content)
        raw = build_tree(tree | {path.encode(): entry._replace(mode=b"100644", oid=blob)})
        made = _commit(hash_object(Kind.TREE, raw), parents, self._fresh_name("push "))
        entries = [whole(Kind.BLOB, content), whole(Kind.TREE, raw), whole(Kind.COMMIT, made)]
        new = hash_object(Kind.COMMIT, made)
        if self.random.random() < 0.2:
            entries.append(whole(Kind.BLOB, self._text() + b" that nothing names"))
        self._push(one, entries, RefUpdate(ref, one.refs[ref], new))
        one.commits[new] = Snapshot(one.commits[parents[0]].files | {path: content}, parents)
        one.refs[ref] = new

    def force_push(self) -> None:
        """Move a branch to any commit that some ref leads to."""
        self.note_needed()
        one = self._some_repo()
        ref = self.random.choice(one.branches())
        new = self.random.choice(sorted(one.reachable()))
        self._push(one, [], RefUpdate(ref, one.refs[ref], new))
        one.refs[ref] = new

    def _push(self, one: RepoReference, entries: list[bytes], update: RefUpdate) -> None:
        source = BytesIO(pack(entries))
        pushes.push(repo=one.repo, updates=[update], source=source, by=self.by)

    # Large files

    def upload(self) -> None:
        """Large files by LFS; some of them came before."""
        one, content = self._some_repo(), self._bytes()
        store, sha256 = blob_store(), hashlib.sha256(content).digest()
        staged, size = store.stage([content]), len(content)
        blobs.accept(
            repo=one.repo, store=store, staged=staged, sha256=sha256, size=size, by=self.by.user
        )
        self._sent(one, sha256, content)

    def upload_by_xet(self) -> None:
        """A xorb of two chunks, and a file of the first or of both."""
        one, chunks = self._some_repo(), [self._bytes(), self._bytes()]
        token = issue_token(repo=one.repo, by=self.by, action=Action.REPO_WRITE)
        domain = int(token.cas.partition(".")[0])
        xorb, body = xorb_of(chunks)
        xet_xorbs.accept_xorb(xorb=xorb, source=BytesIO(body), domain_id=domain, by=self.by.user)
        count, index = self.random.randint(1, 2), index_of(chunks)
        content = b"".join(chunks[:count])
        sample = FileSample.over((index, 0, count))
        file = replace(sample, sha256=hashlib.sha256(content).digest())
        shard = xet_intake.check_shard(shard_of([file], [index]), domain_id=domain)
        list(xet_intake.register(shard, repo=one.repo, by=self.by.user))
        self.last_sent[xorb] = self.day
        self.xorbs.setdefault(file.sha256, set()).add(xorb)
        self._sent(one, file.sha256, content)

    def _sent(self, one: RepoReference, sha256: bytes, content: bytes) -> None:
        self.contents[sha256] = content
        self.last_sent[sha256] = self.day
        one.purged.discard(sha256)

    def _bytes(self) -> bytes:
        return b"large %d of this run" % self.random.randrange(60)

    def purge(self) -> None:
        """Delete a large file of a repo for good, mostly one that a branch has."""
        one = self._some_repo()
        needed = sorted(one.needed())
        if not needed:
            return
        self.note_needed()
        sha256 = self.random.choice(needed)
        purges.purge(repo=one.repo, digests=[sha256], by=self.by)
        for ref in one.branches():
            files = one.head(ref).files
            kept = {
                path: content
                for path, content in files.items()
                if not (isinstance(content, Large) and content.sha256 == sha256)
            }
            if kept != files:
                oid = _head(one.repo, ref)
                one.commits[oid] = Snapshot(kept, (one.refs[ref],))
                one.refs[ref] = oid
        one.purged.add(sha256)

    # Time

    def let_time_pass(self) -> None:
        self.note_needed()
        days = self.random.choice([0.2, 1, 1, 2, 5])
        aging.days(days)
        self.day += days


STEPS: dict[Callable[[Visitor], None], int] = {
    Visitor.commit: 30,
    Visitor.commit_many: 5,
    Visitor.push: 14,
    Visitor.force_push: 4,
    Visitor.squash: 2,
    Visitor.create_branch: 5,
    Visitor.create_tag: 3,
    Visitor.delete_ref: 7,
    Visitor.upload: 9,
    Visitor.upload_by_xet: 9,
    Visitor.purge: 2,
    Visitor.create_repo: 2,
    Visitor.duplicate_repo: 2,
    Visitor.move_repo: 1,
    Visitor.delete_repo: 1,
    Visitor.let_time_pass: 8,
}
"""What may happen, and how often."""


def _head(repo: Repo, ref: str) -> bytes:
    row = sql.row("SELECT oid FROM git_ref WHERE repo_id = %s AND name = %s", [repo.pk, ref])
    assert row is not None
    return bytes(row[0])


def _tree(repo: Repo, commit: bytes) -> bytes:
    found = history.commit_by_oid(repo.pk, commit)
    assert found is not None
    return found.tree


def _content(repo: Repo, name: str) -> bytes:
    tree = parse_tree(read_raw(repo.pk, _tree(repo, _head(repo, MAIN)))[1])
    return read_raw(repo.pk, tree[name.encode()].oid)[1]


def _commit(tree: bytes, parents: tuple[bytes, ...], title: str) -> bytes:
    return bytes(Commit(tree, parents, Signature("Ada", "ada@example.org", WHEN), title))
