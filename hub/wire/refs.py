"""Wire: branches, tags, refs, squash."""

from django.http import HttpRequest, HttpResponse

from hub.errors import BadName
from hub.git.refs import BRANCHES, CONVERTS, PULL_REQUESTS, TAGS
from hub.http.repo_views import OfRepo, revision_named
from hub.names import RevisionName
from hub.queries import history
from hub.services import refs
from teams.errors import Invalid
from teams.http.bodies import Body
from teams.http.json_answer import JsonAnswer
from teams.http.pagination import flag
from teams.http.views import WireView
from teams.roles import Action


class Refs(OfRepo, WireView):
    """GET /api/{kind}s/{name}/refs."""

    authz = {"get": Action.REPO_SEE}

    def get(self, request: HttpRequest, **_: object) -> JsonAnswer:
        found = history.refs(self.repo, "refs/")

        def under(prefix: str) -> list[dict[str, str]]:
            return [
                {
                    "name": row.name.removeprefix(prefix),
                    "ref": row.name,
                    "targetCommit": row.commit.hex(),
                }
                for row in found
                if row.name.startswith(prefix)
            ]

        answer = {
            "branches": under(BRANCHES),
            "converts": under(CONVERTS),
            "tags": under(TAGS),
        }
        if flag(request, "include_prs"):
            answer["pullRequests"] = under(PULL_REQUESTS)
        return JsonAnswer(answer)


class Branch(OfRepo, WireView):
    """POST, DELETE /api/{kind}s/{name}/branch/{branch}."""

    authz = {"post": Action.REPO_WRITE, "delete": Action.REPO_WRITE}

    def post(self, request: HttpRequest, branch: str, **_: object) -> JsonAnswer:
        start = Body.of(request).text("startingPoint", self.repo.default_branch)
        refs.create_branch(
            repo=self.repo,
            branch=_new_ref(branch, "branch"),
            start=history.resolve(self.repo, revision_named(start)),
            by=self.principal.user,
        )
        return JsonAnswer({"success": True}, status=201)

    def delete(self, _request: HttpRequest, branch: str, **_: object) -> JsonAnswer:
        refs.delete_branch(repo=self.repo, branch=revision_named(branch), by=self.principal.user)
        return JsonAnswer({"success": True})


class Tag(OfRepo, WireView):
    """POST /api/{kind}s/{name}/tag/{revision}, DELETE /api/{kind}s/{name}/tag/{tag}."""

    authz = {"post": Action.REPO_WRITE, "delete": Action.REPO_WRITE}

    def post(self, request: HttpRequest, tag: str, **_: object) -> JsonAnswer:
        body = Body.of(request)
        # The revision is judged before the name: clients tell the two errors apart.
        target = history.resolve(self.repo, revision_named(tag))
        refs.create_tag(
            repo=self.repo,
            tag=_new_ref(body.text("tag"), "tag"),
            target=target,
            message=body.text("message", ""),
            by=self.principal.user,
        )
        return JsonAnswer({"success": True})

    def delete(self, _request: HttpRequest, tag: str, **_: object) -> JsonAnswer:
        refs.delete_tag(repo=self.repo, tag=revision_named(tag), by=self.principal.user)
        return JsonAnswer({"success": True})


class SuperSquash(OfRepo, WireView):
    """POST /api/{kind}s/{name}/super-squash/{branch}."""

    authz = {"post": Action.REPO_WRITE}

    def post(self, request: HttpRequest, branch: str, **_: object) -> HttpResponse:
        name = revision_named(branch)
        message = Body.of(request).text("message", f"Super-squash branch '{name}'")
        refs.squash(repo=self.repo, branch=name, message=message, by=self.principal.user)
        return JsonAnswer({"success": True})


def _new_ref(text: str, what: str) -> RevisionName:
    try:
        return RevisionName.parse(text)
    except BadName:
        raise Invalid(f"Invalid reference for a {what}: {text!r}") from None
