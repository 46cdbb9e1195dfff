"""HTML: follow and stop; what those whom one follows did."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from hub.portal.notifications import TABS
from hub.portal.repo_page import Tab
from hub.queries.follows import Activity as Done
from hub.queries.follows import activity_for
from hub.services import follows
from teams.errors import Invalid
from teams.http.views import PortalView
from teams.names import number_in
from teams.queries import namespace_named
from teams.roles import Action

A_PAGE = 30
HERE = "/notifications/activity"
_VERBS = {
    "repo.create": "created",
    "repo.move": "moved",
    "repo.content.update": "pushed to",
    "repo.promotion.create": "asks to promote",
    "discussion.create": "opened",
    "discussion.comment.create": "commented on",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownActivity:
    """Something that somebody did, in words."""

    actor: str
    verb: str
    what: str
    url: str
    repo: str
    repo_url: str
    at: datetime

    @classmethod
    def of(cls, done: Done) -> "ShownActivity":
        event, repo = done.event, done.repo
        what, url = _subject(done)
        return cls(
            actor=event.actor_name or "The hub",
            verb=_VERBS[f"{event.scope}.{event.action}"],
            what=what,
            url=url,
            repo=repo.full_name,
            repo_url=repo.url,
            at=event.created_at,
        )


def _subject(done: Done) -> tuple[str, str]:
    """What it was done to, and where that is."""
    details, url = done.event.details, done.repo.url
    if "discussion" in details:
        told = details["discussion"]
        return f"{told['title']} #{told['num']}", f"{url}/discussions/{told['num']}"
    if "promotion" in details:
        return str(details["promotion"]["tag"]), f"{url}/promotions"
    if refs := details.get("refs"):
        return str(refs[0]["ref"]).removeprefix("refs/heads/").removeprefix("refs/tags/"), url
    return "", url


class Activity(PortalView):
    """GET /notifications/activity."""

    authz = {"get": Action.SIGN_IN}

    def get(self, request: HttpRequest) -> HttpResponse:
        text = request.GET.get("before", "")
        before = number_in(text, "before") if text else None
        page, following = activity_for(self.principal, before=before, limit=A_PAGE)
        context = {
            "activities": [ShownActivity.of(one) for one in page],
            "tabs": [Tab(label, url, url == HERE) for label, url in TABS],
            "next_url": f"{HERE}?before={following}" if following else "",
        }
        return render(request, "hub/activity.html", context)


class Follows(PortalView):
    """POST /settings/follows: ``follow`` or ``unfollow`` names whom."""

    authz = {"post": Action.SIGN_IN_TO_WRITE}

    def post(self, request: HttpRequest) -> HttpResponse:
        for verb, service in (("follow", follows.follow), ("unfollow", follows.unfollow)):
            if verb in request.POST:
                namespace = namespace_named(request.POST[verb])
                service(namespace=namespace, by=self.principal)
                said = "You follow" if verb == "follow" else "You no longer follow"
                messages.success(request, f"{said} {namespace.name}.")
                return redirect(namespace.url)
        raise Invalid("The form does not say whom.")
