"""HTML: change or hide a comment, and react to it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from hub.policies import check_can_edit
from hub.portal.discussion_forms import CommentForm, files_of, with_files
from hub.portal.discussions import OfDiscussion
from hub.portal.shown_discussion import may_edit, may_hide
from hub.queries.discussions import comment_of
from hub.services import comments, reactions
from teams.http.forms import REFUSED, ServiceForm
from teams.roles import Action


class EditComment(OfDiscussion):
    """GET, POST /{name}/discussions/{num}/comment/{id}: change what it says, or hide it."""

    authz = {"get": Action.REPO_DISCUSS, "post": Action.REPO_DISCUSS}
    template = "hub/edit_comment.html"

    def get(self, _request: HttpRequest, comment: str, **_: object) -> HttpResponse:
        found = comment_of(self.discussion, comment)
        if not may_hide(found, self.principal):
            check_can_edit(self.principal, found)
        return self._page(comment, CommentForm(initial={"text": found.text}))

    def post(self, request: HttpRequest, comment: str, **_: object) -> HttpResponse:
        found = comment_of(self.discussion, comment)
        if request.POST.get("action") == "hide":
            comments.hide(comment=found, by=self.principal)
            return redirect(self.discussion.url)
        form = CommentForm(request.POST)
        if form.is_valid():
            with form.showing_refusals("text"):
                text = with_files(form.cleaned_data["text"], files_of(request), self.principal)
                comments.edit(comment=found, text=text, by=self.principal)
                return redirect(f"{self.discussion.url}#{found.public_id}")
        return self._page(comment, form, REFUSED)

    def _page(self, comment: str, form: ServiceForm, status: int = 200) -> HttpResponse:
        found = comment_of(self.discussion, comment)
        editable = may_edit(found, self.principal)
        return self.shown({"form": form, "can_edit": editable}, status=status)


class ReactToComment(OfDiscussion):
    """POST /{name}/discussions/{num}/comment/{id}/reaction: a sign, or its end."""

    authz = {"post": Action.REPO_DISCUSS}

    def post(self, request: HttpRequest, comment: str, **_: object) -> HttpResponse:
        found = comment_of(self.discussion, comment)
        sign = request.POST.get("react") or request.POST.get("take_back", "")
        verb = reactions.react if "react" in request.POST else reactions.take_back
        verb(comment=found, sign=sign, by=self.principal)
        return redirect(f"{self.discussion.url}#{found.public_id}")
