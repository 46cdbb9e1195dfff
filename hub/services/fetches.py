"""Answer git's fetch: agree on what the client lacks, and write the pack of it aside.

One snapshot of the database serves both, so the pack holds exactly what was agreed on. It is
complete, and the snapshot gone, before a byte of it is sent: a slow client holds nothing up.
"""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO

from django.db import transaction

from hub.git.fetch_reply import Agreement
from hub.git.fetch_request import FetchRequest
from hub.git.objects import Kind
from hub.git.pack_writer import PackWriter
from hub.models import Repo, sql
from hub.queries.closure import ObjectWalk, Step
from hub.queries.commit_graph import (
    CommitGraph,
    Ends,
    Missing,
    all_lead_to,
    ends_of,
    ends_since,
    missing_commits,
)
from hub.queries.objects import read_many
from hub.queries.packing import Everything, Listed, Selection, small_enough
from hub.queries.scans import check_in_git
from hub.queries.wanted import commits_called, kinds_of, tags_of, wanted
from teams.errors import Invalid

_IN_MEMORY = 8 * 1024 * 1024
_EDGE_BASES = 4
_EXPANDED_AT_ONCE = 64
_LEVEL = 1


@dataclass(frozen=True, slots=True)
class Reply:
    """What was agreed on, and the pack if this is the round for it, ready to be read."""

    agreement: Agreement
    pack: IO[bytes] | None = None


def fetch(*, repo: Repo, request: FetchRequest) -> Reply:
    """Answer one round of a fetch.

    Raises:
        NotFound: the repo has not got what is wanted.
        Invalid: no commit would be left, or a ref to stop at does not exist.
        FileWithheld: scanners have not let out what the pack would hold.
    """
    if not (request.wants or request.haves):
        raise Invalid("Nothing is wanted.")
    with _snapshot():
        plan = _Plan(repo, request)
        agreement = plan.agree()
        if not request.expects_pack(ready=agreement.ready):
            return Reply(agreement)
        selection = plan.selection()
        check_in_git(repo, selection.named)
        return Reply(agreement, _packed(selection, near="ofs-delta" in request.flags))


@contextmanager
def _snapshot() -> Iterator[None]:
    with transaction.atomic():
        sql.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


class _Plan:
    """One request against one snapshot of a repo."""

    def __init__(self, repo: Repo, request: FetchRequest) -> None:
        self._repo_id, self._request = repo.pk, request
        self._wanted = wanted(repo.pk, request.wants)
        self._graph = CommitGraph(repo.pk)
        self._graph.load(self._wanted.commits)
        known = kinds_of(repo.pk, request.haves)
        self._common = [oid for oid in request.haves if oid in known]
        self._had = self._graph.load(oid for oid, kind in known.items() if kind is Kind.COMMIT)
        self._shallow = self._graph.load(request.shallow)
        self._ends = self._shallow
        self._missing = Missing()
        self._is_everything = self._asks_for_everything()

    def agree(self) -> Agreement:
        new = self._deepened() if self._request.deepening else Ends()
        self._ends = new.last | (self._shallow - new.inside)
        ready = False
        if self._request.talks and not self._is_everything:
            self._missing = self._walk()
            ready = self._request.says_ready and bool(self._common) and self._all_lead_to_common()
        return Agreement(
            self._common,
            ready,
            sorted(new.last - self._shallow),
            sorted(new.inside & self._shallow),
        )

    def _deepened(self) -> Ends:
        asked, commits = self._request.deepening, self._wanted.commits
        if asked.depth:
            return ends_of(self._graph, commits, self._shallow, asked)
        without = commits_called(self._repo_id, asked.without)
        found = ends_since(self._graph, commits, asked.since, without)
        if not (found.inside or found.last):
            raise Invalid("No commit is left within these bounds.")
        return found

    def _walk(self) -> Missing:
        if not self._request.deepening:
            return missing_commits(self._graph, self._wanted.commits, self._had, self._ends)
        # What is behind the present end of the clone is missing, though it comes from what is not.
        had = self._graph.closure(self._had, self._shallow)
        commits = self._graph.closure(self._wanted.commits, self._ends)
        newest_first = sorted(commits - had, key=lambda oid: self._graph.at(oid)[3:], reverse=True)
        return Missing(newest_first, had)

    def _all_lead_to_common(self) -> bool:
        return all_lead_to(self._graph, self._missing, self._wanted.commits, self._ends)

    def selection(self) -> Selection:
        request = self._request
        if self._is_everything:
            return Everything(self._repo_id, request.filter)
        walk = ObjectWalk(self._repo_id, request.filter)
        walk.run(self._steps())
        walk.run((oid, ()) for oid in self._wanted.trees)
        commits, tags = self._missing.commits, set(self._wanted.tags)
        if "include-tag" in request.flags:
            tags |= tags_of(self._repo_id, set(commits))
        blobs = dict.fromkeys([*self._within_limit(walk.blobs), *self._wanted.blobs])
        trees = walk.trees | dict.fromkeys(self._wanted.trees)
        return Listed(self._repo_id, [*commits, *tags, *blobs], trees)

    def _asks_for_everything(self) -> bool:
        """A full clone of a repo in which nothing is unreachable needs no walk."""
        request = self._request
        if self._common or request.deepening or request.shallow:
            return False
        tips = sql.rows("SELECT oid FROM git_ref WHERE repo_id = %s", [self._repo_id])
        clean = sql.row("SELECT NOT dirty FROM hub_repo WHERE id = %s", [self._repo_id])
        return clean == (True,) and {oid for (oid,) in tips} == set(request.wants)

    def _steps(self) -> Iterator[Step]:
        graph = self._graph
        edge = sorted(self._had, key=lambda oid: graph.at(oid)[3:], reverse=True)[:_EDGE_BASES]
        for oid in self._missing.commits:
            node = graph.at(oid)
            before = () if oid in self._ends else node.parents
            yield node.tree, tuple(graph.at(one).tree for one in before or edge)

    def _within_limit(self, blobs: dict[bytes, None]) -> list[bytes]:
        limit = self._request.filter.blob_limit
        return list(blobs) if limit is None else small_enough(self._repo_id, blobs, limit)


def _packed(selection: Selection, *, near: bool) -> IO[bytes]:
    file = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - the reader of it closes it
    writer = PackWriter(file, selection.count(), near_deltas=near)
    writer.add(selection.rows(deltas=False))
    lonely: list[bytes] = []
    for oid, _kind, _size, base, data in selection.rows(deltas=True):
        if base is not None and writer.has_base(base):
            writer.add_delta(base, len(zlib.decompress(data)), data)
        else:
            lonely.append(oid)
    _add_in_full(writer, selection.repo_id, lonely)
    writer.finish()
    file.seek(0)
    return file


def _add_in_full(writer: PackWriter, repo_id: int, trees: list[bytes]) -> None:
    """Trees that are stored as deltas of trees that are not sent."""
    for start in range(0, len(trees), _EXPANDED_AT_ONCE):
        found = read_many(repo_id, trees[start : start + _EXPANDED_AT_ONCE])
        writer.add(
            (oid, Kind.TREE, len(raw), None, zlib.compress(raw, _LEVEL))
            for oid, raw in found.items()
        )
