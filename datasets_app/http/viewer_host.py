"""ViewerHostMiddleware: clients ask the viewer at a host of its own, ``datasets-server.<hub>``."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from datasets_app.http.addresses import VIEWER_HOST

PREFIX = "/api/datasets-server"
GetResponse = Callable[[HttpRequest], HttpResponseBase]


class ViewerHostMiddleware:
    """Puts what is asked of that host below the path of the viewer's API."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.META.get("HTTP_HOST", "").startswith(VIEWER_HOST):
            request.path_info = request.path = f"{PREFIX}{request.path_info}"
        return self.get_response(request)
