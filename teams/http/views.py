"""The base classes of views: who asks, may they, and how a refusal is spoken.

A view class declares ``authz``: for each method the action that its caller must be allowed, or
``Public`` with the reason why anybody may. A start-up check refuses a route without declaration.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar
from urllib.parse import quote

import structlog
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from teams.errors import Invalid, Refusal, Unauthenticated, Unavailable
from teams.http import limits
from teams.http.json_answer import JsonAnswer
from teams.http.refusals import on_the_wire, refusal_behind, say_when, status_of
from teams.policies import ANONYMOUS, Principal, check_signed_in
from teams.roles import Action

log = structlog.get_logger(__name__)

READING = frozenset({"get", "head", "options"})


@dataclass(frozen=True, slots=True)
class Public:
    """Declares that anybody may call, and why."""

    why: str


Authz = Mapping[str, Action | Public]


class DoorView(View):
    """What all doors share: find out who asks, ask the rule, turn refusals into answers."""

    authz: ClassVar[Authz] = {}
    principal: Principal = ANONYMOUS
    bucket: ClassVar[limits.Bucket] = "api"
    """With which requests its own count against the caller's rate."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return self._answer(request, *args, **kwargs)
        except Refusal as refusal:
            return self.refuse(refusal)
        except (DatabaseError, OSError) as error:
            behind = refusal_behind(error)
            if behind is None:
                raise
            log.exception("not_possible_now", reason=str(error))
            return self.refuse(behind)

    def _answer(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        method = (request.method or "get").lower()
        if not hasattr(self, method) or method == "options":
            return self.http_method_not_allowed(request)
        if "%00" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            # No text column can hold it, so no name and no search term has it.
            raise Invalid("The URL holds a NUL character.")
        self.principal = self.who(request, method)
        rule = self.authz["get" if method == "head" else method]
        if isinstance(rule, Action):
            self.check(rule)
        self.look_into(request)
        return super().dispatch(request, *args, **kwargs)

    def who(self, request: HttpRequest, method: str) -> Principal:
        """Answer the caller; each door trusts other credentials."""
        raise NotImplementedError

    def check(self, action: Action) -> None:
        """Ask the rule. Views of a thing override this to collect the thing's facts."""
        check_signed_in(self.principal, action)

    def look_into(self, request: HttpRequest) -> None:
        """Refuse what no view of the door could do anything with."""

    def refuse(self, refusal: Refusal) -> HttpResponse:
        """Speak a refusal in the language of the door."""
        raise NotImplementedError


class WireView(DoorView):
    """What public clients call. Writes need a token; a browser's session may read."""

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., HttpResponseBase]:
        """No CSRF check, whatever a subclass does to ``dispatch``: cookies write nothing here."""
        return csrf_exempt(super().as_view(**initkwargs))

    def who(self, request: HttpRequest, method: str) -> Principal:
        return limits.caller(request, self.bucket, with_session=method in READING)

    def refuse(self, refusal: Refusal) -> HttpResponse:
        return on_the_wire(refusal, self.principal)

    def http_method_not_allowed(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        allowed = super().http_method_not_allowed(request, *args, **kwargs)["Allow"]
        message = f"{request.method} is not possible here, only {allowed or 'nothing'}."
        response = JsonAnswer({"error": message}, status=HTTPStatus.METHOD_NOT_ALLOWED)
        response["Allow"], response["X-Error-Message"] = allowed, message
        return response


class PortalView(DoorView):
    """Pages for people: session and CSRF token."""

    bucket: ClassVar[limits.Bucket] = "pages"

    def who(self, request: HttpRequest, method: str) -> Principal:
        return limits.caller(request, self.bucket, with_session=True)

    def look_into(self, request: HttpRequest) -> None:
        if any("\0" in value for values in request.POST.lists() for value in values[1]):
            raise Invalid("The form holds a NUL character.")

    def refuse(self, refusal: Refusal) -> HttpResponse:
        if isinstance(refusal, Unauthenticated) and self.request.method == "GET":
            response = HttpResponse(status=302)
            response["Location"] = f"/login?next={quote(self.request.get_full_path())}"
            return response
        status = status_of(refusal)
        if isinstance(refusal, Unavailable):
            return unavailable_page(refusal)
        context = {"status": status, "message": refusal.message, "viewer": self.principal.user}
        return render(self.request, f"errors/{_page(status)}.html", context, status=status)


def unavailable_page(refusal: Refusal) -> HttpResponse:
    """A page made without the request, so without its session: the database may be what is gone."""
    status = status_of(refusal)
    context = {"status": status, "message": refusal.message}
    response = HttpResponse(render_to_string("errors/503.html", context), status=status)
    say_when(response)
    return response


def _page(status: int) -> int:
    """The error page that serves ``status``; rare ones share the page of a bad request."""
    return status if status in {403, 404, 410, 500} else 400
