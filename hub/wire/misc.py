"""Wire: what clients ask beside repos: card validation, harness list, telemetry."""

from django.http import HttpRequest, HttpResponse

from hub.cards.schema import check_readme
from hub.names import RepoKind
from teams.errors import Invalid
from teams.http.bodies import Body
from teams.http.json_answer import JsonAnswer
from teams.http.views import Public, WireView


class ValidateYaml(WireView):
    """POST /api/validate-yaml: errors and warnings of a card's metadata, as JSON or plain text."""

    authz = {"post": Public("It looks at nothing but the body, and clients send no token.")}

    def post(self, request: HttpRequest) -> HttpResponse:
        body = Body.of(request)
        kind = body.text("repoType", RepoKind.MODEL)
        if kind not in set(RepoKind):
            raise Invalid(f'"repoType" must be one of {", ".join(RepoKind)}.')
        report = check_readme(RepoKind(kind), body.text("content"))
        status = 200 if report.is_valid else 400
        if request.headers.get("Accept", "") == "text/plain":
            return HttpResponse(report.as_text(), status=status, content_type="text/plain")
        return JsonAnswer(
            {
                "errors": [{"message": message} for message in report.errors],
                "warnings": [{"message": message} for message in report.warnings],
            },
            status=status,
        )


class AgentHarnesses(WireView):
    """GET /api/agent-harnesses: we know of none, and say so in the shape that clients read."""

    authz = {"get": Public("Clients ask before they know their token.")}

    def get(self, _request: HttpRequest) -> JsonAnswer:
        return JsonAnswer({"standardEnvVars": [], "harnesses": {}})


class Telemetry(WireView):
    """HEAD /api/telemetry/{topic}: taken and forgotten; nothing is recorded."""

    authz = {"get": Public("Clients send no token; nothing is kept.")}

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        return HttpResponse(status=204)
