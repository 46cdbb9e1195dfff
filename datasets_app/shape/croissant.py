"""A dataset in the words of Croissant 1.1 (http://mlcommons.org/croissant/1.1)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

VERSION = "http://mlcommons.org/croissant/1.1"
MAX_CONFIGS = 100
MAX_COLUMNS = 1000
Json = dict[str, Any]

CONTEXT: Json = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataBiases": "cr:dataBiases",
    "dataCollection": "cr:dataCollection",
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "personalSensitiveInformation": "cr:personalSensitiveInformation",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_TYPES = {
    "string": "sc:Text",
    "large_string": "sc:Text",
    "bool": "sc:Boolean",
    "date32": "sc:Date",
    "date64": "sc:Date",
    "float16": "cr:Float16",
    "float32": "cr:Float32",
    "float64": "cr:Float64",
    **{
        f"{sign}int{bits}": f"cr:{'U' * bool(sign)}Int{bits}"
        for sign in ("", "u")
        for bits in (8, 16, 32, 64)
    },
}
_MEDIA = {"Image": "sc:ImageObject", "Audio": "sc:AudioObject", "Video": "sc:VideoObject"}


@dataclass(frozen=True, slots=True)
class Described:
    """A config: its splits, and the feature of each column in order."""

    name: str
    splits: Sequence[str]
    features: Mapping[str, Any]


def crumbs(dataset_url: str, configs: Sequence[Described]) -> Json:
    """What can be said of the data itself: files and fields."""
    configs = configs[:MAX_CONFIGS]
    names = _Names()
    repo: Json = {
        "@type": "cr:FileObject",
        "@id": "repo",
        "name": "repo",
        "description": "The hub's git repository.",
        "contentUrl": f"{dataset_url}/tree/refs%2Fconvert%2Fparquet",
        "encodingFormat": "git+https",
        "sha256": "https://github.com/mlcommons/croissant/issues/80",
    }
    distribution, records = [repo], []
    for config in configs:
        unique = names.of(config.name)
        distribution.append(_files(config, unique))
        records.append(_splits(config, unique))
        records.append(_fields(config, unique))
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": VERSION,
        "distribution": distribution,
        "recordSet": records,
    }


class _Names:
    """Identifiers may hold few characters, and none may come twice."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def of(self, name: str) -> str:
        base = re.sub(r"[^a-zA-Z0-9\-_.]", "_", name) or "_"
        found, at = base, 0
        while found in self._taken:
            at += 1
            found = f"{base}_{at}"
        self._taken.add(found)
        return found


def _files(config: Described, unique: str) -> Json:
    return {
        "@type": "cr:FileSet",
        "@id": f"parquet-files-for-config-{unique}",
        "containedIn": {"@id": "repo"},
        "encodingFormat": "application/x-parquet",
        "includes": f"{config.name}/*/*.parquet",
    }


def _splits(config: Described, unique: str) -> Json:
    name = f"{unique}_splits"
    field = {
        "@type": "cr:Field",
        "@id": f"{name}/split_name",
        "dataType": "sc:Text",
    }
    return {
        "@type": "cr:RecordSet",
        "dataType": "cr:Split",
        "key": {"@id": f"{name}/split_name"},
        "@id": name,
        "name": name,
        "description": f"Splits for the {config.name} config.",
        "field": [field],
        "data": [{f"{name}/split_name": split} for split in config.splits],
    }


def _fields(config: Described, unique: str) -> Json:
    taken = _Names()
    shown = list(config.features.items())[:MAX_COLUMNS]
    splits = "|".join(re.escape(split) for split in config.splits)
    files = {"@id": f"parquet-files-for-config-{unique}"}
    split_field = {
        "@type": "cr:Field",
        "@id": f"{unique}/{taken.of('split')}",
        "dataType": "sc:Text",
        "source": {
            "fileSet": files,
            "extract": {"fileProperty": "fullpath"},
            "transform": {"regex": f"{re.escape(config.name)}/(?:partial-)?({splits})/.+parquet$"},
        },
        "references": {"field": {"@id": f"{unique}_splits/split_name"}},
    }
    fields = [_field(unique, taken.of(name), name, feature, files) for name, feature in shown]
    return {
        "@type": "cr:RecordSet",
        "@id": unique,
        "description": _told(config, len(shown)),
        "field": [split_field, *fields],
    }


def _told(config: Described, shown: int) -> str:
    left = len(config.features) - shown
    more = f" {left} more columns are not listed." if left else ""
    return f"{config.name} subset.{more}"


def _field(unique: str, identifier: str, column: str, feature: Any, files: Json) -> Json:
    inner, shape = _unwrapped(feature)
    found: Json = {"@type": "cr:Field", "@id": f"{unique}/{identifier}"}
    source: Json = {"fileSet": files, "extract": {"column": column}}
    kind = inner.get("_type") if isinstance(inner, Mapping) else None
    if isinstance(inner, Mapping) and not isinstance(kind, str):
        taken = _Names()
        found["subField"] = [
            _field(f"{unique}/{identifier}", taken.of(name), column, part, files)
            for name, part in inner.items()
        ]
    else:
        found["dataType"] = _type_of(inner)
        if kind in _MEDIA:
            source["transform"] = {"jsonPath": "bytes"}
    found["source"] = source
    if shape:
        found |= {"isArray": True, "arrayShape": ",".join(map(str, shape))}
    return found


def _unwrapped(feature: Any) -> tuple[Any, list[int]]:
    """What lists hold at last, and how long each list is (-1: any length)."""
    shape: list[int] = []
    while True:
        if isinstance(feature, list) and feature:
            shape.append(-1)
            feature = feature[0]
        elif isinstance(feature, Mapping) and feature.get("_type") in {
            "List",
            "LargeList",
            "Sequence",
        }:
            shape.append(feature.get("length", -1))
            feature = feature["feature"]
        else:
            return feature, shape


def _type_of(feature: Any) -> str:
    kind = feature.get("_type") if isinstance(feature, Mapping) else ""
    if kind == "ClassLabel":
        return "cr:Int64"
    if kind in _MEDIA:
        return _MEDIA[kind]
    dtype = str(feature.get("dtype", "")) if isinstance(feature, Mapping) else ""
    if dtype.startswith("timestamp"):
        return "sc:DateTime"
    return _TYPES.get(dtype, "sc:Text")
