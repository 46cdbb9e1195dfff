"""Answers where no view gave one: paths that no route matches, and bugs."""

import re
import sys
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from teams.errors import NotFound, Refusal
from teams.http.authentication import principal_of
from teams.http.json_answer import JsonAnswer
from teams.http.refusals import on_the_wire, refusal_behind
from teams.http.views import unavailable_page
from teams.policies import Principal

_OF_REPO = re.compile(
    r"/(?:api/)?(?:(?:models|datasets|spaces)/)?[^/]+(?:/[^/]+)?/(?:resolve|raw)/"
)
_API_OF_REPO = re.compile(r"/api/(?:models|datasets|spaces)/.")
_WIRE = re.compile(r"/api/|/xet/|/v[12]/|.*\.git/")


class NoSuchRepo(NotFound):
    """Repository not found"""

    code = "RepoNotFound"


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a path that no route matches; an impossible name reads like a missing repo."""
    if _OF_REPO.match(request.path) or _API_OF_REPO.match(request.path):
        return on_the_wire(NoSuchRepo(), _caller(request))
    if _WIRE.match(request.path):
        return on_the_wire(NotFound("There is no such endpoint."), _caller(request))
    status = HTTPStatus.NOT_FOUND
    context = {"status": status, "message": "There is nothing here."}
    return render(request, "errors/404.html", context, status=status)


def broken(request: HttpRequest) -> HttpResponse:
    """Answer for a bug: say nothing of it but where to look (the request id is in the headers).

    What came before any view, such as a session that could not be read, may be no bug.
    """
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    is_wire = _WIRE.match(request.path) or _OF_REPO.match(request.path)
    if refusal := refusal_behind(sys.exc_info()[1]):
        return on_the_wire(refusal, None) if is_wire else unavailable_page(refusal)
    if is_wire:
        message = "Something went wrong on our side. Nothing was half done; you may try again."
        response = JsonAnswer({"error": message}, status=status)
        response["X-Error-Message"] = message
        return response
    context = {"status": status, "message": "Something went wrong on our side."}
    # Without the request, so without its session: the database may be what broke.
    return HttpResponse(render_to_string("errors/500.html", context), status=status)


def _caller(request: HttpRequest) -> Principal | None:
    try:
        return principal_of(request, with_session=False)
    except Refusal:
        return None
