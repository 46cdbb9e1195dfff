"""RestView: the base of our own API's views, and how it speaks a refusal (RFC 9457)."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, ClassVar, TypeVar

from django.http import Http404, HttpRequest, HttpResponseBase
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from teams.errors import Refusal
from teams.http import limits
from teams.http.refusals import refusal_behind, say_when, status_of
from teams.http.views import READING, Authz
from teams.policies import ANONYMOUS, Principal, check_signed_in
from teams.roles import Action

PROBLEM = "application/problem+json"

Method = TypeVar("Method", bound=Callable[..., HttpResponseBase])


def described(**about: Any) -> Callable[[Method], Method]:
    """Say of a method what drf-spectacular's ``extend_schema`` takes, for the OpenAPI description.

    It is only kept here. The library is loaded once somebody asks for the description: it brings
    the test clients of Django and DRF along, and no start should wait for these.
    """

    def keep(method: Method) -> Method:
        method.described = about  # type: ignore[attr-defined]
        return method

    return keep


class RestView(APIView):
    """Our own API. As on the wire, writes need a token; a browser's session may read."""

    authz: ClassVar[Authz] = {}
    authentication_classes = []
    permission_classes = []
    principal: Principal = ANONYMOUS
    http_request: HttpRequest
    """The request as Django gave it; DRF's own hides it."""

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        self.http_request = request
        return super().initialize_request(request, *args, **kwargs)

    def perform_authentication(self, request: Request) -> None:
        """Leave it to :meth:`initial`: DRF would put nobody in the place of a session's user."""

    def get_exception_handler(self) -> Callable[[Exception, Mapping[str, Any]], Response | None]:
        return as_problem

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        method = (request.method or "get").lower()
        if method == "options" or not hasattr(self, method):
            return
        self.principal = limits.caller(self.http_request, "api", with_session=method in READING)
        rule = self.authz["get" if method == "head" else method]
        if isinstance(rule, Action):
            self.check(rule)

    def check(self, action: Action) -> None:
        """Ask the rule. Views of a thing override this to collect the thing's facts."""
        check_signed_in(self.principal, action)


def as_problem(error: Exception, _context: Mapping[str, Any]) -> Response | None:
    """Answer what DRF should say to an exception; None lets it go on as the bug that it is."""
    refusal = error if isinstance(error, Refusal) else refusal_behind(error)
    if refusal is not None:
        status = status_of(refusal)
        details = refusal.details
        response = _problem(status.value, refusal.message, status.phrase, refusal.code, details)
        say_when(response)
        return response
    if isinstance(error, Http404):
        return _problem(404, "There is nothing here.", "Not Found")
    if isinstance(error, APIException):
        return _problem(error.status_code, str(error.detail), HTTPStatus(error.status_code).phrase)
    return None


def _problem(
    status: int,
    detail: str,
    title: str,
    code: str = "",
    details: Mapping[str, object] | None = None,
) -> Response:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    more = {"code": code} if code else {}
    return Response({**body, **more, **(details or {})}, status=status, content_type=PROBLEM)
