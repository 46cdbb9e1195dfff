"""A repo as JSON: the properties that were asked for, for a whole page or for one repo."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from hub.http.repo_properties import (
    MODEL_ID,
    PROPERTIES,
    SIBLINGS_WITH_SIZES,
    Builder,
    Property,
)
from hub.models import Repo
from hub.names import RepoKind
from hub.queries.history import CommitRow
from hub.queries.repo_details import Head, RepoDetails
from hub.queries.repo_filter import quoted
from hub.queries.repo_rows import RepoRow, rows_by_id
from teams.errors import Invalid
from teams.http.pagination import flag
from teams.policies import Principal


@dataclass(frozen=True, slots=True)
class Asked:
    """What a caller wants to know: properties by name, and whether files come with their sizes."""

    properties: frozenset[str]
    only: bool = False
    """Nothing but ``_id``, ``id`` and the properties."""
    blobs: bool = False


_COUNTERS = {"downloads", "likes", "trendingScore"}
_STATE = {"author", "createdAt", "disabled", "gated", "private"}
_IN_EVERY_LIST = frozenset({*_COUNTERS, *_STATE, "library_name", "pipeline_tag", "sdk", "tags"})
_IN_FULL_LIST = _IN_EVERY_LIST | {"description", "lastModified", "sha", "siblings"}
_ONLY_IF_ASKED = frozenset(
    [
        "baseModels",
        "childrenModelCount",
        "downloadsAllTime",
        "evalResults",
        "inferenceProviderMapping",
        "mainSize",
        "resourceGroup",
        "securityStatus",
        "subdomain",
        "trendingScore",
        "xetEnabled",
    ]
)


def asked_for(request: HttpRequest, kind: RepoKind) -> Asked:
    """Read from the query what the answer about one repo should hold.

    Raises:
        Invalid: a property of ``expand`` does not exist.
    """
    blobs = flag(request, "blobs")
    expand = expanded(request, kind)
    if expand:
        return Asked(expand, only=True, blobs=blobs)
    more = {"securityStatus"} if flag(request, "securityStatus") else set()
    return Asked(frozenset(PROPERTIES[kind]) - _ONLY_IF_ASKED | more, blobs=blobs)


def asked_for_in_list(
    request: HttpRequest, kind: RepoKind, *, full: bool, card: bool, config: bool
) -> Asked:
    """Read from the query what each repo of a list should hold.

    Raises:
        Invalid: a property of ``expand`` does not exist.
    """
    expand = expanded(request, kind)
    if expand:
        return Asked(expand, only=True)
    wanted = _IN_FULL_LIST if full else _IN_EVERY_LIST
    # Models have a parameter of their own for it, since their cards hold evaluation results.
    card = card or (full and kind is not RepoKind.MODEL)
    wanted |= {name for name, asked in (("cardData", card), ("config", config)) if asked}
    return Asked(frozenset(wanted & PROPERTIES[kind].keys()))


def expanded(request: HttpRequest, kind: RepoKind) -> frozenset[str]:
    """Read the properties that ``expand`` names, in both ways of repeating a key.

    Raises:
        Invalid: one of them does not exist.
    """
    names = [*request.GET.getlist("expand"), *request.GET.getlist("expand[]")]
    known = PROPERTIES[kind]
    for name in names:
        if name not in known:
            raise Invalid(f'Unknown property "{name}" in expand: expected one of {quoted(known)}.')
    return frozenset(names)


def needs_files(asked: Asked) -> bool:
    """Whether files have to be listed for it: such pages are kept short."""
    return bool(asked.properties & {"siblings", "mainSize"})


def repos_json(
    repos: Sequence[RepoRow], kind: RepoKind, asked: Asked, principal: Principal
) -> list[dict[str, Any]]:
    """The repos of one page, all of one kind; the number of queries depends on ``asked`` alone."""
    table = _chosen(kind, asked)
    details = RepoDetails(repos, principal, columns=_columns(table.values()))
    builders = [(key, known.build) for key, known in table.items()]
    return [_as_json(repo, builders, details) for repo in repos]


def info_json(repo: Repo, commit: CommitRow, asked: Asked, principal: Principal) -> dict[str, Any]:
    """All about one repo, with the files of ``commit``."""
    (row,) = rows_by_id([repo.pk])
    table = _chosen(repo.repo_kind, asked)
    heads = {repo.pk: Head(commit.oid, commit.tree)}
    details = RepoDetails([row], principal, columns=_columns(table.values()), heads=heads)
    answer = _as_json(row, [(key, known.build) for key, known in table.items()], details)
    if "inferenceProviderMapping" in answer:
        # A list in lists, provider to entry for one model: so clients expect it.
        answer["inferenceProviderMapping"] = {}
    return answer


def _chosen(kind: RepoKind, asked: Asked) -> dict[str, Property]:
    """The properties asked for, by the key under which they are told."""
    is_whole_model = kind is RepoKind.MODEL and not asked.only
    chosen = {"modelId": MODEL_ID} if is_whole_model else {}
    for name, known in PROPERTIES[kind].items():
        if name in asked.properties:
            with_sizes = name == "siblings" and asked.blobs
            chosen[known.key or name] = SIBLINGS_WITH_SIZES if with_sizes else known
    return chosen


def _columns(table: Iterable[Property]) -> set[str]:
    return {column for one in table for column in one.columns}


def _as_json(
    repo: RepoRow, builders: Sequence[tuple[str, Builder]], details: RepoDetails
) -> dict[str, Any]:
    told: dict[str, Any] = {"_id": repo.public_id, "id": repo.full_name}
    for key, build in builders:
        value = build(repo, details)
        if value is not None:
            told[key] = value
    return told
