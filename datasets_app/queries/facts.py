"""What is known of a dataset as a whole: its sizes, its schema, its files."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from datasets_app.models import Config, Shard, Split, State
from datasets_app.serving.features import Feature, features_of


@dataclass(frozen=True, slots=True)
class ConfigFacts:
    """A config, its splits and their files of the export."""

    config: Config
    splits: Sequence[Split]
    files: Sequence[tuple[Split, Shard]]
    features: dict[str, Feature]

    @property
    def is_ready(self) -> bool:
        return all(split.state == State.READY for split in self.splits)


def facts_of(splits: Iterable[Split]) -> list[ConfigFacts]:
    """The facts of the configs that these splits belong to, in their order."""
    splits = list(splits)
    files = _exported(splits)
    by_config: dict[int, list[Split]] = {}
    for split in splits:
        by_config.setdefault(split.config_id, []).append(split)
    return [
        ConfigFacts(
            of_config[0].config,
            of_config,
            [(split, shard) for split in of_config for shard in files.get(split.pk, ())],
            config_features(of_config[0].config),
        )
        for of_config in by_config.values()
    ]


def config_features(config: Config) -> dict[str, Feature]:
    """The features of a config's columns, in order; none before they are known."""
    if not config.arrow_schema:
        return dict(config.features or {})
    import pyarrow as pa  # noqa: PLC0415 - a hub without datasets never pays for it

    schema = pa.ipc.read_schema(pa.py_buffer(bytes(config.arrow_schema)))
    return features_of(schema, config.features)


def _exported(splits: Sequence[Split]) -> dict[int, list[Shard]]:
    ready = [split.pk for split in splits if split.state == State.READY]
    rows = (
        Shard.objects.filter(split__in=ready)
        .exclude(kind=Shard.Kind.REPACK)
        .only("split_id", "path", "size")
        .order_by("path")
    )
    found: dict[int, list[Shard]] = {}
    for shard in rows:
        found.setdefault(shard.split_id, []).append(shard)
    return found


def info_of(facts: ConfigFacts, dataset_name: str) -> dict[str, Any]:
    """A config in the shape of ``DatasetInfo``."""
    sizes = [split.num_bytes_memory or 0 for split in facts.splits]
    return {
        "description": "",
        "citation": "",
        "homepage": "",
        "license": "",
        "features": facts.features,
        "builder_name": facts.config.builder,
        "dataset_name": dataset_name,
        "config_name": facts.config.name,
        "version": {"version_str": "0.0.0", "major": 0, "minor": 0, "patch": 0},
        "splits": {
            split.name: {
                "name": split.name,
                "num_bytes": split.num_bytes_memory or 0,
                "num_examples": split.num_rows or 0,
                "dataset_name": dataset_name,
            }
            for split in facts.splits
        },
        "download_size": sum(split.num_bytes_original for split in facts.splits),
        "dataset_size": sum(sizes),
    }
