"""What the model of a repo can be asked, at one commit."""

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.models import Repo, RepoCard
from hub.names import ROOT, EntryPath
from hub.queries import trees
from hub.queries.history import CommitRow
from hub.queries.scans import check_served, key_of
from inference.errors import InputRejected
from inference.protocols.families import Offer, offer_of
from inference.protocols.tasks import Task
from inference.runtimes.ports import ModelRef

_MAX_CONFIG = 2**20
_CONFIG = EntryPath.parse("config.json")


@dataclass(frozen=True, slots=True)
class Served:
    """A model as it is asked now."""

    repo: Repo
    ref: ModelRef
    offer: Offer
    adapters: tuple[Repo, ...] = ()
    """The repos of those that a call names."""

    def task(self, named: str = "") -> Task:
        """The task called so, or the one that the card names.

        Raises:
            InputRejected: the model does something else.
        """
        if not named:
            return self.offer.task
        if named not in set(self.offer.tasks):
            known = ", ".join(self.offer.tasks)
            raise InputRejected(f"This model does not do {named}; it does {known}.")
        return Task(named)


def served(repo: Repo, commit: CommitRow) -> Served:
    """Say what a model can be asked.

    Raises:
        ModelNotServed: nothing of ours runs it.
        UnsafeWeights: it would need pickles, or code of the repo.
        FileWithheld: one of its files is not served to anybody; workers may still have it.
    """
    files = _files(repo.pk, commit)
    check_served(repo, *files.keys)
    card = RepoCard.objects.filter(repo=repo).values_list("pipeline_tag", flat=True).first()
    offer = offer_of(files.paths, files.config, card or "")
    ref = ModelRef(repo.full_name, commit.oid.hex(), offer.family)
    return Served(repo, ref, offer)


_KNOWN = 256
_LOADED = (".safetensors", ".json", ".txt", ".model")


@dataclass(frozen=True, slots=True)
class _Files:
    """The paths of a commit, its ``config.json``, and by what verdicts on its files are kept."""

    paths: frozenset[str]
    config: Mapping[str, Any]
    keys: tuple[bytes, ...]


_known: OrderedDict[tuple[int, bytes], _Files] = OrderedDict()


def _files(repo_id: int, commit: CommitRow) -> _Files:
    """They never change, so they are kept."""
    key = (repo_id, commit.oid)
    found = _known.get(key) or _read(repo_id, commit)
    _known[key] = found
    _known.move_to_end(key)
    while len(_known) > _KNOWN:
        _known.popitem(last=False)
    return found


def _read(repo_id: int, commit: CommitRow) -> _Files:
    files = [found for found in trees.list_all(repo_id, commit, ROOT) if not found.is_folder]
    loaded = [found for found in files if found.path.endswith(_LOADED)]
    raw = trees.read_file(repo_id, commit, _CONFIG) or b"{}"
    return _Files(
        frozenset(found.path for found in files),
        _config(raw),
        tuple(key_of(facts) for facts in trees.facts_of(repo_id, loaded)),
    )


def _config(raw: bytes) -> Mapping[str, Any]:
    if len(raw) > _MAX_CONFIG:
        return {}
    try:
        config = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return config if isinstance(config, dict) else {}
