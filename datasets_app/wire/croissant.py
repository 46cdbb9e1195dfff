"""Wire: a dataset described in Croissant."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from datasets_app.http.addresses import hub_url
from datasets_app.http.viewer import ViewerView
from datasets_app.models import Snapshot
from datasets_app.queries.facts import facts_of
from datasets_app.queries.splits import snapshot_of, splits_of
from datasets_app.shape.croissant import Described, crumbs
from hub.http.repo_views import OfRepo
from hub.models import Repo
from hub.queries.repo_page import card_of
from teams.http.json_answer import JsonAnswer
from teams.http.views import WireView
from teams.roles import Action

Json = dict[str, Any]


class CroissantCrumbs(ViewerView):
    """GET /croissant-crumbs: files and fields."""

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        return self.answer(described(self.snapshot(), f"{hub_url(request)}{self.repo.url}"))


class CroissantOfDataset(ViewerView):
    """GET /croissant: the same with what the card says."""

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        address = f"{hub_url(request)}{self.repo.url}"
        return self.answer(complete(self.repo, self.snapshot(), address))


class Croissant(OfRepo, WireView):
    """GET /api/datasets/{name}/croissant: the same below the hub's API."""

    authz = {"get": Action.REPO_READ}

    def get(self, request: HttpRequest, **_: object) -> JsonAnswer:
        snapshot = snapshot_of(self.repo.pk, self.resolve().oid)
        address = f"{hub_url(request)}{self.repo.url}"
        return JsonAnswer(
            complete(self.repo, snapshot, address), content_type="application/ld+json"
        )


def described(snapshot: Snapshot, address: str) -> Json:
    """The configs of a snapshot in Croissant's words."""
    facts = facts_of(splits_of(snapshot))
    configs = [
        Described(one.config.name, [split.name for split in one.splits], one.features)
        for one in facts
    ]
    return crumbs(address, configs)


def complete(repo: Repo, snapshot: Snapshot, address: str) -> Json:
    """The same, and name, licence and words of the card."""
    metadata = card_of(repo).metadata or {}
    licence = metadata.get("license")
    tags = metadata.get("tags")
    found = described(snapshot, address)
    found |= {
        "name": repo.name,
        "description": str(metadata.get("pretty_name") or repo.full_name),
        "alternateName": [repo.full_name],
        "creator": {"@type": "Organization", "name": repo.namespace.name},
        "keywords": [str(tag) for tag in tags] if isinstance(tags, list) else [],
        "url": address,
    }
    if licence:
        found["license"] = licence if isinstance(licence, str) else ", ".join(map(str, licence))
    return found
