"""HTML: the rows of a dataset, and what its columns are like."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse

from datasets_app.errors import (
    InvalidParameter,
    NotPlanned,
    NotReady,
    QueryTooHeavy,
    TooManyQueries,
    UnknownSplit,
    Unviewable,
)
from datasets_app.http.addresses import asset_address
from datasets_app.models import Snapshot, Split, State
from datasets_app.portal.filters import RELATIONS, Asked, asked_of
from datasets_app.portal.shown import shown_columns, shown_rows
from datasets_app.portal.snippets import stream_snippets
from datasets_app.queries.artifacts import ready_artifact
from datasets_app.queries.previews import preview_of
from datasets_app.queries.rows import Condition, Found, filtered, rows_of
from datasets_app.queries.search import searched
from datasets_app.queries.splits import snapshot_of, splits_of
from datasets_app.serving.cells import Page
from hub.http import links
from hub.portal.repo_page import RepoPage
from teams.http.origin import base_url
from teams.roles import Action

ROWS_A_PAGE = 50
MAX_PAGE_NUMBER = 10**12
MAX_COLUMNS = 200
Refused = (InvalidParameter, NotReady, QueryTooHeavy, TooManyQueries, Unviewable)


class ViewerPage(RepoPage):
    """What pages of a split share: which split, and the frame around it."""

    authz = {"get": Action.REPO_READ}
    tab = "viewer"
    view = "viewer"

    def chosen(self) -> tuple[Snapshot | None, Split | None, list[Split]]:
        """The snapshot, the split that the URL names (or the first), and all there are."""
        try:
            snapshot = snapshot_of(self.repo.pk, self.resolve().oid)
        except NotPlanned:
            return None, None, []
        splits = splits_of(snapshot)
        config, name = self.kwargs.get("config"), self.kwargs.get("split")
        if config is None:
            return snapshot, splits[0] if splits else None, splits
        for split in splits:
            if (split.config.name, split.name) == (config, name):
                return snapshot, split, splits
        raise UnknownSplit

    def around(self, split: Split | None, splits: Sequence[Split]) -> dict[str, Any]:
        """The choice of splits, and links to the other views."""
        url = self.split_url(split)
        views = [
            ("viewer", "Rows", url),
            ("statistics", "Columns", f"{url}/statistics"),
            ("sql", "SQL", f"{self.repo.url}/sql"),
            ("diff", "Changes", f"{self.repo.url}/row-changes"),
        ]
        return {
            "split": split,
            "splits": [(each, self.split_url(each), each == split) for each in splits],
            "views": [(label, to, key == self.view) for key, label, to in views],
            "rows_url": url,
        }

    def split_url(self, split: Split | None) -> str:
        if split is None:
            return f"{self.repo.url}/viewer"
        names = [quote(name, safe="") for name in (split.config.name, split.name)]
        return f"{self.repo.url}/viewer/{'/'.join(names)}"

    def waiting(self, snapshot: Snapshot | None, split: Split | None) -> dict[str, Any]:
        """Why there are no rows, in words."""
        failed = split or snapshot
        if failed is not None and failed.error_code:
            error = failed.error or {}
            where = [f"{key} {error[key]}" for key in ("path", "column", "row") if key in error]
            return {"problem": error.get("message", failed.error_code), "problem_at": where}
        return {"is_waiting": True}


class Viewer(ViewerPage):
    """GET /datasets/{name}/viewer[/{config}/{split}]: rows."""

    template = "datasets_app/viewer.html"

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        snapshot, split, splits = self.chosen()
        context = self.around(split, splits)
        if split is None or split.state != State.READY:
            preview = preview_of(split) if split else None
            context |= self.waiting(snapshot, split)
            if split and preview:
                context |= self._table(split, preview, Asked())
            return self.page(context)
        found = rows_of(self.repo, split)
        asked = asked_of(request.GET, found.features)
        try:
            context |= self._found(split, found, asked)
        except Refused as refusal:
            context |= self._form(found, asked) | {"refused": refusal.message}
        return self.page(context | self._snippets(split))

    def _found(self, split: Split, found: Found, asked: Asked) -> dict[str, Any]:
        number = self._number()
        start = (number - 1) * ROWS_A_PAGE
        total, numbers = self._numbers(split, found, asked, start)
        columns = found.columns[:MAX_COLUMNS]
        table = found.take(numbers, columns)
        shown = Page(table, numbers, {name: found.features[name] for name in columns})
        last = max((total - 1) // ROWS_A_PAGE + 1, 1)
        return (
            self._table(split, shown, asked)
            | self._form(found, asked)
            | {
                "total": total,
                "start": start,
                "end": start + len(numbers),
                "page_number": number,
                "last_page": last,
                "previous_url": self._url(asked, number - 1) if number > 1 else "",
                "next_url": self._url(asked, number + 1) if number < last else "",
                "more_columns": max(len(found.columns) - MAX_COLUMNS, 0),
            }
        )

    def _numbers(
        self, split: Split, found: Found, asked: Asked, start: int
    ) -> tuple[int, list[int]]:
        caller = str(self.principal.user.pk) if self.principal.user else ""
        if asked.search:
            artifact = ready_artifact(split, "fts")
            if artifact is None or not artifact.columns:
                raise NotReady("The texts of this split are not indexed yet.")
            return searched(self.repo, artifact, asked.search, (start, ROWS_A_PAGE), caller)
        if asked.where or asked.orderby:
            condition = Condition(asked.where, asked.orderby)
            return filtered(found, condition, start, ROWS_A_PAGE, caller)
        total = found.rows.num_rows
        return total, list(range(start, min(start + ROWS_A_PAGE, total)))

    def _table(self, split: Split, page: Page, asked: Asked) -> dict[str, Any]:
        artifact = ready_artifact(split, "statistics")
        address = asset_address(self.request, self.repo, split)
        statistics = artifact.content if artifact else None
        return {
            "columns": shown_columns(page.features, statistics),
            "rows": shown_rows(page, split, self.repo.url, address),
            "asked": asked,
        }

    def _form(self, found: Found, asked: Asked) -> dict[str, Any]:
        return {"names": found.columns[:MAX_COLUMNS], "relations": RELATIONS, "asked": asked}

    def _number(self) -> int:
        text = self.request.GET.get("p", "1")
        is_number = text.isascii() and text.isdigit() and len(text) < len(str(MAX_PAGE_NUMBER))
        return max(int(text), 1) if is_number else 1

    def _url(self, asked: Asked, number: int) -> str:
        query = {"where": asked.where, "orderby": asked.orderby, "search": asked.search}
        return links.with_query(self.request.path, query | {"p": str(number)})

    def _snippets(self, split: Split) -> dict[str, Any]:
        names = (self.repo.full_name, split.config.name, split.name)
        return {"snippets": stream_snippets(base_url(self.request), *names)}


class StatisticsPage(ViewerPage):
    """GET /datasets/{name}/viewer/{config}/{split}/statistics: what the columns are like."""

    template = "datasets_app/statistics.html"
    view = "statistics"

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        snapshot, split, splits = self.chosen()
        context = self.around(split, splits)
        if split is None or split.state != State.READY:
            return self.page(context | self.waiting(snapshot, split))
        artifact = ready_artifact(split, "statistics")
        found = rows_of(self.repo, split)
        columns = shown_columns(found.features, artifact.content if artifact else None)
        return self.page(context | {"columns": columns, "is_counted": artifact is not None})
