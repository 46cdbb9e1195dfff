"""``manage.py list_routes``: write docs/urls.md, every URL with its view and its door."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import URLPattern, get_resolver

from teams.http.checks import METHODS, routes
from teams.http.views import Public
from teams.roles import Action

HOME = Path(settings.BASE_DIR) / "docs" / "urls.md"
HEAD = """# Every URL

Written by `manage.py list_routes`; a test fails when it is stale. Who may call is the action that
the view declares, or *public*.

| URL | methods | who may | view | door |
|---|---|---|---|---|
"""


class Command(BaseCommand):
    """Writes the list, or with ``--check`` says whether it is up to date."""

    help = "Write docs/urls.md: every URL, its methods, who may call, its view and its door."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="fail if the file is stale")

    def handle(self, *_args: Any, **options: Any) -> None:
        text = document()
        if not options["check"]:
            HOME.write_text(text)
        elif HOME.read_text() != text:
            raise CommandError("docs/urls.md is stale: run manage.py list_routes.")


def document() -> str:
    """Answer the text of docs/urls.md for the routes that are mounted now."""
    rows = [_row(route, pattern) for route, pattern in routes(get_resolver())]
    return HEAD + "".join(sorted(dict.fromkeys(rows)))


def _row(route: str, pattern: URLPattern) -> str:
    view = getattr(pattern.callback, "view_class", None) or getattr(pattern.callback, "cls", None)
    name = f"{view.__module__}.{view.__name__}" if view else str(pattern.callback)
    door = next((door for door in ("wire", "rest", "portal") if f".{door}." in name), "library")
    methods = [method for method in METHODS if view and hasattr(view, method)]
    authz = getattr(view, "authz", {})
    who = dict.fromkeys(_who(authz.get(method)) for method in methods)
    return f"| `/{route}` | {' '.join(methods).upper()} | {', '.join(who)} | `{name}` | {door} |\n"


def _who(rule: Action | Public | None) -> str:
    return rule.value if isinstance(rule, Action) else "public"
