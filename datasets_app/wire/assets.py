"""Wire: the pictures and sounds in cells."""

from typing import Any
from urllib.parse import unquote

from django.http import HttpRequest, HttpResponse

from datasets_app.errors import UnknownSplit
from datasets_app.http.addresses import TOP
from datasets_app.models import Split, State
from datasets_app.queries.previews import preview_of
from datasets_app.queries.rows import rows_of
from datasets_app.serving.cells import dumped, values_of
from datasets_app.serving.media import UNKNOWN, medium_of
from hub.errors import EntryNotFound
from hub.http.bytes import SAFE_HEADERS
from hub.http.repo_views import OfRepo
from teams.http.views import WireView
from teams.roles import Action

AGE_SECONDS = 365 * 24 * 3600
_SAVED = frozenset({"application/pdf", UNKNOWN.media_type})
"""What a browser saves instead of showing it."""


class CellView(OfRepo, WireView):
    """A cell by its address: the snapshot is part of it, so what it holds never changes."""

    authz = {"get": Action.REPO_READ}

    def value(self) -> Any:
        """The value of the cell.

        Raises:
            UnknownSplit, EntryNotFound: there is no such cell.
        """
        asked = self.kwargs
        split = (
            Split.objects.select_related("config")
            .filter(
                config__snapshot_id=asked["snapshot"],
                config__snapshot__repo_id=self.repo.pk,
                config__name=asked["config"],
                name=asked["split"],
            )
            .first()
        )
        if split is None:
            raise UnknownSplit
        return self._cell(split, asked["row"], asked["column"])

    def _cell(self, split: Split, row: int, column: str) -> Any:
        # A page of first rows, shown before the split is ready, names cells too.
        preview = preview_of(split) if split.state != State.READY else None
        if preview is not None and column in preview.features and row < preview.table.num_rows:
            return values_of(preview.table[column].slice(row, 1))[0]
        found = rows_of(self.repo, split)
        if column not in found.features or row >= found.rows.num_rows:
            raise EntryNotFound("There is no such cell.")
        return values_of(found.rows.page(row, row + 1, [column])[column])[0]

    def keep(self, response: HttpResponse) -> HttpResponse:
        """Let caches keep it: everybody's, if everybody may read the repo."""
        is_open = not (self.repo.private or self.repo.gate)
        whose = "public" if is_open else "private"
        response["Cache-Control"] = f"{whose}, max-age={AGE_SECONDS}, immutable"
        for name, value in SAFE_HEADERS.items():
            response[name] = value
        response["Accept-Ranges"] = "none"
        return response


class Asset(CellView):
    """GET /datasets/{name}/assets/…/{row}/{column}/{steps}/{file}: the bytes of a medium."""

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        data = _bytes_at(self.value(), self.kwargs["steps"])
        medium = medium_of(data)
        response = HttpResponse(data, content_type=medium.media_type)
        kind = "attachment" if medium.media_type in _SAVED else "inline"
        response["Content-Disposition"] = f'{kind}; filename="file.{medium.suffix}"'
        return self.keep(response)


class Cell(CellView):
    """GET /datasets/{name}/cells/…/{row}/{column}: a cell whole, however long it is."""

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        return self.keep(HttpResponse(dumped(self.value()), content_type="application/json"))


def _bytes_at(value: Any, steps: str) -> bytes:
    """The medium at these steps within a cell."""
    for step in [] if steps == TOP else steps.split("."):
        value = _inside(value, unquote(step))
    data = value.get("bytes") if isinstance(value, dict) else value
    if not isinstance(data, bytes):
        raise EntryNotFound("There is no picture or sound here.")
    return data


def _inside(value: Any, step: str) -> Any:
    if isinstance(value, dict):
        return value.get(step)
    if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
        return value[int(step)]
    return None
