"""HTML: what somebody is notified of."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from hub.http import links
from hub.models import Notification
from hub.portal.repo_page import Tab
from hub.queries.notifications import notifications_of
from hub.services.notifications import mark_read
from hub.services.webhook_secrets import unseal
from teams.http.views import PortalView
from teams.names import number_in
from teams.roles import Action

A_PAGE = 30
TABS = (
    ("Unread", "/notifications"),
    ("All", "/notifications?all=1"),
    ("Activity", "/notifications/activity"),
)
_WORDS = {
    "discussion.create": "opened",
    "discussion.update": "changed",
    "discussion.comment.create": "commented on",
    "discussion.comment.update": "mentioned you in",
    "discussion.approval.create": "approved",
    "repo.access.create": "asks for access",
    "repo.access.update": "decided on your access",
    "repo.promotion.create": "asks to promote",
    "repo.promotion.update": "decided on",
    "webhook.failing": "will soon disable the webhook",
    "webhook.disabled": "disabled the webhook",
}
_REASONS = {"mention": "you were mentioned", "participant": "you take part", "owner": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownNotification:
    """A notification in words."""

    id: int
    actor: str
    verb: str
    title: str
    url: str
    repo: str
    why: str
    count: int
    is_unread: bool
    updated_at: datetime

    @classmethod
    def of(cls, one: Notification) -> "ShownNotification":
        title, url = _subject(one)
        return cls(
            id=one.pk,
            actor=one.actor or "The hub",
            verb=_WORDS.get(one.told, "changed"),
            title=title,
            url=url,
            repo=one.repo.full_name if one.repo else "It fails, and failed for days",
            why=_REASONS[one.reason],
            count=one.count,
            is_unread=one.read_at is None,
            updated_at=one.updated_at,
        )


def _subject(one: Notification) -> tuple[str, str]:
    """What it is of, and where that is."""
    discussion, repo = one.discussion, one.repo.url if one.repo else ""
    if discussion is not None:
        return f"{discussion.title} #{discussion.num}", f"{repo}/discussions/{discussion.num}"
    if one.access is not None:
        is_wish = one.told == "repo.access.create"
        return f"to {one.repo}", f"{repo}/access-requests" if is_wish else repo
    if one.promotion is not None:
        return one.promotion.tag, f"{repo}/promotions"
    if one.webhook is not None:
        host = urlsplit(unseal(one.webhook.url)).netloc
        return f"to {host}", f"/settings/webhooks/{one.webhook.public_id}"
    return "", repo


class Notifications(PortalView):
    """GET /notifications?all=1, POST (take as read)."""

    authz = {"get": Action.SIGN_IN, "post": Action.SIGN_IN_TO_WRITE}

    def get(self, request: HttpRequest) -> HttpResponse:
        shows_all = request.GET.get("all") == "1"
        page = notifications_of(
            self.principal,
            unread_only=not shows_all,
            cursor=request.GET.get("cursor", ""),
            limit=A_PAGE,
        )
        following = {"all": "1" if shows_all else "", "cursor": page.next_cursor}
        context = {
            "notifications": [ShownNotification.of(one) for one in page.notifications],
            "tabs": [Tab(label, url, ("all=1" in url) == shows_all) for label, url in TABS[:2]]
            + [Tab(*TABS[2], active=False)],
            "next_url": (links.with_query("/notifications", following) if page.next_cursor else ""),
        }
        return render(request, "hub/notifications.html", context)

    def post(self, request: HttpRequest) -> HttpResponse:
        text = request.POST.get("read", "")
        if text == "all":
            mark_read(by=self.principal)
        else:
            mark_read(by=self.principal, numbers=[number_in(text, "read")])
        return redirect("/notifications")
