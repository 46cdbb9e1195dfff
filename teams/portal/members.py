"""HTML: who is in an organisation, who is invited, and the page that a link leads to."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from teams.errors import Invalid, NotFound, Refusal
from teams.http.forms import REFUSED
from teams.http.origin import base_url
from teams.http.views import PortalView, Public
from teams.models import Invitation
from teams.names import number_in
from teams.portal.of_organisation import OfOrganisation
from teams.portal.organisation_forms import InviteForm, role_of
from teams.queries import user_named
from teams.queries.organisations import members_page, waiting_invitations
from teams.roles import Action, Role
from teams.services import invitations, mail, members
from teams.services.invitations import Invited
from teams.services.organisations import SEATS

A_PAGE = 50


class Members(OfOrganisation):
    """GET, POST /orgs/{name}/settings/members: what to do stands in the button's name."""

    authz = {"get": Action.ORG_SEE, "post": Action.ORG_MANAGE}
    tab = "members"
    template = "teams/members.html"

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        return self._page()

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        verbs = {
            "change": self._change,
            "remove": self._remove,
            "invite": self._invite,
            "renew": self._renew,
            "revoke": self._revoke,
        }
        verb = next((verb for name, verb in verbs.items() if name in request.POST), None)
        if verb is None:
            raise Invalid("The form does not say what to change.")
        return verb(request) or redirect(f"{self.home}/members")

    def _change(self, request: HttpRequest) -> None:
        label = request.POST.get("seat", "")
        if label not in SEATS:
            raise Invalid("The form does not say what the member is to be.")
        user = user_named(request.POST["change"])
        members.change(
            organisation=self.organisation, user=user, seat=SEATS[label], by=self.principal
        )
        messages.success(request, f"{user.name} is now {label.replace('_', ' ')}.")

    def _remove(self, request: HttpRequest) -> None:
        user = user_named(request.POST["remove"])
        members.remove(organisation=self.organisation, user=user, by=self.principal)
        messages.success(request, f"{user.name} is no member any more.")

    def _invite(self, request: HttpRequest) -> HttpResponse:
        form = InviteForm(request.POST)
        if form.is_valid():
            with form.showing_refusals("email"):
                invited = invitations.invite(
                    organisation=self.organisation,
                    role=role_of(form.cleaned_data["role"]),
                    email=form.cleaned_data["email"],
                    by=self.principal,
                    origin=base_url(request),
                )
                return self._page(invited=invited)
        return self._page(form, status=REFUSED)

    def _renew(self, request: HttpRequest) -> HttpResponse:
        invitation = self._waiting(request.POST["renew"])
        return self._page(
            invited=invitations.renew(
                invitation=invitation, by=self.principal, origin=base_url(request)
            )
        )

    def _revoke(self, request: HttpRequest) -> None:
        invitation = self._waiting(request.POST["revoke"])
        invitations.revoke(invitation=invitation, by=self.principal)
        messages.success(request, "The invitation is taken back; its link leads nowhere.")

    def _waiting(self, text: str) -> Invitation:
        number = number_in(text, "The invitation")
        for invitation in waiting_invitations(self.organisation):
            if invitation.pk == number:
                return invitation
        raise NotFound("This invitation is over.")

    def _page(
        self, form: InviteForm | None = None, *, invited: Invited | None = None, status: int = 200
    ) -> HttpResponse:
        """The link of a new invitation stands on the answer to its form, and nowhere else."""
        asked = self.request.GET
        found = members_page(
            self.organisation,
            search=asked.get("q", ""),
            after=asked.get("after", ""),
            limit=A_PAGE + 1,
        )
        shown = found[:A_PAGE]
        is_admin = self.may(Action.ORG_MANAGE)
        default = Role(self.organisation.default_role).label
        context: dict[str, Any] = {
            "members": shown,
            "next": shown[-1].user.name if len(found) > A_PAGE else "",
            "search": asked.get("q", ""),
            "seats": list(SEATS),
            "owns": self.may(Action.ORG_OWN),
            "form": form or InviteForm(initial={"role": default}),
            "waiting": waiting_invitations(self.organisation) if is_admin else [],
            "invited": invited,
            "link": f"{base_url(self.request)}{invited.path}" if invited else "",
            "sends_mail": mail.is_configured(),
        }
        return self.page(context, status)


@method_decorator(never_cache, name="dispatch")
class Join(PortalView):
    """GET, POST /join/{secret}: programs that preview links fetch them; the button accepts."""

    authz = {
        "get": Public("The link itself is the credential; it shows whereto it leads."),
        "post": Action.SIGN_IN_TO_WRITE,
    }

    def get(self, request: HttpRequest, secret: str) -> HttpResponse:
        return self._page(request, secret)

    def post(self, request: HttpRequest, secret: str) -> HttpResponse:
        member = invitations.accept(secret=secret, by=self.principal)
        name = member.organisation.name
        messages.success(request, f"You are a member of {name}: {member.label.replace('_', ' ')}.")
        return redirect(f"/{name}")

    def _page(self, request: HttpRequest, secret: str) -> HttpResponse:
        invitation = invitations.invitation_by(secret)
        problem = ""
        if self.principal.user:
            try:
                invitations.check_address(invitation, self.principal)
            except Refusal as refusal:
                problem = refusal.message
        context = {
            "invitation": invitation,
            "role": Role(invitation.role).label.replace("_", " "),
            "problem": problem,
            "here": request.path,
        }
        return render(request, "teams/join.html", context)
