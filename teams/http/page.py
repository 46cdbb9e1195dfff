"""What every page shows: who reads it, in which theme; and the page for stale forms."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import SimpleLazyObject
from django.utils.http import url_has_allowed_host_and_scheme

from teams.http.origin import base_url
from teams.models import User

THEME_COOKIE = "theme"
THEMES = ("auto", "light", "dark")


def page_context(request: HttpRequest) -> dict[str, Any]:
    """Answer the inputs of ``base.html`` that no view has to think of."""
    viewer = SimpleLazyObject(lambda: viewer_of(request))
    return {
        "theme": theme_of(request),
        "viewer": viewer,
        "version": settings.VERSION,
        "endpoint": base_url(request),
    }


def theme_of(request: HttpRequest) -> str:
    theme = request.COOKIES.get(THEME_COOKIE, "auto")
    return theme if theme in THEMES else "auto"


def viewer_of(request: HttpRequest) -> User | None:
    """Answer whoever is signed in; a request that was refused early may not know yet."""
    user = getattr(request, "user", None)
    return user if isinstance(user, User) and user.is_active else None


def next_url(request: HttpRequest, default: str = "/") -> str:
    """Answer where the form wants its reader to go next: only ever to a page of our own."""
    wanted = request.POST.get("next") or request.GET.get("next") or default
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if is_ours and wanted.startswith("/") else default


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form came without its token: it stood open too long, or another site sent it."""
    message = "This form is out of date. Go back, load the page again and send it once more."
    context = {"status": 403, "message": message}
    return render(request, "errors/403.html", context, status=403)
