"""HTML: let a terminal in that shows a code."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from teams.http.forms import REFUSED, ServiceForm
from teams.models import DeviceCode
from teams.portal.settings import OfViewer
from teams.roles import Action
from teams.services import device_sign_in


class CodeForm(ServiceForm):
    """What the terminal shows."""

    code = forms.CharField(
        label="Code",
        max_length=20,
        help_text="Eight letters that your terminal shows, such as BCDF-GHJK.",
        widget=forms.TextInput(
            {"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )


class Confirm(OfViewer):
    """GET, POST /oauth/device/confirm: type the code in, look whom one lets in, do it or not.

    A link may carry the code, but only a button lets in: nobody is signed in to by following one.
    """

    authz = {"get": Action.ACCOUNT_MANAGE, "post": Action.ACCOUNT_MANAGE}

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(request, CodeForm(initial={"code": request.GET.get("code", "")[:20]}))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = CodeForm(request.POST)
        if form.is_valid():
            with form.showing_refusals("code"):
                text = form.cleaned_data["code"]
                found = device_sign_in.waiting(user_code=text, by=self.user)
                return self._decided(request, found, text)
        return self._page(request, form, status=REFUSED)

    def _decided(self, request: HttpRequest, found: DeviceCode, code: str) -> HttpResponse:
        answer = request.POST.get("answer", "")
        if answer == "yes":
            device_sign_in.let_in(code=found, by=self.principal)
            return render(request, "teams/device_done.html", {"let_in": True})
        if answer == "no":
            device_sign_in.turn_away(code=found, by=self.principal)
            return render(request, "teams/device_done.html", {"let_in": False})
        context = {"code": code, "told": found.told, "began": found.created_at, "owner": self.user}
        return render(request, "teams/device_confirm.html", context)

    def _page(self, request: HttpRequest, form: CodeForm, status: int = 200) -> HttpResponse:
        return render(request, "teams/device.html", {"form": form}, status=status)
