"""HTML: what scanners found in a repo, and what its owners decide about it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from hub.http.security_query import before_in, key_in
from hub.policies import can
from hub.portal.repo_page import RepoPage
from hub.portal.shown_security import shown_verdict
from hub.queries.scans import Policy, issues_of, policy_of, tally_of
from hub.services import releases, scanning
from teams.roles import Action, Role

ISSUES_A_PAGE = 50
MOST_REASON = 500


class Security(RepoPage):
    """GET, POST /{name}/security."""

    authz = {"get": Action.REPO_READ, "post": Action.REPO_MANAGE}
    tab = "security"
    template = "hub/security.html"

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        rows = issues_of(
            self.repo, before=before_in(request.GET.get("before", "")), limit=ISSUES_A_PAGE + 1
        )
        page = rows[:ISSUES_A_PAGE]
        names = scanning.names_in(self.repo) if page else {}
        more = f"{self.repo.url}/security?before={page[-1].id}" if len(rows) > len(page) else ""
        key = [row.scanned.key for row in page]
        return self.page(
            {
                "issues": [
                    shown_verdict(self.repo, one, row.scanned, names.get(one, ""))
                    for one, row in zip(key, page, strict=True)
                ],
                "tally": tally_of(self.repo),
                "policy": policy_of(self.repo).value,
                "own_policy": self.repo.namespace.scan_policy,
                "policies": list(Policy),
                "owner": self.repo.namespace.name,
                "can_manage": can(self.principal, Action.REPO_MANAGE, self.repo),
                "rules_owner": self.principal.role_in(self.repo.namespace_id) >= Role.ADMIN,
                "next_url": more,
            }
        )

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        if "policy" in request.POST:
            self._set_policy(request.POST["policy"])
        elif "again" in request.POST:
            self._scan_again(request.POST["again"])
        elif "release" in request.POST:
            self._release(request.POST["release"], request.POST.get("reason", ""))
        else:
            key = key_in(request.POST.get("withhold", ""))
            releases.withdraw(repo=self.repo, key=key, by=self.principal)
            messages.success(request, "The verdict decides again.")
        return redirect(f"{self.repo.url}/security")

    def _set_policy(self, policy: str) -> None:
        releases.set_policy(namespace=self.repo.namespace, policy=policy, by=self.principal)
        messages.success(self.request, f"It holds for every repo of {self.repo.namespace.name}.")

    def _scan_again(self, text: str) -> None:
        keys = [key_in(text)] if text else None
        count = releases.scan_again(repo=self.repo, by=self.principal, keys=keys)
        messages.success(self.request, f"Files that are being scanned again: {count}.")

    def _release(self, text: str, reason: str) -> None:
        reason = reason.strip()[:MOST_REASON]
        releases.release(repo=self.repo, key=key_in(text), by=self.principal, reason=reason)
        messages.success(self.request, "The file is served again; the audit log says by whom.")
