"""Which requests of which client reached the server, and the table in docs/wire.md made of them."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

from django.urls import Resolver404, URLPattern, get_resolver

from teams.http.checks import METHODS, routes
from teams.http.views import WireView
from tests.wire.clients import ROOT, VERSIONS
from tests.wire.plain import AGENT

TABLE = ROOT / "docs" / "wire.md"
GIT = "git"
PLAIN = "plain HTTP"
Proven = dict[str, set[str]]
"""By which clients each endpoint was asked with success."""
COLUMNS = (*VERSIONS, GIT, PLAIN)
_NOTHING = "NoSuchCasRoute"
"""The view behind all that is no endpoint of the store."""
_PREFIX = re.compile(r"^(?:datasets|spaces)/(?=<)")
"""A route of other kinds stands beside the same route of models."""
_PROVEN, _NOT_PROVEN = "proven", "not proven"
_HEAD = """# What the real clients are proven to do

Written by `pytest tests/wire --write-wire-table`, from the requests that reached a live server; do
not edit it. Proven is an endpoint for a client that asked it in our tests and was answered with
success; the numbers are releases of huggingface_hub, each with its hf_xet. Repos of other kinds
than models stand below `datasets/` and `spaces/`.

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
    if not issubclass(view, WireView) or view.__name__ == _NOTHING:
        return []
    names = [name.upper() for name in METHODS if hasattr(view, name)]
    # Django answers HEAD wherever GET is; here it stands alone only where there is no GET.
    alone = hasattr(view, "head") and "GET" not in names
    return ["HEAD", *names] if alone else names


def _client(agent: str) -> str:
    """Who says so itself; uploads of bytes, and old releases of hf_xet, do not."""
    named = re.search(r"hf_hub/([^;\s]+)", agent)
    known = {"git/": GIT, "git-lfs/": GIT, f"{AGENT}/": PLAIN}
    return named[1] if named else next((v for k, v in known.items() if agent.startswith(k)), "")


class Record:
    """Reads the access lines of one server and knows whose turn it was."""

    def __init__(self, log: Path, proven: Proven) -> None:
        self._log = log
        self._read = log.stat().st_size if log.exists() else 0
        self._client = ""
        self._proven = proven
        self.broken: list[str] = []
        """Requests that the server failed to answer: each is a defect of ours."""

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
        for one in told:
            self._keep(one, _client(one["agent"] or "") or self._client)
        self._client = client
        shown = [f"{one['method']} {one['target']} {one['status']}" for one in told]
        self.broken += [one for one in shown if one[-3] == "5"]
        return shown

    def _keep(self, told: dict[str, Any], client: str) -> None:
        try:
            match = get_resolver().resolve(told["target"].partition("?")[0])
        except Resolver404:
            return
        view = getattr(match.func, "view_class", object)
        if told["status"] < HTTPStatus.BAD_REQUEST and issubclass(view, WireView):
            method = told["method"]
            if method == "HEAD" and hasattr(view, "get"):
                method = "GET"
            self._proven.setdefault(f"{method} {shown(match.route)}", set()).add(client)


@contextmanager
def recorded(log: Path, proven: Proven) -> Iterator[Record]:
    """Take down what the server of this log answers; at the end none of it was a failure of its."""
    kept = Record(log, proven)
    yield kept
    kept.note("")
    assert kept.broken == [], kept.broken


def write_table(proven: Proven) -> None:
    """Write docs/wire.md; only a run of all wire tests knows it whole."""
    rules = "---|" * len(COLUMNS)
    lines = [_HEAD.format(columns=" | ".join(COLUMNS), rules=rules).rstrip("\n")]
    for endpoint in endpoints():
        by = proven.get(endpoint, set())
        cells = [_PROVEN if name in by else _NOT_PROVEN for name in COLUMNS]
        lines.append(f"| `{endpoint}` | {' | '.join(cells)} |")
    TABLE.write_text("\n".join(lines) + "\n")
