"""HTML: the SQL console of a dataset, and the rows that changed between two revisions."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from datasets_app.errors import NotPlanned, UnknownSplit
from datasets_app.models import Split, State
from datasets_app.portal.shown import ShownCell, ShownRow, shown_columns, shown_rows
from datasets_app.portal.viewer import Refused, ViewerPage
from datasets_app.queries.rows import Found, rows_of
from datasets_app.queries.splits import snapshot_of, split_of
from datasets_app.queries.sql import FIRST, changes_between, result_of, tables_of
from datasets_app.serving.cells import Page
from datasets_app.serving.features import features_of
from hub.http import links
from hub.http.repo_views import revision_named
from hub.queries import history
from teams.roles import Action

SHOWN_ROWS = 200
MAX_BARS = 50
CHART_COLUMNS = 2


class SqlConsole(ViewerPage):
    """GET /datasets/{name}/sql?query=…: one SELECT over the dataset's splits."""

    authz = {"get": Action.REPO_READ}
    template = "datasets_app/sql.html"
    view = "sql"

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        snapshot, split, splits = self.chosen()
        context = self.around(split, splits)
        query = request.GET.get("query", "").strip()
        context |= {"query": query}
        if split is None or not any(each.state == State.READY for each in splits):
            return self.page(context | self.waiting(snapshot, split))
        try:
            tables = tables_of(self.repo, splits)
            context |= {"tables": _told(splits, tables)}
            if query:
                context |= self._result(split, tables, query)
        except Refused as refusal:
            context |= {"refused": refusal.message}
        return self.page(context)

    def _result(self, split: Split, tables: Any, query: str) -> dict[str, Any]:
        caller = str(self.principal.user.pk) if self.principal.user else ""
        result = result_of(tables, query, caller, most=SHOWN_ROWS)
        columns, rows = as_shown(result.table, split)
        api = f"/api/datasets/{self.repo}/sql"
        downloads = [
            (label, links.with_query(api, {"query": query, "format": name}))
            for label, name in (("Parquet", "parquet"), ("Arrow", "arrow"), ("CSV", "csv"))
        ]
        return {
            "columns": columns,
            "rows": rows,
            "is_cut": result.is_cut,
            "downloads": downloads,
            "bars": _bars(result.table),
        }


class RowChanges(ViewerPage):
    """GET /datasets/{name}/row-changes: what rows differ between two revisions."""

    authz = {"get": Action.REPO_READ}
    template = "datasets_app/row_changes.html"
    view = "diff"

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        snapshot, split, splits = self.chosen()
        context = self.around(split, splits)
        if split is None or split.state != State.READY:
            return self.page(context | self.waiting(snapshot, split))
        asked = {name: request.GET.get(name, "") for name in ("old", "new", "key", "of")}
        asked["new"] = asked["new"] or self.repo.default_branch
        asked["of"] = asked["of"] or f"{split.config.name}/{split.name}"
        config, name = _two(asked["of"])
        context |= {"asked": asked}
        context |= {"names": [f"{each.config.name}/{each.name}" for each in splits]}
        if asked["old"]:
            try:
                before, after = (self._at(at, config, name) for at in (asked["old"], asked["new"]))
                context |= self._changes(split, before, after, asked["key"])
            except NotPlanned:
                context |= {"refused": "One of the revisions was not converted yet."}
            except (*Refused, UnknownSplit) as refusal:
                context |= {"refused": refusal.message}
        return self.page(context)

    def _at(self, revision: str, config: str, name: str) -> Found:
        commit = history.resolve(self.repo, revision_named(revision))
        split = split_of(snapshot_of(self.repo.pk, commit.oid), config, name)
        return rows_of(self.repo, split)

    def _changes(self, split: Split, before: Found, after: Found, key: str) -> dict[str, Any]:
        caller = str(self.principal.user.pk) if self.principal.user else ""
        found = changes_between(before, after, key, caller)
        examples = [(kind, *as_shown(table, split)) for kind, table in found.examples.items()]
        gone = [name for name in before.columns if name not in after.features]
        came = [name for name in after.columns if name not in before.features]
        other = [
            name
            for name in after.columns
            if name in before.features and before.features[name] != after.features[name]
        ]
        schema = (("Columns that came", came), ("Columns that went", gone), ("Other types", other))
        return {"found": found, "examples": examples, "schema": [s for s in schema if s[1]]}


def as_shown(table: Any, split: Split) -> tuple[list[Any], list[ShownRow]]:
    """A table that is no page of a split, as the page shows tables."""
    features = features_of(table.schema, None)
    page = Page(table, range(table.num_rows), features)
    rows = shown_rows(page, split, "", lambda *_: "")
    bare = [
        ShownRow(row.number, [ShownCell(cell.kind, cell.text) for cell in row.cells])
        for row in rows
    ]
    return shown_columns(features, None), bare


def _two(named: str) -> tuple[str, str]:
    """The config and the split of a name; no name of a split has a slash."""
    config, _, split = named.rpartition("/")
    return config, split


def _told(splits: list[Split], tables: dict[str, list[str]]) -> list[tuple[str, int]]:
    rows = {f"{split.config.name}/{split.name}": split.num_rows or 0 for split in splits}
    first = next(iter(rows.values()), 0)
    return [(FIRST, first)] + [
        (f'"{name}"', count) for name, count in rows.items() if name in tables
    ]


def _bars(table: Any) -> list[tuple[str, float, float]]:
    """A chart of a result of names and numbers: each with its part of the greatest."""
    if table.num_columns != CHART_COLUMNS or not 1 < table.num_rows <= MAX_BARS:
        return []
    names, numbers = (column.to_pylist() for column in table.columns)
    if not all(isinstance(number, int | float) and number >= 0 for number in numbers):
        return []
    most = max(numbers)
    return [(str(name), number, most) for name, number in zip(names, numbers, strict=True)]
