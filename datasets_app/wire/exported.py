"""Wire: the files of the export, below the hub's own API."""

from django.http import HttpRequest, HttpResponse

from datasets_app.errors import UnknownConfig, UnknownSplit
from datasets_app.http.addresses import export_url
from datasets_app.queries.facts import facts_of
from datasets_app.queries.splits import snapshot_of, splits_of
from hub.errors import EntryNotFound
from hub.http.repo_views import OfRepo
from teams.http.json_answer import JsonAnswer
from teams.http.views import WireView
from teams.roles import Action

SUFFIX = ".parquet"
Urls = dict[str, dict[str, list[str]]]


class OfExport(OfRepo, WireView):
    """What views of the export share: its URLs by config and split."""

    authz = {"get": Action.REPO_READ}

    def urls(self, request: HttpRequest) -> Urls:
        """The URLs of all files, by config and split."""
        snapshot = snapshot_of(self.repo.pk, self.resolve().oid)
        found: Urls = {}
        for facts in facts_of(splits_of(snapshot)):
            splits = found.setdefault(facts.config.name, {})
            for split, shard in facts.files:
                url = export_url(request, self.repo, shard.path)
                splits.setdefault(split.name, []).append(url)
        return found

    def of_split(self, request: HttpRequest) -> list[str]:
        """The URLs of the split that the route names.

        Raises:
            UnknownConfig, UnknownSplit: there is none.
        """
        splits = self.urls(request).get(self.kwargs["config"])
        if splits is None:
            raise UnknownConfig(f"Config {self.kwargs['config']!r} does not exist.")
        if self.kwargs["split"] not in splits:
            raise UnknownSplit(f"Split {self.kwargs['split']!r} does not exist.")
        return splits[self.kwargs["split"]]


class Exported(OfExport):
    """GET /api/datasets/{name}/parquet: all files."""

    def get(self, request: HttpRequest, **_: object) -> JsonAnswer:
        return JsonAnswer(self.urls(request))


class ExportedConfig(OfExport):
    """GET /api/datasets/{name}/parquet/{config}: those of one config."""

    def get(self, request: HttpRequest, **_: object) -> JsonAnswer:
        found = self.urls(request).get(self.kwargs["config"])
        if found is None:
            raise UnknownConfig(f"Config {self.kwargs['config']!r} does not exist.")
        return JsonAnswer(found)


class ExportedSplit(OfExport):
    """GET /api/datasets/{name}/parquet/{config}/{split}: those of one split."""

    def get(self, request: HttpRequest, **_: object) -> JsonAnswer:
        return JsonAnswer(self.of_split(request))


class ExportedFile(OfExport):
    """GET /api/datasets/{name}/parquet/{config}/{split}/{file}: on to one file, ``0.parquet`` …"""

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        urls = self.of_split(request)
        number = self.kwargs["file"].removesuffix(SUFFIX)
        if not number.isdecimal() or int(number) >= len(urls):
            raise EntryNotFound("There is no such file.")
        response = HttpResponse(status=302)
        response["Location"] = urls[int(number)]
        return response
