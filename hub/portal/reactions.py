"""HTML: react to a comment."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from hub.portal.discussions import OfDiscussion
from hub.queries.discussions import comment_of
from hub.services import reactions
from teams.roles import Action


class ReactToComment(OfDiscussion):
    """POST /{name}/discussions/{num}/comment/{id}/reaction: a sign, or its end."""

    authz = {"post": Action.REPO_DISCUSS}

    def post(self, request: HttpRequest, comment: str, **_: object) -> HttpResponse:
        found = comment_of(self.discussion, comment)
        sign = request.POST.get("react") or request.POST.get("take_back", "")
        verb = reactions.react if "react" in request.POST else reactions.take_back
        verb(comment=found, sign=sign, by=self.principal)
        return redirect(f"{self.discussion.url}#{found.public_id}")
