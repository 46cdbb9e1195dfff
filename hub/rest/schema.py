"""REST: the description of our own API, as OpenAPI."""

from functools import cache
from typing import Any

from django.urls import get_resolver
from rest_framework.request import Request

from teams.http.checks import METHODS, routes
from teams.http.json_answer import JsonAnswer
from teams.http.rest import RestView
from teams.http.views import Public


class Schema(RestView):
    """GET /api/v1/openapi.json."""

    authz = {"get": Public("What the API can do is no secret.")}
    schema = None

    def get(self, _request: Request) -> JsonAnswer:
        return JsonAnswer(_description())


@cache
def _description() -> dict[str, Any]:
    """The description of every REST route; see :func:`teams.http.rest.described`."""
    from drf_spectacular.generators import SchemaGenerator  # noqa: PLC0415
    from drf_spectacular.utils import extend_schema  # noqa: PLC0415

    for _route, pattern in routes(get_resolver()):
        view = getattr(pattern.callback, "view_class", None)
        for method in (getattr(view, name, None) for name in METHODS):
            if about := getattr(method, "described", None):
                extend_schema(**about)(method)  # type: ignore[type-var]
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    described: dict[str, Any] = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return described
