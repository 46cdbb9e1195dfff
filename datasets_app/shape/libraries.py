"""Which programs read a dataset, and what its columns hold: words that lists and pages show."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_MODALITIES = {
    "Image": "image",
    "Audio": "audio",
    "Video": "video",
    "Pdf": "document",
    "Array2D": "tabular",
}
_FORMATS = {
    "parquet": "parquet",
    "csv": "csv",
    "json": "json",
    "text": "text",
    "arrow": "arrow",
    "imagefolder": "imagefolder",
    "audiofolder": "audiofolder",
    "videofolder": "videofolder",
    "pdffolder": "documentfolder",
    "webdataset": "webdataset",
}
_OF_VALUES = (
    (("string", "large_string"), "text"),
    (("int", "uint", "float", "double", "decimal", "bool"), "tabular"),
)


def libraries_of(dataset: str, configs: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """Each program with the lines that load every config; ``configs`` names their splits."""
    lines = {
        "datasets": ("load_dataset", _datasets),
        "pandas": ("pd.read_parquet", _pandas),
        "polars": ("pl.read_parquet", _polars),
    }
    return [
        {
            "language": "python",
            "library": library,
            "function": function,
            "loading_codes": [
                {
                    "config_name": config,
                    "arguments": {"config_name": config} if len(configs) > 1 else {},
                    "code": write(dataset, config, splits, len(configs) > 1),
                }
                for config, splits in configs.items()
                if splits
            ],
        }
        for library, (function, write) in lines.items()
    ]


def formats_of(builders: Iterable[str]) -> list[str]:
    """What kind of files it is made of."""
    return sorted({_FORMATS[builder] for builder in builders if builder in _FORMATS})


def modalities_of(features: Iterable[Any]) -> list[str]:
    """What its columns hold, as filters of lists name it."""
    found: set[str] = set()
    for feature in features:
        found |= _within(feature)
    return sorted(found)


def _within(feature: Any) -> set[str]:
    if isinstance(feature, list):
        return {found for part in feature for found in _within(part)}
    kind = feature.get("_type")
    if not isinstance(kind, str):
        return {found for part in feature.values() for found in _within(part)}
    if kind == "Value":
        dtype = str(feature.get("dtype", ""))
        return {word for words, word in _OF_VALUES if dtype.startswith(words)}
    if "feature" in feature:
        return _within(feature["feature"])
    return {_MODALITIES[kind]} if kind in _MODALITIES else set()


def _datasets(dataset: str, config: str, _splits: Sequence[str], several: bool) -> str:  # noqa: FBT001
    named = f', "{config}"' if several else ""
    return f'from datasets import load_dataset\n\nds = load_dataset("{dataset}"{named})'


def _pandas(dataset: str, config: str, splits: Sequence[str], _several: bool) -> str:  # noqa: FBT001
    return f'import pandas as pd\n\ndf = pd.read_parquet("{_exported(dataset, config, splits)}")'


def _polars(dataset: str, config: str, splits: Sequence[str], _several: bool) -> str:  # noqa: FBT001
    return f'import polars as pl\n\ndf = pl.read_parquet("{_exported(dataset, config, splits)}")'


def _exported(dataset: str, config: str, splits: Sequence[str]) -> str:
    return f"hf://datasets/{dataset}@refs%2Fconvert%2Fparquet/{config}/{splits[0]}/*.parquet"
