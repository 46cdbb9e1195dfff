"""Wire: everything about one repo."""

from django.http import HttpRequest

from hub.http.repo_json import asked_for, info_json
from hub.http.repo_views import OfRepo
from teams.http.json_answer import JsonAnswer
from teams.http.views import WireView
from teams.roles import Action


class Info(OfRepo, WireView):
    """GET /api/{kind}s/{name}[/revision/{revision}]."""

    authz = {"get": Action.REPO_SEE}

    def get(self, request: HttpRequest, **_: object) -> JsonAnswer:
        asked = asked_for(request, self.repo.repo_kind)
        return JsonAnswer(info_json(self.repo, self.resolve(), asked, self.principal))
