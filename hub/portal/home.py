"""HTML: the front page, and the profile of a user or organisation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from hub.cards.snippets import getting_started
from hub.names import RepoKind
from hub.portal.shown import ShownRepo, shown_rows
from hub.portal.shown_collection import ShownCollection, shown_collections
from hub.queries import search
from hub.queries.collections import CollectionFilter, find
from hub.queries.follows import counts_of, is_followed
from hub.queries.front_page import counts
from hub.queries.repo_filter import RepoFilter, Sort
from hub.queries.repo_page import descriptions_of
from hub.queries.repo_rows import RepoRow
from teams.http.origin import base_url
from teams.http.views import PortalView, Public
from teams.models import Namespace, Organisation, User
from teams.queries import members_of, namespace_named, organisation_named, user_named

TRENDING = 6
RECENT = 8
OF_AN_OWNER = 30
COLLECTIONS_OF_AN_OWNER = 6
MAX_MEMBERS = 100
FILTERED = Public("It shows only what its reader may see.")


class Home(PortalView):
    """GET /."""

    authz = {"get": FILTERED}

    def get(self, request: HttpRequest) -> HttpResponse:
        lists = {
            "trending_models": self._find(RepoKind.MODEL, Sort.TRENDING, TRENDING),
            "trending_datasets": self._find(RepoKind.DATASET, Sort.TRENDING, TRENDING),
            "recent": self._recent(),
            "mine": self._mine(),
        }
        context: dict[str, Any] = dict(_shown(lists))
        context |= {"counts": counts(), "snippets": getting_started(base_url(request))}
        return render(request, "hub/home.html", context)

    def _find(self, kind: RepoKind, sort: Sort, limit: int, author: str = "") -> list[RepoRow]:
        asked = RepoFilter(kind=kind, sort=sort, limit=limit, author=author)
        return search.find(asked, self.principal).repos

    def _recent(self) -> list[RepoRow]:
        """Each kind by its own index: over all kinds there is none."""
        found = [
            row
            for kind in (RepoKind.MODEL, RepoKind.DATASET)
            for row in self._find(kind, Sort.MODIFIED, RECENT)
        ]
        return sorted(found, key=lambda row: row.last_modified, reverse=True)[:RECENT]

    def _mine(self) -> list[RepoRow]:
        if self.principal.user is None:
            return []
        asked = RepoFilter(author=self.principal.user.name, sort=Sort.MODIFIED, limit=RECENT)
        return search.find(asked, self.principal).repos


def _shown(lists: dict[str, list[RepoRow]]) -> dict[str, list[ShownRepo]]:
    descriptions = descriptions_of({row.id for rows in lists.values() for row in rows})
    return {name: shown_rows(rows, descriptions) for name, rows in lists.items()}


class Owner(NamedTuple):
    """Whose profile it is."""

    name: str
    fullname: str
    is_org: bool
    about: str = ""
    website: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """One member of an organisation."""

    name: str
    fullname: str
    role: str
    url: str


class Profile(PortalView):
    """GET /{namespace}: a user or organisation, and their repos."""

    authz = {"get": FILTERED}

    def get(self, request: HttpRequest, name: str) -> HttpResponse:
        namespace = namespace_named(name)
        owner, members = _owner_of(namespace)
        lists = {
            "models": self._repos(namespace, RepoKind.MODEL),
            "datasets": self._repos(namespace, RepoKind.DATASET),
        }
        context: dict[str, Any] = {
            **_shown(lists),
            "owner": owner,
            "members": members,
            "settings_url": self._settings_url(namespace),
            "collections": self._collections(namespace),
            "counts": counts_of(namespace, None if owner.is_org else namespace.user),
            "follows": is_followed(namespace, self.principal.user),
            "is_own": owner.name == getattr(self.principal.user, "name", ""),
        }
        return render(request, "teams/profile.html", context)

    def _settings_url(self, namespace: Namespace) -> str:
        """Where the reader changes what stands here, if they may see it."""
        if self.principal.user and namespace.pk == self.principal.user.namespace_id:
            return "/settings/profile"
        is_member = namespace.pk in self.principal.standings.members
        return f"/orgs/{namespace.name}/settings/members" if is_member else ""

    def _collections(self, namespace: Namespace) -> list[ShownCollection]:
        asked = CollectionFilter(owners=[namespace.name], limit=COLLECTIONS_OF_AN_OWNER)
        return shown_collections(find(asked, self.principal).collections, self.principal)

    def _repos(self, namespace: Namespace, kind: RepoKind) -> list[RepoRow]:
        asked = RepoFilter(kind=kind, author=namespace.name, sort=Sort.MODIFIED, limit=OF_AN_OWNER)
        return search.find(asked, self.principal).repos


def _owner_of(namespace: Namespace) -> tuple[Owner, Sequence[Member]]:
    if namespace.kind == Namespace.Kind.ORGANISATION:
        organisation = organisation_named(namespace.name)
        return _owner(organisation, is_org=True), _members(organisation)
    return _owner(user_named(namespace.name), is_org=False), ()


def _owner(one: User | Organisation, *, is_org: bool) -> Owner:
    return Owner(one.name, one.fullname, is_org, one.about, one.website)


def _members(organisation: Organisation) -> list[Member]:
    return [
        Member(
            membership.user.name,
            membership.user.fullname,
            membership.label.replace("_", " "),
            membership.user.namespace.url,
        )
        for membership in members_of(organisation)[:MAX_MEMBERS]
    ]
