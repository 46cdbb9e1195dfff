"""The properties of a repo on the wire: one table for each kind, name to how it is made.

Source: ``ModelInfo``, ``DatasetInfo``, ``SpaceInfo`` and the ``Expand…Property_T`` types of the
public client. A property of which we know nothing is None; none is ever made up.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hub.cards.architectures import texts
from hub.cards.citation import citation_of
from hub.http.dates import iso
from hub.http.security_json import repo_status
from hub.names import RepoKind
from hub.queries.objects import BlobFacts
from hub.queries.repo_details import RepoDetails
from hub.queries.repo_rows import RepoRow

Builder = Callable[[RepoRow, RepoDetails], Any]


@dataclass(frozen=True, slots=True)
class Property:
    """How one property is made, which columns of the card it needs, and its key if not its name."""

    build: Builder
    columns: tuple[str, ...] = ()
    key: str = ""


def _card(column: str) -> Property:
    return Property(lambda repo, details: details.card(repo, column), (column,))


def _metadata(key: str, accept: type | tuple[type, ...]) -> Property:
    """A value of the front matter, if it has the type that clients take."""

    def build(repo: RepoRow, details: RepoDetails) -> Any:
        value = (details.card(repo, "metadata") or {}).get(key)
        return value if isinstance(value, accept) and value else None

    return Property(build, ("metadata",))


def _names_in(key: str) -> Property:
    """A name or a list of names in the front matter, as a list."""

    def build(repo: RepoRow, details: RepoDetails) -> list[str] | None:
        metadata = details.card(repo, "metadata") or {}
        return texts(metadata[key]) if metadata.get(key) else None

    return Property(build, ("metadata",))


def _sha(repo: RepoRow, details: RepoDetails) -> str | None:
    head = details.heads.get(repo.id)
    return head.commit.hex() if head else None


def _siblings(repo: RepoRow, details: RepoDetails) -> list[dict[str, Any]]:
    return [{"rfilename": file.path} for file in details.files.get(repo.id, [])]


def _siblings_with_sizes(repo: RepoRow, details: RepoDetails) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for file in details.files.get(repo.id, []):
        facts = details.facts.get((repo.id, file.oid))
        sizes = _sizes(facts) if facts else {}
        found.append({"rfilename": file.path, "blobId": file.oid.hex(), **sizes})
    return found


def _sizes(facts: BlobFacts) -> dict[str, Any]:
    if facts.lfs_oid is None or facts.lfs_size is None:
        return {"size": facts.size}
    lfs = {"sha256": facts.lfs_oid.hex(), "size": facts.lfs_size, "pointerSize": facts.size}
    return {"size": facts.lfs_size, "lfs": lfs}


def _security(repo: RepoRow, details: RepoDetails) -> dict[str, Any]:
    found = []
    for file in details.files.get(repo.id, []):
        facts = details.facts.get((repo.id, file.oid))
        found.append((file.path, (facts.lfs_oid if facts else None) or file.oid))
    return repo_status(found, details.verdicts.get(repo.id, {}))


def _main_size(repo: RepoRow, details: RepoDetails) -> int:
    blobs = (details.facts.get((repo.id, file.oid)) for file in details.files.get(repo.id, []))
    return sum((blob.lfs_size or blob.size) for blob in blobs if blob)


def _mask_token(repo: RepoRow, details: RepoDetails) -> str | None:
    return details.mask_tokens.get(repo.id) if repo.pipeline_tag == "fill-mask" else None


def _region(repo: RepoRow, _details: RepoDetails) -> str | None:
    regions = (tag.partition(":")[2] for tag in repo.tags or () if tag.startswith("region:"))
    return next(regions, None)


_COMMON: Mapping[str, Property] = {
    "author": Property(lambda repo, _: repo.namespace),
    "cardData": Property(lambda repo, details: details.card(repo, "metadata"), ("metadata",)),
    "createdAt": Property(lambda repo, _: iso(repo.created_at)),
    # Nobody can disable a repo here.
    "disabled": Property(lambda _repo, _: False),
    "lastModified": Property(lambda repo, _: iso(repo.last_modified)),
    "likes": Property(lambda repo, _: repo.likes),
    "private": Property(lambda repo, _: repo.private),
    # There are no resource groups.
    "resourceGroup": Property(lambda _repo, _: None),
    "securityStatus": Property(_security, key="securityRepoStatus"),
    "sha": Property(_sha),
    "siblings": Property(_siblings),
    "tags": Property(lambda repo, _: repo.tags or []),
    "trendingScore": Property(lambda repo, _: round(repo.trending)),
    "usedStorage": Property(lambda repo, details: details.storage.get(repo.id, 0)),
    "xetEnabled": Property(lambda _repo, _: True),
}
_COUNTED: Mapping[str, Property] = {
    "downloads": Property(lambda repo, _: repo.downloads),
    "downloadsAllTime": Property(lambda repo, _: repo.downloads_all_time),
    "gated": Property(lambda repo, _: repo.gated),
}
PROPERTIES: Mapping[RepoKind, Mapping[str, Property]] = {
    RepoKind.MODEL: {
        **_COMMON,
        **_COUNTED,
        "baseModels": _names_in("base_model"),
        "childrenModelCount": Property(lambda repo, more: more.children.get(repo.full_name, 0)),
        "config": _card("config"),
        "evalResults": Property(lambda repo, details: details.evaluations.get(repo.id)),
        # No GGUF header is read, and nothing here serves models.
        "gguf": Property(lambda _repo, _: None),
        "inference": Property(lambda _repo, _: None),
        "inferenceProviderMapping": Property(lambda _repo, _: []),
        "library_name": Property(lambda repo, _: repo.library_name or None),
        "mask_token": Property(_mask_token),
        "model-index": _metadata("model-index", list),
        "pipeline_tag": Property(lambda repo, _: repo.pipeline_tag or None),
        "safetensors": _card("safetensors"),
        "spaces": Property(lambda repo, details: details.spaces.get(repo.full_name, [])),
        "transformersInfo": _card("transformers_info"),
        "widgetData": _metadata("widget", list),
    },
    RepoKind.DATASET: {
        **_COMMON,
        **_COUNTED,
        "citation": Property(
            lambda repo, details: citation_of(details.card(repo, "body") or ""), ("body",)
        ),
        "description": Property(
            lambda repo, details: details.card(repo, "description") or None, ("description",)
        ),
        "mainSize": Property(_main_size),
        "paperswithcode_id": _metadata("paperswithcode_id", str),
    },
    RepoKind.SPACE: {
        **_COMMON,
        "datasets": _names_in("datasets"),
        "models": _names_in("models"),
        "region": Property(_region),
        # Spaces are kept here and not run: they have neither a host nor a subdomain.
        "runtime": Property(
            lambda _repo, _: {
                "stage": "NO_APP_FILE",
                "hardware": {"current": None, "requested": None},
            }
        ),
        "sdk": Property(lambda repo, _: repo.sdk or None),
        "subdomain": Property(lambda _repo, _: None),
    },
}
MODEL_ID = Property(lambda repo, _: repo.full_name)
"""An older name of ``id``, told with every model."""
SIBLINGS_WITH_SIZES = Property(_siblings_with_sizes)
"""Stands in for ``siblings`` where files are asked for with their blobs."""
