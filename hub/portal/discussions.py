"""HTML: the discussions of a repo, one of them, a new one; the changes of a pull request."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from hub.errors import DiscussionNotFound
from hub.http import links
from hub.models import Discussion
from hub.policies import can, can_tend
from hub.portal.discussion_forms import (
    CommentForm,
    NewDiscussionForm,
    TitleForm,
    files_of,
    with_files,
)
from hub.portal.proposed_files import proposed_files
from hub.portal.repo_page import RepoPage
from hub.portal.shown_discussion import ShownDiscussion, shown_events
from hub.portal.shown_review import ShownReview
from hub.queries.discussions import (
    DiscussionFilter,
    discussion_of,
    page_of,
    story_of,
)
from hub.queries.pull_requests import compare
from hub.services import approvals, comments, discussions, pull_requests, reactions
from teams.errors import Invalid
from teams.http.forms import REFUSED, ServiceForm
from teams.http.origin import base_url
from teams.names import number_in_id
from teams.roles import Action

PAGE = 30
EVENTS = 200
"""Of one discussion, on one page."""
_MOST_PAGES = 10**6
_TYPES = (("all", "Both"), ("discussion", "Discussions"), ("pull_request", "Pull requests"))
_STATUSES = (("open", "Open"), ("closed", "Closed"), ("all", "All"))


class Discussions(RepoPage):
    """GET /{name}/discussions: newest first, open ones if nothing else is asked for."""

    authz = {"get": Action.REPO_SEE}
    tab = "community"
    template = "hub/discussions.html"

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        asked = {
            "type": request.GET.get("type") or "all",
            "status": request.GET.get("status") or "open",
            "author": request.GET.get("author", "").strip(),
        }
        number = _page_number(request)
        wanted = DiscussionFilter(**asked, pinned_first=True)
        page = page_of(self.repo, wanted, start=number * PAGE, limit=PAGE)
        here = f"{self.repo.url}/discussions"

        def url(**changes: str) -> str:
            return links.with_query(here, asked | changes)

        return self.page(
            {
                "discussions": [ShownDiscussion.of(one) for one in page.discussions],
                "types": _options(_TYPES, asked["type"], lambda value: url(type=value)),
                "statuses": _options(_STATUSES, asked["status"], lambda value: url(status=value)),
                "asked": asked,
                "here": here,
                "counts": {"open": page.n_open, "closed": page.n_closed},
                "previous_url": url(p=str(number - 1)) if number else "",
                "next_url": url(p=str(number + 1)) if page.end < page.count else "",
                "can_discuss": _may_talk(self),
            }
        )


def _page_number(request: HttpRequest) -> int:
    text = request.GET.get("p") or "0"
    if not (text.isascii() and text.isdigit()) or int(text) > _MOST_PAGES:
        raise Invalid("There is no such page.")
    return int(text)


def _options(
    known: tuple[tuple[str, str], ...], chosen: str, url: Callable[[str], str]
) -> list[dict[str, Any]]:
    return [
        {"label": label, "url": url(value), "selected": value == chosen} for value, label in known
    ]


def _may_talk(page: RepoPage) -> bool:
    is_open = not page.repo.discussions_disabled
    return is_open and can(page.principal, Action.REPO_DISCUSS, page.repo)


class NewDiscussion(RepoPage):
    """GET, POST /{name}/discussions/new; a pull request is begun by a program."""

    authz = {"get": Action.REPO_DISCUSS, "post": Action.REPO_DISCUSS}
    tab = "community"
    template = "hub/new_discussion.html"

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        return self._page(NewDiscussionForm())

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        form = NewDiscussionForm(request.POST)
        opens = {
            "discussion": discussions.open_discussion,
            "pull_request": pull_requests.open_pull_request,
        }.get(request.POST.get("action", ""))
        if opens is None:
            raise Invalid("The form does not say what to open.")
        if form.is_valid():
            with form.showing_refusals():
                title = form.cleaned_data["title"]
                text = with_files(form.cleaned_data["text"], files_of(request), self.principal)
                made = opens(repo=self.repo, title=title, text=text, by=self.principal)
                return redirect(made.url)
        return self._page(form, REFUSED)

    def _page(self, form: ServiceForm, status: int = 200) -> HttpResponse:
        kind = self.repo.repo_kind
        flag = "" if kind == "model" else f" --repo-type {kind}"
        command = f"hf upload {self.repo.full_name} . .{flag} --create-pr"
        return self.page({"form": form, "command": command}, status=status)


class OfDiscussion(RepoPage):
    """What pages of one discussion share."""

    tab = "community"
    discussion: Discussion

    def check(self, action: Action) -> None:
        super().check(action)
        text = self.kwargs["num"]
        if not (text.isascii() and text.isdigit()):
            raise DiscussionNotFound
        self.discussion = discussion_of(self.repo, int(text[:12]))

    def shown(self, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
        """The page with what stands above it."""
        shown = ShownDiscussion.of(self.discussion)
        return self.page({"discussion": shown, "parts": self._parts(), **context}, status=status)

    def _parts(self) -> list[dict[str, Any]]:
        if not self.discussion.is_pull_request:
            return []
        url, here = self.discussion.url, self.request.path.endswith("/files")
        return [
            {"label": "Conversation", "url": url, "active": not here},
            {"label": "Files changed", "url": f"{url}/files", "active": here},
        ]


class OneDiscussion(OfDiscussion):
    """GET, POST /{name}/discussions/{num}: four forms, told apart by ``action``."""

    authz = {"get": Action.REPO_SEE, "post": Action.REPO_DISCUSS}
    template = "hub/discussion.html"

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        return self._page(CommentForm(), TitleForm(initial={"title": self.discussion.title}))

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        verbs = {
            "comment": self._comment,
            "title": self._rename,
            "open": self._change_status,
            "closed": self._change_status,
            "merge": self._merge,
            "approve": self._approve,
            "withdraw": self._withdraw,
            "pin": self._pin,
            "unpin": self._pin,
        }
        action = request.POST.get("action", "")
        if action not in verbs:
            raise Invalid("The form does not say what to do.")
        comment = CommentForm(request.POST if action != "title" else None)
        comment.fields["text"].required = action == "comment" and not files_of(request)
        title = TitleForm(
            request.POST if action == "title" else None,
            initial={"title": self.discussion.title},
        )
        form: ServiceForm = title if action == "title" else comment
        if form.is_valid():
            with form.showing_refusals():
                self._attach(form.cleaned_data)
                verbs[action](form.cleaned_data)
                return redirect(self.discussion.url)
        return self._page(comment, title, REFUSED)

    def _attach(self, values: dict[str, str]) -> None:
        if files := files_of(self.request):
            values["text"] = with_files(values["text"], files, self.principal)

    def _comment(self, values: dict[str, str]) -> None:
        comments.comment(discussion=self.discussion, text=values["text"], by=self.principal)

    def _rename(self, values: dict[str, str]) -> None:
        discussions.rename(discussion=self.discussion, title=values["title"], by=self.principal)

    def _change_status(self, values: dict[str, str]) -> None:
        discussions.change_status(
            discussion=self.discussion,
            status=self.request.POST["action"],
            text=values["text"],
            by=self.principal,
        )

    def _merge(self, values: dict[str, str]) -> None:
        pull_requests.merge_pull_request(
            discussion=self.discussion,
            text=values["text"],
            head=self.request.POST.get("head", ""),
            by=self.principal,
        )
        messages.success(self.request, "The pull request is merged.")

    def _approve(self, _values: dict[str, str]) -> None:
        head = self.request.POST.get("head", "")
        approvals.approve(discussion=self.discussion, head=head, by=self.principal)

    def _withdraw(self, _values: dict[str, str]) -> None:
        approvals.withdraw(discussion=self.discussion, by=self.principal)

    def _pin(self, _values: dict[str, str]) -> None:
        is_pinned = self.request.POST["action"] == "pin"
        reactions.pin(discussion=self.discussion, is_pinned=is_pinned, by=self.principal)

    def _page(self, comment: ServiceForm, title: ServiceForm, status: int = 200) -> HttpResponse:
        discussion = self.discussion
        story = story_of(discussion, before=self._before(), limit=EVENTS)
        may_talk = _may_talk(self)
        events = shown_events(story.events, discussion, self.principal, may_react=may_talk)
        # The first is always there; the gap is right after it.
        oldest = story.events[1] if story.n_earlier else None
        return self.shown(
            {
                "events": events,
                "n_earlier": story.n_earlier,
                "earlier_url": f"{discussion.url}?before={oldest.public_id}" if oldest else "",
                "is_newest": self._before() is None,
                "comment_form": comment,
                "title_form": title,
                "title_is_open": title.is_bound,
                "can_discuss": may_talk,
                "can_pin": self.can_write,
                "can_tend": can_tend(self.principal, discussion),
                **self._merging(),
            },
            status=status,
        )

    def _before(self) -> int | None:
        """The event before which the reader wants to see what happened."""
        return number_in_id(self.request.GET.get("before", "")) or None

    def _merging(self) -> dict[str, Any]:
        """How the pull request stands to its branch, for those who may read files."""
        discussion = self.discussion
        is_shown = discussion.is_pull_request and discussion.is_ongoing
        if not (is_shown and can(self.principal, Action.REPO_READ, self.repo)):
            return {}
        found = compare(discussion)
        may_push = self.can_write or (
            self.principal.user is not None and self.principal.user.pk == discussion.author_id
        )
        review = ShownReview.of(discussion, self.principal)
        return {
            "is_shown": True,
            "review": review,
            "conflicts": found.conflicts,
            "is_mergeable": found.is_mergeable,
            "can_merge": self.can_write and found.is_mergeable and not review.missing,
            "head": found.head.oid.hex() if found.head else "",
            "git_command": self._git_command() if may_push else "",
        }

    def _git_command(self) -> str:
        remote, num = f"{base_url(self.request)}{self.repo.url}", self.discussion.num
        return "\n".join(
            (
                f"git clone {remote} && cd {self.repo.name}",
                f"git fetch origin refs/pr/{num}:pr/{num} && git switch pr/{num}",
                f"git push origin pr/{num}:refs/pr/{num}",
            )
        )


class ProposedFiles(OfDiscussion):
    """GET /{name}/discussions/{num}/files: what a pull request changes."""

    authz = {"get": Action.REPO_READ}
    template = "hub/proposed_files.html"

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        if not self.discussion.is_pull_request:
            raise DiscussionNotFound("This discussion is no pull request; it changes no files.")
        found = proposed_files(self.repo, compare(self.discussion))
        return self.shown(
            {
                "changes": found.files,
                "changed_count": found.total,
                "hidden_count": found.total - len(found.files),
            }
        )
