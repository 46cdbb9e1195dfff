"""Which requests of which client reached the server, and the table in docs/wire.md made of them."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.urls import Resolver404, URLPattern, get_resolver

from teams.http.checks import METHODS, routes
from teams.http.views import WireView
from tests.wire.clients import ROOT, VERSIONS

TABLE = ROOT / "docs" / "wire.md"
GIT = "git"
PLAIN = "plain HTTP"
COLUMNS = (*VERSIONS, GIT, PLAIN)
REFUSES = "NoSuchCasRoute"
"""Of this view a 404 is the right answer: clients fall back on it."""
_PREFIX = re.compile(r"^(?:datasets|spaces)/(?=<)")
"""A route of other kinds stands beside the same route of models."""
_HEAD = """# What the real clients are proven to do

Written by `pytest tests/wire --write-wire-table`, from the requests that reached a live server; do
not edit it. "yes": the endpoint answered this client with success in our tests. "no": no test of
this client asks it. The last column is tests without a client library. Repos of other kinds than
models stand below `datasets/` and `spaces/`.

| endpoint | {columns} |
|---|{rules}
"""


def endpoints() -> list[str]:
    """Every wire endpoint: a method and a route, sorted by route."""
    found = {
        (shown(route), method)
        for route, pattern in routes(get_resolver())
        for method in _methods(pattern)
    }
    return [f"{method} {route}" for route, method in sorted(found)]


def shown(route: str) -> str:
    """A route as people write it: ``/api/{kind}/{name}``, optional parts in brackets."""
    route = _PREFIX.sub("", route)
    if route.startswith("^"):
        route = route.strip("^$")
        route = re.sub(r"\(\?P<(\w+)>[^()]*(?:\([^()]*\))?[^()]*\)", r"{\1}", route)
        while (flat := re.sub(r"\(\?:([^()]*)\)\?", r"[\1]", route)) != route:
            route = flat
        return "/" + re.sub(r"(\w)\?", r"[\1]", route)
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.replace("<git:name>", "{name}.git"))


def _methods(pattern: URLPattern) -> list[str]:
    view = getattr(pattern.callback, "view_class", object)
    if not issubclass(view, WireView):
        return []
    names = [name.upper() for name in METHODS if hasattr(view, name)]
    # Django answers HEAD wherever GET is; here it stands alone only where there is no GET.
    alone = hasattr(view, "head") and "GET" not in names
    return ["HEAD", *names] if alone else names


class Record:
    """Reads the server's access lines and knows whose turn it was."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._read = log.stat().st_size if log.exists() else 0
        self._client = ""
        self.proven: dict[str, set[str]] = defaultdict(set)

    @contextmanager
    def by(self, client: str) -> Iterator[None]:
        """What arrives from here on is this client's; the last lines may come a moment late."""
        self.note(client)
        yield

    def note(self, client: str) -> list[str]:
        """Take down what arrived up to now, and answer it; what follows is ``client``'s."""
        with self._log.open("rb") as log:
            log.seek(self._read)
            lines = [line for line in log if line.endswith(b"\n")]
        self._read += sum(map(len, lines))
        told = [json.loads(line) for line in lines if b'"msg": "request"' in line]
        for one in told if self._client else []:
            self._keep(one)
        self._client = client
        return [f"{one['method']} {one['target']} {one['status']}" for one in told]

    def _keep(self, told: dict[str, Any]) -> None:
        try:
            match = get_resolver().resolve(told["target"].partition("?")[0])
        except Resolver404:
            return
        view = getattr(match.func, "view_class", object)
        good = told["status"] < 400 or (view.__name__ == REFUSES and told["status"] == 404)
        if good and issubclass(view, WireView):
            method = told["method"]
            if method == "HEAD" and hasattr(view, "get"):
                method = "GET"
            self.proven[f"{method} {shown(match.route)}"].add(self._client)

    def write(self) -> None:
        """Write docs/wire.md; only a run of all wire tests knows it whole."""
        rules = "---|" * len(COLUMNS)
        lines = [_HEAD.format(columns=" | ".join(COLUMNS), rules=rules).rstrip("\n")]
        for endpoint in endpoints():
            cells = ["yes" if name in self.proven[endpoint] else "no" for name in COLUMNS]
            lines.append(f"| `{endpoint}` | {' | '.join(cells)} |")
        TABLE.write_text("\n".join(lines) + "\n")
