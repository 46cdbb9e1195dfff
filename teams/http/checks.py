"""Start-up checks: every route says who may use it."""

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.urls import URLPattern, URLResolver, get_resolver

from teams.http.views import DoorView

METHODS = ("get", "post", "put", "patch", "delete")
OUTSIDE = ("django.views.static", "rest_framework")
"""Views of libraries, each with a default of its own: static files are public, DRF denies."""


@register()
def every_route_declares_its_action(**_options: Any) -> list[CheckMessage]:
    """Answer one error for each route and method whose view class has no ``authz`` entry."""
    found: list[CheckMessage] = []
    for route, pattern in routes(get_resolver()):
        view = getattr(pattern.callback, "view_class", None) or getattr(
            pattern.callback, "cls", None
        )
        if _is_outside(pattern.callback, view):
            continue
        if view is None or not hasattr(view, "authz"):
            found.append(Error(f"{route} is not a view with authz", id="teams.E001"))
            continue
        missing = [m for m in METHODS if hasattr(view, m) and m not in view.authz]
        found += [
            Error(f"{route}: {view.__name__}.{method} declares no action", id="teams.E002")
            for method in missing
        ]
    return found


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Yield every route below ``resolver`` with its whole pattern."""
    for entry in resolver.url_patterns:
        where = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry, where)
        else:
            yield where, entry


def _is_outside(callback: Any, view: type | None) -> bool:
    module = (view or callback).__module__
    return not (view and issubclass(view, DoorView)) and module.startswith(OUTSIDE)
