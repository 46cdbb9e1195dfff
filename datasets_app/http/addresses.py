"""Addresses below a dataset: of its exported files, of the media in its cells."""

from collections.abc import Sequence
from urllib.parse import quote

from django.http import HttpRequest

from datasets_app.models import Split
from datasets_app.serving.cells import Address
from hub.models import Repo
from teams.http.origin import base_url

VIEWER_HOST = "datasets-server."
"""What clients put before the hub's own host when they ask its viewer."""
EXPORT_REF = "refs%2Fconvert%2Fparquet"
TOP = "-"
"""The steps to a medium that is the cell itself."""


def hub_url(request: HttpRequest) -> str:
    """The address of the hub, for requests to the viewer's host too."""
    scheme, _, host = base_url(request).partition("://")
    return f"{scheme}://{host.removeprefix(VIEWER_HOST)}"


def export_url(request: HttpRequest, repo: Repo, path: str) -> str:
    """Where a file of the export can be downloaded."""
    return f"{hub_url(request)}/datasets/{repo}/resolve/{EXPORT_REF}/{quote(path)}"


def asset_address(request: HttpRequest, repo: Repo, split: Split) -> Address:
    """Answers the URLs of media in cells of a split."""
    config = split.config
    names = "/".join(_quoted(name) for name in (config.name, split.name))
    base = f"{hub_url(request)}/datasets/{repo}/assets/{config.snapshot_id}/{names}"

    def address(row: int, column: str, steps: Sequence[object], suffix: str) -> str:
        way = ".".join(_quoted(_step(step)) for step in steps) or TOP
        return f"{base}/{row}/{_quoted(column)}/{way}/file.{suffix}"

    return address


def _step(step: object) -> str:
    """A step is quoted once more: dots stand between steps."""
    return _quoted(str(step)).replace(".", "%2E")


def _quoted(text: str) -> str:
    return quote(text, safe="")
