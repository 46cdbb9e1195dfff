"""Index what the default branch says about a repo: card, tags, config, parameters, search text.

It happens in the transaction of the commit, so a list never shows a card that is not the head's.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.cards import front_matter
from hub.cards.grams import trigrams
from hub.cards.libraries import (
    formats_of,
    library_of,
    pipeline_tag_of,
    tells,
    transformers_info,
)
from hub.cards.markdown import render, text_of
from hub.cards.safetensors import count_parameters
from hub.cards.tags import tags_of
from hub.cards.words import plain_words
from hub.errors import BadObject
from hub.models import Repo, RepoCard, sql
from hub.names import ROOT, EntryPath, RepoKind
from hub.queries import safetensors, trees
from hub.queries.history import CommitRow, commit_by_oid
from hub.queries.trees import Found

README = "README.md"
CONFIGS = ("config.json", "model_index.json", "adapter_config.json")
TELLING = frozenset({README, *CONFIGS, "modules.json", "tokenizer_config.json"})
"""Files at the root whose content, not only whose name, says something about the repo."""
MAX_SEARCHED = 200_000
"""Characters of a card that search looks at; PostgreSQL's text vectors end at 1 MiB."""
MAX_DESCRIPTION = 500
_HEADING = re.compile(r"<(h[1-6])\b.*?</\1>", re.DOTALL)
_KEPT_CONFIG = ("architectures", "model_type", "auto_map", "quantization_config", "_class_name")


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read out of one commit."""

    card: front_matter.FrontMatter
    config: dict[str, Any]
    filenames: list[str]


def index(repo: Repo, head: bytes, changes: Mapping[str, bool] | None) -> None:
    """Bring the repo's card row up to the commit ``head``, in the caller's transaction.

    ``changes`` are the paths that differ from what was indexed before, and whether each is gone;
    None means: anything.
    """
    if changes is not None and not _may_matter(repo, changes):
        return
    row = RepoCard.objects.get(repo=repo)
    if changes is not None and not _matters(repo, row, changes):
        return
    commit = commit_by_oid(repo.pk, head)
    if commit is None:
        return
    files = [found for found in trees.list_all(repo.pk, commit, ROOT) if not found.is_folder]
    read = _read(repo, commit, files)
    _describe(repo, row, read)
    if changes is None or any(path.endswith(".safetensors") for path in changes):
        _count_parameters(repo, row, commit, files)
    row.save()
    _index_text(repo, row)


def index_name(repo: Repo) -> None:
    """Make the repo findable under the name that it has now."""
    _index_text(repo, RepoCard.objects.get(repo=repo))


def _may_matter(repo: Repo, changes: Collection[str]) -> bool:
    """Say by their names alone whether the changed paths may tell of the repo."""
    is_dataset = repo.repo_kind is RepoKind.DATASET
    return is_dataset or _tell(changes) or bool(formats_of(changes))


def _tell(changes: Collection[str]) -> bool:
    return any(path in TELLING or path.endswith(".safetensors") or tells(path) for path in changes)


def _matters(repo: Repo, row: RepoCard, changes: Mapping[str, bool]) -> bool:
    """Say whether the changed paths can change the row.

    A large upload is many commits of files that are like those before: as long as their names add
    no tag, there is no need to list the whole tree again.
    """
    if _tell(changes):
        return True
    gone = [path for path, is_gone in changes.items() if is_gone]
    adds_a_tag = not _tags_by_name(repo, row, changes) <= set(row.tags)
    return adds_a_tag or _tags_by_name(repo, row, gone) != _tags_by_name(repo, row, ())


def _tags_by_name(repo: Repo, row: RepoCard, names: Collection[str]) -> set[str]:
    metadata, config = row.metadata or {}, row.config or {}
    return set(tags_of(repo.repo_kind, metadata, filenames=list(names), config=config))


def _read(repo: Repo, commit: CommitRow, files: Sequence[Found]) -> _Read:
    readme = trees.read_file(repo.pk, commit, EntryPath(README)) or b""
    config: dict[str, Any] = {}
    for path in CONFIGS:
        config |= _json(trees.read_file(repo.pk, commit, EntryPath(path)))
    text = clean(readme.decode(errors="replace"))
    return _Read(front_matter.split(text), config, [found.path for found in files])


def _json(raw: bytes | None) -> dict[str, Any]:
    """Read a JSON object that a stranger wrote; anything else counts as empty."""
    if not raw:
        return {}
    try:
        value = json.loads(raw, parse_constant=lambda _constant: None)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _describe(repo: Repo, row: RepoCard, read: _Read) -> None:
    kind, metadata = repo.repo_kind, clean(read.card.metadata)
    row.metadata = metadata or None
    row.body = read.card.body
    row.description = _description(metadata, read.card.body)
    names, config = read.filenames, clean(read.config)
    row.tags = tags_of(kind, metadata, filenames=names, config=config, body=read.card.body)
    is_model = kind is RepoKind.MODEL
    row.library_name = (library_of(metadata, config, names) or "") if is_model else ""
    row.pipeline_tag = (pipeline_tag_of(metadata, config, names) or "") if is_model else ""
    row.config = {key: config[key] for key in _KEPT_CONFIG if key in config} or None
    row.transformers_info = transformers_info(metadata, config, names) if is_model else None


def _description(metadata: Mapping[str, Any], body: str) -> str:
    """A sentence for lists: what the card says of itself, else how its text begins."""
    for key in ("description", "short_description", "summary"):
        if isinstance(metadata.get(key), str):
            return str(metadata[key])[:MAX_DESCRIPTION]
    beginning = render(body[: 8 * MAX_DESCRIPTION], link=str, image=str).html
    return text_of(_HEADING.sub(" ", beginning))[:MAX_DESCRIPTION]


def _count_parameters(repo: Repo, row: RepoCard, commit: CommitRow, files: Sequence[Found]) -> None:
    """Sum up the parameters over the safetensors files; a broken one means that nobody knows."""
    try:
        counts = count_parameters(safetensors.headers_of_model(repo, commit, files))
    except BadObject:
        counts = {}
    total = sum(counts.values())
    row.safetensors = {"parameters": counts, "total": total} if counts else None
    row.parameters = total if counts else None


_INDEX_TEXT = """
UPDATE hub_repocard SET
    name_grams = array_to_tsvector(%(grams)s::text[]),
    search = setweight(to_tsvector('simple', %(name)s) || to_tsvector('english', %(name)s), 'A')
        || setweight(to_tsvector('simple', %(tags)s) || to_tsvector('english', %(tags)s), 'B')
        || setweight(to_tsvector('english', %(description)s), 'C')
        || setweight(to_tsvector('english', %(body)s), 'D')
WHERE repo_id = %(repo)s
"""


def _index_text(repo: Repo, row: RepoCard) -> None:
    sql.run(
        _INDEX_TEXT,
        {
            "repo": repo.pk,
            "grams": trigrams(repo.full_name),
            "name": plain_words(repo.full_name),
            "tags": plain_words(" ".join(row.tags)),
            "description": plain_words(row.description),
            "body": plain_words(row.body[:MAX_SEARCHED]),
        },
    )


def clean(value: Any) -> Any:
    """Drop what PostgreSQL can't hold: NUL characters and lone surrogates, at any depth."""
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {clean(str(key)): clean(item) for key, item in value.items()}
    if isinstance(value, list):
        return [clean(item) for item in value]
    return value
