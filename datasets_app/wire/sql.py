"""Wire: the result of a query over a dataset's splits, as a file."""

from django.http import HttpRequest, HttpResponse

from datasets_app.errors import InvalidParameter
from datasets_app.http.viewer import ViewerView
from datasets_app.queries.splits import splits_of
from datasets_app.queries.sql import MAX_ROWS, result_of, tables_of
from datasets_app.serving.formats import ARROW, CSV, NDJSON, PARQUET, WRITERS
from datasets_app.serving.order import Plan, Position
from datasets_app.wire.finding import caller_of
from hub.names import RepoKind
from hub.queries.repos import repo_for
from teams.roles import Action

_FORMATS = {"arrow": ARROW, "ndjson": NDJSON, "csv": CSV, "parquet": PARQUET}


class Sql(ViewerView):
    """GET /api/datasets/{name}/sql?query=…&format=…: at most 100,000 rows."""

    def check(self, action: Action) -> None:
        self.repo = repo_for(self.principal, action, RepoKind.DATASET, self.kwargs["name"])

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        kind = _FORMATS.get(request.GET.get("format", "ndjson"))
        if kind is None:
            raise InvalidParameter("Parameter 'format' must be arrow, ndjson, csv or parquet")
        query = self.needed("query")
        limit = self.number("limit", MAX_ROWS, MAX_ROWS)
        tables = tables_of(self.repo, splits_of(self.snapshot()))
        result = result_of(tables, query, caller_of(self.principal), most=limit)
        batches = ((batch, Position()) for batch in result.table.to_batches())
        body = b"".join(WRITERS[kind](batches, result.table.schema, Plan(0), None))
        response = HttpResponse(body, content_type=kind)
        response["X-Truncated"] = "true" if result.is_cut else "false"
        response["Cache-Control"] = "private, no-store"
        return response
