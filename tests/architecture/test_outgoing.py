"""Who speaks to the outer world: hub/outgoing to addresses of users, storage to the store."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVER = ("teams", "hub", "datasets_app")
CLIENTS = frozenset(
    {"aiohttp", "http.client", "httpx", "httpx2", "pycurl", "requests", "urllib.request", "urllib3"}
)
"""Each of these would go wherever a user says, past the rules on addresses."""
CONNECTS = frozenset({"create_connection", "open_connection", "create_datagram_endpoint"})
KNOWN = {
    "hub/config/supervise.py": "asks its own web whether it is ready",
    "teams/http/sso.py": "asks the identity providers that the operator named, and no other",
    "teams/portal/sso.py": "catches what asking them raises",
}
KEEPS_TO_THE_RULES = "hub/outgoing/client.py"


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for package in SERVER:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT), ast.parse(path.read_text())


def imported(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{name.name}" for name in node.names}
    return found


def is_client(module: str) -> bool:
    return any(module == one or module.startswith(f"{one}.") for one in CLIENTS)


def test_the_search_finds_what_it_looks_for() -> None:
    for text in ("import requests", "from urllib import request", "import urllib.request as r"):
        assert any(map(is_client, imported(ast.parse(text)))), text
    assert not any(map(is_client, imported(ast.parse("from urllib.parse import urlsplit"))))


def test_no_other_http_client_is_in_the_server() -> None:
    found = {
        str(path) for path, tree in sources() for module in imported(tree) if is_client(module)
    }

    assert found <= set(KNOWN)


def test_nothing_else_opens_connections() -> None:
    found = {
        str(path)
        for path, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in CONNECTS
    }

    assert found == {KEEPS_TO_THE_RULES}
