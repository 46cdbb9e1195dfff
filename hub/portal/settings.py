"""HTML: the settings of a repo."""

from collections.abc import Mapping

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from hub.names import RepoName
from hub.portal.forms import DeleteForm, GateForm, RenameForm, VisibilityForm
from hub.portal.repo_page import RepoPage
from hub.portal.repos import owners_for
from hub.services import repos
from hub.services.repos import RepoSettings
from teams.errors import Invalid
from teams.http.forms import REFUSED, ServiceForm
from teams.roles import Action


class Settings(RepoPage):
    """GET, POST /{name}/settings: four forms, told apart by ``action``."""

    authz = {"get": Action.REPO_MANAGE, "post": Action.REPO_MANAGE}
    tab = "settings"
    template = "hub/settings.html"

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        return self.page(self._forms())

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        verbs = {
            "rename": self._rename,
            "visibility": self._change_visibility,
            "gate": self._change_gate,
            "delete": self._delete,
        }
        action = request.POST.get("action", "")
        if action not in verbs:
            raise Invalid("The form does not say what to change.")
        forms = self._forms(action)
        form = forms[f"{action}_form"]
        if form.is_valid():
            with form.showing_refusals():
                return redirect(verbs[action](form))
            # What was refused may have changed the object, though never its row.
            self.repo.refresh_from_db()
        return self.page(forms, status=REFUSED)

    def _forms(self, action: str = "") -> Mapping[str, ServiceForm]:
        """The four forms; the one that was sent is bound to what was sent."""
        repo, owners = self.repo, owners_for(self.principal)
        owner = repo.namespace.name
        owners = owners if owner in owners else [owner, *owners]
        sent = {action: self.request.POST}
        return {
            "rename_form": RenameForm(
                sent.get("rename"), owners=owners, initial={"owner": owner, "name": repo.name}
            ),
            "visibility_form": VisibilityForm(
                sent.get("visibility"), initial={"visibility": repo.visibility}
            ),
            "gate_form": GateForm(sent.get("gate"), gate=repo.gate),
            "delete_form": DeleteForm(sent.get("delete"), full_name=repo.full_name),
        }

    def _rename(self, form: ServiceForm) -> str:
        to = RepoName(form.cleaned_data["owner"], form.cleaned_data["name"])
        repos.move(repo=self.repo, to=to, by=self.principal)
        messages.success(self.request, f"The repo is now called {self.repo.full_name}.")
        return f"{self.repo.url}/settings"

    def _change_visibility(self, form: ServiceForm) -> str:
        settings = RepoSettings(visibility=form.cleaned_data["visibility"])
        repos.change_settings(repo=self.repo, settings=settings, by=self.principal)
        messages.success(self.request, f"The repo is now {self.repo.visibility}.")
        return f"{self.repo.url}/settings"

    def _change_gate(self, form: ServiceForm) -> str:
        settings = RepoSettings(gate=form.cleaned_data["gate"])
        repos.change_settings(repo=self.repo, settings=settings, by=self.principal)
        messages.success(self.request, "The gate is changed.")
        return f"{self.repo.url}/settings"

    def _delete(self, _form: ServiceForm) -> str:
        name = self.repo.full_name
        repos.delete(repo=self.repo, by=self.principal)
        messages.success(self.request, f"{name} is deleted.")
        return self.repo.namespace.url
