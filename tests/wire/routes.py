"""Every route that names a repo, as a target that can be asked."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, get_resolver

from hub.names import RepoKind
from teams.http.checks import METHODS, routes

_REPO = re.compile(r"<(repo|git):name>")
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
_SAMPLES = {"path": "a.txt", "span": "main..main", "oid": "0" * 40}
"""What stands for a parameter of a route; "main" for all others."""


@dataclass(frozen=True)
class RepoRoute:
    """One method of one route of one kind."""

    method: str
    route: str
    kind: RepoKind

    def target(self, repo: str) -> str:
        path = self.route.replace("<kind:kind>", self.kind.plural)
        path = _REPO.sub(lambda found: repo + (".git" if found[1] == "git" else ""), path)
        return "/" + _PARAMETER.sub(lambda found: _SAMPLES.get(found[1], "main"), path)

    def __str__(self) -> str:
        return f"{self.method} {self.route} ({self.kind})"


def repo_routes() -> Iterator[RepoRoute]:
    """Answer every method of every route that names a repo, on all doors."""
    for route, pattern in routes(get_resolver()):
        if _REPO.search(route):
            methods = methods_of(pattern)
            for method in [*methods, *(["HEAD"] if "GET" in methods else [])]:
                yield from (RepoRoute(method, route, kind) for kind in _kinds(route))


def methods_of(pattern: URLPattern) -> list[str]:
    """The methods of a view that tells what it does; both our own and REST framework's."""
    call: Any = pattern.callback
    view = getattr(call, "view_class", None) or getattr(call, "cls", None)
    return [name.upper() for name in METHODS if hasattr(view, name)]


def _kinds(route: str) -> list[RepoKind]:
    if "<kind:kind>" in route:
        return list(RepoKind)
    return [kind for kind in RepoKind if kind.prefix and kind.plural in route] or [RepoKind.MODEL]
