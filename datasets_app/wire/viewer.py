"""Wire: is-valid, splits, first-rows, rows."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from datasets_app.errors import NotReady, UnknownConfig, Unviewable
from datasets_app.http.addresses import asset_address
from datasets_app.http.viewer import MAX_PAGE, ViewerView
from datasets_app.models import Config, Snapshot, Split, State
from datasets_app.queries.artifacts import kinds_ready
from datasets_app.queries.previews import preview_of
from datasets_app.queries.rows import check_ready, rows_of
from datasets_app.queries.splits import split_of, splits_of
from datasets_app.serving.cells import Page, page_json

FIRST_ROWS_BYTES = 1024 * 1024


class IsValid(ViewerView):
    """GET /is-valid: what can be done with a dataset, a config or a split."""

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        snapshot = self.snapshot()
        splits = chosen(snapshot, request.GET.get("config", ""), request.GET.get("split", ""))
        kinds = kinds_ready(snapshot, splits)
        viewable = any(split.state == State.READY for split in splits)
        return self.answer(
            {
                "preview": viewable or "preview" in kinds,
                "viewer": viewable,
                "search": "fts" in kinds,
                "filter": viewable,
                "statistics": "statistics" in kinds,
            }
        )


class Splits(ViewerView):
    """GET /splits: the configs and splits of a dataset, or of one config."""

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        snapshot = self.snapshot()
        splits = chosen(snapshot, request.GET.get("config", ""))
        named = [
            {"dataset": str(self.repo), "config": split.config.name, "split": split.name}
            for split in splits
        ]
        failed = failed_configs(str(self.repo), snapshot) if not named else []
        return self.answer({"splits": named, "pending": [], "failed": failed})


class FirstRows(ViewerView):
    """GET /first-rows: the first rows of a split, also before it is converted."""

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        split = self.split()
        page = self._page(split)
        rest = {
            "dataset": str(self.repo),
            "config": split.config.name,
            "split": split.name,
            "truncated": split.num_rows is None or split.num_rows > len(page.numbers),
        }
        address = asset_address(request, self.repo, split)
        return self.answer(page_json(page, address, rest, FIRST_ROWS_BYTES))

    def _page(self, split: Split) -> Page:
        if split.state != State.READY and (preview := preview_of(split)):
            return preview
        found = rows_of(self.repo, split)
        table = found.page(0, MAX_PAGE)
        return Page(table, range(table.num_rows), found.features)


class Rows(ViewerView):
    """GET /rows: up to a hundred rows from ``offset`` on."""

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        offset, length = self.number("offset", 0), self.number("length", MAX_PAGE, MAX_PAGE)
        split = self.split()
        found = rows_of(self.repo, split)
        table = found.page(offset, offset + length)
        page = Page(table, range(offset, offset + table.num_rows), found.features)
        rest = paged(found.rows.num_rows)
        return self.answer(page_json(page, asset_address(request, self.repo, split), rest))


def paged(total: int) -> dict[str, Any]:
    """What every page of rows tells besides."""
    return {"num_rows_total": total, "num_rows_per_page": MAX_PAGE, "partial": False}


def chosen(snapshot: Snapshot, config: str = "", split: str = "") -> list[Split]:
    """The splits of a dataset, of a config, or the one that is named.

    Raises:
        UnknownConfig, UnknownSplit: there is none.
        NotReady, Unviewable: none is known yet, or ever.
    """
    if config and split:
        return [split_of(snapshot, config, split)]
    splits = splits_of(snapshot)
    if not config:
        if not splits:
            check_snapshot(snapshot)
        return splits
    of_config = [one for one in splits if one.config.name == config]
    if not of_config:
        row = Config.objects.filter(snapshot=snapshot, name=config).first()
        if row is None:
            raise UnknownConfig(f"Config {config!r} does not exist.")
        check_ready(row)
    return of_config


def check_snapshot(snapshot: Snapshot) -> None:
    """Refuse a dataset of which no split is known."""
    if snapshot.state == State.FAILED or snapshot.error_code:
        message = str((snapshot.error or {}).get("message", ""))
        raise Unviewable(snapshot.error_code or "ConfigNamesError", message)
    if snapshot.state != State.READY:
        raise NotReady


def failed_configs(dataset: str, snapshot: Snapshot) -> list[dict[str, Any]]:
    """The configs that could not be read, and why."""
    failed = Config.objects.filter(snapshot=snapshot, state=State.FAILED).order_by("ord")
    return [
        {
            "dataset": dataset,
            "config": config.name,
            "split": None,
            "error": {"error": str((config.error or {}).get("message", ""))},
        }
        for config in failed
    ]
