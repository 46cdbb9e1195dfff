"""HTML: one's password and theme."""

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from teams.errors import Unauthenticated
from teams.http.address import address_of
from teams.http.forms import REFUSED
from teams.http.page import THEME_COOKIE, THEMES, next_url
from teams.http.views import PortalView, Public
from teams.models import User
from teams.portal.forms import PasswordForm
from teams.portal.sign_in import CAME_BY_LINK
from teams.roles import Action
from teams.services import passwords

YEAR_SECONDS = 365 * 24 * 3600


@method_decorator(never_cache, name="dispatch")
class OfViewer(PortalView):
    """What pages about the viewer's own account share."""

    @property
    def user(self) -> User:
        if self.principal.user is None:
            raise Unauthenticated
        return self.principal.user


class Password(OfViewer):
    """GET, POST /settings/password."""

    authz = {"get": Action.ACCOUNT_MANAGE, "post": Action.ACCOUNT_MANAGE}

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(request, self._form(request))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = self._form(request)
        if form.is_valid() and self._is_owner(request, form):
            with form.showing_refusals("new"):
                new = form.cleaned_data["new"]
                passwords.set_password(user=self.user, password=new, by=self.user)
                update_session_auth_hash(request, self.user)
                request.session.pop(CAME_BY_LINK, None)
                messages.success(request, "Your password is set.")
                return redirect("/")
        return self._page(request, form, status=REFUSED)

    def _form(self, request: HttpRequest) -> PasswordForm:
        by_link = bool(request.session.get(CAME_BY_LINK))
        needs_old = self.user.has_usable_password() and not by_link
        return PasswordForm(request.POST or None, needs_old=needs_old)

    def _is_owner(self, request: HttpRequest, form: PasswordForm) -> bool:
        """An open session left alone must not be enough to take an account over."""
        if "old" not in form.fields:
            return True
        with form.showing_refusals("old"):
            passwords.user_by_password(
                name=self.user.name,
                password=form.cleaned_data["old"],
                address=address_of(request),
            )
            return True
        return False

    def _page(self, request: HttpRequest, form: PasswordForm, status: int = 200) -> HttpResponse:
        return render(request, "teams/password.html", {"form": form}, status=status)


class Theme(PortalView):
    """POST /settings/theme: a cookie, so that the first byte of a page is already right."""

    authz = {"post": Public("Everybody chooses how pages look to them.")}

    def post(self, request: HttpRequest) -> HttpResponse:
        response = redirect(next_url(request))
        theme = request.POST.get("theme", "")
        if theme in THEMES:
            response.set_cookie(
                THEME_COOKIE,
                theme,
                max_age=YEAR_SECONDS,
                samesite="Lax",
                secure=request.is_secure(),
            )
        return response
