"""RepoDetails: what is told of repos only when it is asked for, read for a whole page at once."""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from hub.cards import eval_results
from hub.models import RepoCard, sql
from hub.queries import many_objects
from hub.queries.blobs import storage_of
from hub.queries.objects import BlobFacts
from hub.queries.repo_filter import visible_to
from hub.queries.repo_rows import TABLES, RepoRow
from hub.queries.scans import states_of
from hub.queries.trees import Found
from teams.policies import Principal

MOST_TEXT = 4 * 1024 * 1024
"""Larger files of metadata are not looked into, in bytes."""


class Head(NamedTuple):
    """A commit and its root tree."""

    commit: bytes
    tree: bytes


_HEADS = """
SELECT r.id, c.oid, c.tree
FROM hub_repo r
JOIN git_ref g ON g.repo_id = r.id AND g.name = 'refs/heads/' || r.default_branch
JOIN git_commit c ON c.repo_id = g.repo_id AND c.oid = g.oid
WHERE r.id = ANY(%s)
"""


class RepoDetails:
    """The details of some repos; each property reads for all of them when it is first asked."""

    def __init__(
        self,
        repos: Sequence[RepoRow],
        principal: Principal,
        *,
        columns: Iterable[str] = (),
        heads: Mapping[int, Head] | None = None,
    ) -> None:
        """``columns`` are the card's to read; ``heads`` stand in for the default branches'."""
        self._repos = {repo.id: repo for repo in repos}
        self._principal = principal
        self._columns = sorted(set(columns))
        if heads is not None:
            self.heads = dict(heads)

    @cached_property
    def heads(self) -> dict[int, Head]:
        rows = sql.rows(_HEADS, [list(self._repos)])
        return {repo_id: Head(commit, tree) for repo_id, commit, tree in rows}

    @cached_property
    def cards(self) -> dict[int, dict[str, Any]]:
        """Repo id to the columns of its card that were asked for."""
        found = RepoCard.objects.filter(pk__in=list(self._repos))
        rows = found.values_list("pk", *self._columns)
        return {repo_id: dict(zip(self._columns, values, strict=True)) for repo_id, *values in rows}

    def card(self, repo: RepoRow, column: str) -> Any:
        return self.cards.get(repo.id, {}).get(column)

    @cached_property
    def _roots(self) -> dict[int, bytes]:
        return {repo_id: head.tree for repo_id, head in self.heads.items()}

    @cached_property
    def files(self) -> dict[int, list[Found]]:
        return many_objects.list_files(self._roots)

    @cached_property
    def facts(self) -> dict[tuple[int, bytes], BlobFacts]:
        """Repo id and blob to its size and pointer, for all files."""
        return many_objects.facts_of(
            (repo_id, file.oid) for repo_id, files in self.files.items() for file in files
        )

    @cached_property
    def verdicts(self) -> dict[int, dict[bytes, str]]:
        """Repo id to what scanners say of its files, by key."""
        keys = {blob.lfs_oid or oid for (_repo, oid), blob in self.facts.items()}
        return states_of(self._repos, keys)

    @cached_property
    def storage(self) -> dict[int, int]:
        return storage_of(self._repos)

    @cached_property
    def spaces(self) -> dict[str, list[str]]:
        """Full name of a model to the spaces whose cards name it, by name."""
        visible, values = visible_to(self._principal)
        query = _SPACES.format(tables=TABLES, visible=visible)
        return _lists(sql.rows(query, values | {"names": self._names}))

    @cached_property
    def children(self) -> dict[str, int]:
        """Full name of a model to the number of models that were made from it."""
        visible, values = visible_to(self._principal)
        query = _CHILDREN.format(tables=TABLES, visible=visible)
        return dict(sql.rows(query, values | {"names": self._names}))

    @property
    def _names(self) -> list[str]:
        return [repo.full_name for repo in self._repos.values()]

    @cached_property
    def mask_tokens(self) -> dict[int, str]:
        """Repo id to the mask token of its tokenizer, where it has one."""
        raw = many_objects.read_at_root(self._roots, b"tokenizer_config.json", MOST_TEXT)
        tokens = {repo_id: _mask_token(content) for repo_id, content in raw.items()}
        return {repo_id: token for repo_id, token in tokens.items() if token}

    @cached_property
    def evaluations(self) -> dict[int, list[dict[str, object]]]:
        """Repo id to the evaluation results that its files report."""
        folder = eval_results.FOLDER.encode()
        read = many_objects.read_folder(self._roots, folder, MOST_TEXT)
        return {
            repo_id: [
                entry
                for name, raw in files.items()
                if name.endswith((".yaml", ".yml"))
                for entry in eval_results.entries_of(name, raw.decode(errors="replace"))
            ]
            for repo_id, files in read.items()
        }


_SPACES = """
SELECT m.name, n.name || '/' || r.name AS space
FROM unnest(%(names)s::text[]) AS m(name), {tables}
WHERE c.metadata -> 'models' ? m.name AND r.kind = 'space' AND {visible}
ORDER BY 1, 2
"""
_CHILDREN = """
SELECT m.name, count(*)
FROM unnest(%(names)s::text[]) AS m(name), {tables}
WHERE c.tags @> ARRAY['base_model:' || m.name] AND r.kind = 'model' AND {visible}
GROUP BY 1
"""


def _lists(rows: Iterable[tuple[Any, ...]]) -> dict[str, list[str]]:
    lists: dict[str, list[str]] = {}
    for key, value in rows:
        lists.setdefault(key, []).append(value)
    return lists


def _mask_token(raw: bytes) -> str:
    """A token is written as text, or as an object that has it as ``content``."""
    try:
        config = json.loads(raw)
    except (ValueError, RecursionError):
        return ""
    token = config.get("mask_token") if isinstance(config, dict) else None
    text = token.get("content") if isinstance(token, dict) else token
    return text if isinstance(text, str) else ""
