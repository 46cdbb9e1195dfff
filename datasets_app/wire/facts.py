"""Wire: parquet, size, info, and what else is known of a dataset as a whole."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse

from datasets_app.errors import Unviewable
from datasets_app.http.addresses import export_url
from datasets_app.http.viewer import ViewerView
from datasets_app.models import Snapshot, Split, State
from datasets_app.queries.artifacts import ready_artifact
from datasets_app.queries.facts import ConfigFacts, facts_of, info_of
from datasets_app.queries.rows import check_ready
from datasets_app.shape.libraries import formats_of, libraries_of, modalities_of
from datasets_app.wire.viewer import chosen, failed_configs
from hub.models import Repo

Json = dict[str, Any]


class OfDataset(ViewerView):
    """What is asked of a dataset, or of one ``config`` of it."""

    def facts(self) -> tuple[Snapshot, list[ConfigFacts]]:
        """The configs that are asked about.

        Raises:
            NotReady, Unviewable: the one that is asked about is not ready.
        """
        snapshot = self.snapshot()
        name = self.request.GET.get("config", "")
        found = facts_of(chosen(snapshot, name))
        if name:
            for split in found[0].splits:
                check_ready(split)
        return snapshot, found

    @property
    def is_of_config(self) -> bool:
        return bool(self.request.GET.get("config"))

    def unfinished(self, snapshot: Snapshot, facts: Sequence[ConfigFacts], kind: str) -> Json:
        """Which configs are not part of the answer, and why."""
        dataset = str(self.repo)
        pending = [
            {"kind": kind, "dataset": dataset, "config": one.config.name, "split": None}
            for one in facts
            if not one.is_ready and one.config.state != State.FAILED
        ]
        failed = failed_configs(dataset, snapshot)
        return {"pending": pending, "failed": failed, "partial": False}


class Parquet(OfDataset):
    """GET /parquet: the files of the export."""

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        snapshot, facts = self.facts()
        files = [
            {
                "dataset": str(self.repo),
                "config": split.config.name,
                "split": split.name,
                "url": export_url(request, self.repo, shard.path),
                "filename": shard.path.rpartition("/")[2],
                "size": shard.size,
            }
            for one in facts
            for split, shard in one.files
        ]
        if self.is_of_config:
            features = facts[0].features
            return self.answer({"parquet_files": files, "features": features, "partial": False})
        rest = self.unfinished(snapshot, facts, "config-parquet")
        return self.answer({"parquet_files": files, **rest})


class Size(OfDataset):
    """GET /size: rows and bytes."""

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        snapshot, facts = self.facts()
        ready = [one for one in facts if one.is_ready]
        configs = [_config_size(self.repo, one) for one in ready]
        splits = [_split_size(self.repo, one, split) for one in ready for split in one.splits]
        if self.is_of_config:
            return self.answer({"size": {"config": configs[0], "splits": splits}, "partial": False})
        whole = _total([split for one in ready for split in one.splits])
        size = {
            "dataset": {"dataset": str(self.repo), **whole},
            "configs": configs,
            "splits": splits,
        }
        return self.answer({"size": size, **self.unfinished(snapshot, facts, "config-size")})


class Info(OfDataset):
    """GET /info: what ``datasets`` wants to know before it reads a file."""

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        snapshot, facts = self.facts()
        infos = {one.config.name: info_of(one, self.repo.name) for one in facts if one.is_ready}
        if self.is_of_config:
            return self.answer({"dataset_info": infos[facts[0].config.name], "partial": False})
        rest = self.unfinished(snapshot, facts, "config-info")
        return self.answer({"dataset_info": infos, **rest})


class CompatibleLibraries(OfDataset):
    """GET /compatible-libraries: programs that read the dataset, each with the lines to do so."""

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        facts = self.facts()[1]
        return self.answer(
            {
                "libraries": libraries_of(str(self.repo), _splits_by_config(facts)),
                "formats": formats_of([one.config.builder for one in facts]),
            }
        )


class HubCache(OfDataset):
    """GET /hub-cache: what lists of datasets show."""

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        facts = self.facts()[1]
        splits = [split for one in facts for split in one.splits]
        ready = [split for split in splits if split.state == State.READY]
        features = [feature for one in facts for feature in one.features.values()]
        libraries = libraries_of(str(self.repo), _splits_by_config(facts))
        return self.answer(
            {
                "preview": bool(ready),
                "viewer": bool(ready),
                "partial": False,
                "num_rows": sum(split.num_rows or 0 for split in ready),
                "libraries": [library["library"] for library in libraries],
                "modalities": modalities_of(features),
                "formats": formats_of([one.config.builder for one in facts]),
            }
        )


class OptInOutUrls(ViewerView):
    """GET /opt-in-out-urls: only a service outside of any hub could tell."""

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        self.snapshot()
        raise Unviewable("NotSupportedError", "URLs are not looked up: no byte leaves this hub.")


class PresidioEntities(OfDataset):
    """GET /presidio-entities: personal data that patterns find in text columns."""

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        facts = self.facts()[1]
        found = [
            artifact.content
            for one in facts
            for split in one.splits
            if (artifact := ready_artifact(split, "personal")) and artifact.content
        ]
        if not found:
            raise Unviewable("ResponseNotReady", "Nobody has looked for personal data yet.")
        return self.answer(_personal(found))


def _personal(parts: Sequence[Json]) -> Json:
    columns = sorted({name for part in parts for name in part["scanned_columns"]})
    counts = {
        key: sum(part[key] for part in parts)
        for key, value in parts[0].items()
        if isinstance(value, int) and not isinstance(value, bool)
    }
    return {
        "scanned_columns": columns,
        "has_scanned_columns": bool(columns),
        "full_scan": all(part["full_scan"] for part in parts),
        **counts,
    }


def _splits_by_config(facts: Sequence[ConfigFacts]) -> dict[str, list[str]]:
    return {one.config.name: [split.name for split in one.splits] for one in facts}


def _config_size(repo: Repo, facts: ConfigFacts) -> Json:
    named = {"dataset": str(repo), "config": facts.config.name}
    return named | _total(facts.splits) | {"num_columns": len(facts.features)}


def _split_size(repo: Repo, facts: ConfigFacts, split: Split) -> Json:
    return {
        "dataset": str(repo),
        "config": facts.config.name,
        "split": split.name,
        "num_bytes_parquet_files": split.num_bytes_parquet or 0,
        "num_bytes_memory": split.num_bytes_memory or 0,
        "num_rows": split.num_rows or 0,
        "num_columns": len(facts.features),
        "estimated_num_rows": None,
    }


def _total(splits: Sequence[Split]) -> Json:
    return {
        "num_bytes_original_files": sum(split.num_bytes_original for split in splits),
        "num_bytes_parquet_files": sum(split.num_bytes_parquet or 0 for split in splits),
        "num_bytes_memory": sum(split.num_bytes_memory or 0 for split in splits),
        "num_rows": sum(split.num_rows or 0 for split in splits),
        "estimated_num_rows": None,
    }
