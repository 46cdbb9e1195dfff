"""What every page shows: who reads it and in which theme; and the pages of refusals without a view.

Requests that match no route, break or lack their CSRF token never reach a view of ours. People get
a page then, and programs the JSON that they read everywhere else.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from teams.errors import Forbidden, Invalid, NotFound, Refusal
from teams.http.refusals import on_the_wire, status_of
from teams.models import User

THEME_COOKIE = "theme"
THEMES = ("auto", "light", "dark")
VERSION = "0.1.0"


def page_context(request: HttpRequest) -> dict[str, Any]:
    """Answer the inputs of ``base.html`` that no view has to think of."""
    return {"theme": theme_of(request), "viewer": viewer_of(request), "version": VERSION}


def theme_of(request: HttpRequest) -> str:
    theme = request.COOKIES.get(THEME_COOKIE, "auto")
    return theme if theme in THEMES else "auto"


def viewer_of(request: HttpRequest) -> User | None:
    """Answer whoever is signed in; a request that was refused early may not know yet."""
    user = getattr(request, "user", None)
    return user if isinstance(user, User) and user.is_active else None


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _speak(request, Invalid("The request could not be understood."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _speak(request, NotFound())


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form came without its token: it stood open too long, or another site sent it."""
    return _speak(
        request,
        Forbidden("This form is out of date. Go back, load the page again and send it once more."),
    )


def broken(request: HttpRequest) -> HttpResponse:
    """A bug. The page asks nothing of the database or the session: they may be what broke."""
    if not _is_for_people(request):
        return HttpResponse('{"error": "Internal server error"}', "application/json", status=500)
    context = {"theme": theme_of(request), "status": 500}
    return render(None, "errors/500.html", context, status=500)  # type: ignore[arg-type]


def _speak(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    if not _is_for_people(request):
        return on_the_wire(refusal, None)
    status = status_of(refusal)
    context = {"status": int(status), "message": refusal.message}
    return render(request, f"errors/{int(status)}.html", context, status=status)


def _is_for_people(request: HttpRequest) -> bool:
    return not request.path.startswith("/api/") and "text/html" in request.headers.get("Accept", "")
