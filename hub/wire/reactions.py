"""Wire: reactions to comments, and what is pinned, as pages of the Hub call them."""

from collections.abc import Callable

from django.http import HttpRequest

from hub.queries.discussions import comment_of
from hub.services import reactions
from hub.wire.discussions import OfDiscussion, told_alone
from teams.http.bodies import Body
from teams.http.json_answer import JsonAnswer
from teams.roles import Action


class ReactToComment(OfDiscussion):
    """POST, DELETE /api/{kind}s/{name}/discussions/{num}/comment/{id}/reaction."""

    authz = {"post": Action.REPO_DISCUSS, "delete": Action.REPO_DISCUSS}

    def post(self, request: HttpRequest, comment: str, **_: object) -> JsonAnswer:
        return self._answered(reactions.react, request, comment)

    def delete(self, request: HttpRequest, comment: str, **_: object) -> JsonAnswer:
        return self._answered(reactions.take_back, request, comment)

    def _answered(
        self, verb: Callable[..., None], request: HttpRequest, comment: str
    ) -> JsonAnswer:
        found = comment_of(self.discussion, comment)
        verb(comment=found, sign=Body.of(request).text("reaction"), by=self.principal)
        return JsonAnswer({"updatedComment": told_alone(found)})


class Pin(OfDiscussion):
    """POST /api/{kind}s/{name}/discussions/{num}/pin."""

    authz = {"post": Action.REPO_WRITE}

    def post(self, request: HttpRequest, **_: object) -> JsonAnswer:
        is_pinned = Body.of(request).boolean("pinned")
        wanted = is_pinned is not False
        found = reactions.pin(discussion=self.discussion, is_pinned=wanted, by=self.principal)
        return JsonAnswer({"pinned": found.is_pinned})
