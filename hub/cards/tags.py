"""The tags by which lists filter repos, derived from card, config and the names of files."""

import re
from collections.abc import Callable, Collection, Iterator
from itertools import chain, islice

from hub.cards.architectures import Config, architectures_of, diffusers_class_of, is_usable, texts
from hub.cards.libraries import Metadata, formats_of, library_of, pipeline_tag_of
from hub.cards.vocabularies import BASE_MODEL_RELATIONS
from hub.names import RepoKind

MAX_TAGS = 500
MAX_FILES = 10_000
"""A repo with more files is judged by the first of them."""

_ARXIV = re.compile(
    r"(?:arxiv\.org/(?:abs|pdf|html)/|huggingface\.co/papers/|hf\.co/papers/|arxiv:\s?)"
    r"([0-9]{4}\.[0-9]{4,5})(?![0-9])",
    re.IGNORECASE,
)
_MAX_PAPERS = 50
_QUANTIZED = frozenset(
    {"gguf", "gptq", "awq", "exl2", "exl3", "mlx", "4-bit", "8-bit", "bitsandbytes"}
)
_ADAPTER = frozenset({"lora", "peft", "adapter", "dora", "textual_inversion"})

# The key in the metadata is the prefix of the tag.
_DATASET_KEYS = (
    "task_categories",
    "task_ids",
    "annotations_creators",
    "language_creators",
    "multilinguality",
    "source_datasets",
    "language",
    "license",
    "size_categories",
)

_DATA_FORMATS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(rf".+\.(?:{suffixes})(?:\.(?:gz|zst|bz2|xz))?", re.IGNORECASE))
    for name, suffixes in (
        ("parquet", "parquet"),
        ("arrow", "arrow"),
        ("json", "json|jsonl|ndjson"),
        ("csv", "csv|tsv"),
        ("webdataset", "tar"),
        ("text", "txt"),
    )
)
_MEDIA: tuple[tuple[str, str, re.Pattern[str]], ...] = tuple(
    (modality, name, re.compile(rf".+\.(?:{suffixes})", re.IGNORECASE))
    for modality, name, suffixes in (
        ("image", "imagefolder", "png|jpe?g|gif|webp|bmp|tiff?"),
        ("audio", "audiofolder", "wav|mp3|flac|ogg|opus|m4a|aac"),
        ("video", "videofolder", "mp4|webm|mkv|mov|avi"),
        ("3d", "", "obj|glb|gltf|ply|stl"),
        ("document", "pdffolder", "pdf"),
    )
)
# Files that are about the data, not of it.
_NO_DATA = re.compile(
    r"(?:.*/)?(?:dataset_infos\.json|requirements\.txt|license\.txt|readme\.txt|\..+)",
    re.IGNORECASE,
)


def tags_of(
    kind: RepoKind,
    metadata: Metadata,
    *,
    filenames: Collection[str],
    config: Config,
    body: str = "",
) -> list[str]:
    """All tags of a repo, each once, in the order in which a reader wants to see them."""
    names = list(islice(filenames, MAX_FILES))
    every_tag = _BY_KIND[kind](metadata, names, config)
    papers = (f"arxiv:{paper}" for paper in papers_in(body))
    usable = filter(is_usable, chain(every_tag, papers))
    # The hub's own region tag: clients show it, and filters by region expect one.
    return [*dict.fromkeys(islice(usable, MAX_TAGS)), "region:us"]


def papers_in(body: str) -> list[str]:
    """The arXiv papers that a text names, in order, without their versions."""
    found = dict.fromkeys(match[1] for match in _ARXIV.finditer(body))
    return list(islice(found, _MAX_PAPERS))


def base_model_relation(
    metadata: Metadata, config: Config, filenames: Collection[str]
) -> str | None:
    """How a model came from its base models: as the card says, else as it looks."""
    bases = texts(metadata.get("base_model"))
    if not bases:
        return None
    for named in texts(metadata.get("base_model_relation")):
        if named in BASE_MODEL_RELATIONS:
            return named
    tags = {tag.lower() for tag in texts(metadata.get("tags"))}
    library = library_of(metadata, config, filenames)
    if library == "peft" or tags & _ADAPTER:
        return "adapter"
    if library in _QUANTIZED or tags & _QUANTIZED or "quantization_config" in config:
        return "quantized"
    return "merge" if len(bases) > 1 else "finetune"


def _of_model(metadata: Metadata, filenames: Collection[str], config: Config) -> Iterator[str]:
    yield from filter(None, [library_of(metadata, config, filenames)])
    yield from formats_of(filenames)
    if pipeline := diffusers_class_of(config):
        yield f"diffusers:{pipeline}"
    if architectures_of(config):
        yield from texts(config.get("model_type"))
    yield from filter(None, [pipeline_tag_of(metadata, config, filenames)])
    yield from texts(metadata.get("tags"))
    yield from ["custom_code"] if isinstance(config.get("auto_map"), dict) else []
    yield from ["model-index"] if metadata.get("model-index") else []
    yield from texts(metadata.get("language"))
    yield from (f"dataset:{name}" for name in texts(metadata.get("datasets")))
    yield from _of_base_models(metadata, filenames, config)
    yield from (f"license:{name}" for name in texts(metadata.get("license")))


def _of_base_models(
    metadata: Metadata, filenames: Collection[str], config: Config
) -> Iterator[str]:
    relation = base_model_relation(metadata, config, filenames)
    for base in texts(metadata.get("base_model")):
        yield f"base_model:{base}"
        yield f"base_model:{relation}:{base}"


def _of_dataset(metadata: Metadata, filenames: Collection[str], _config: Config) -> Iterator[str]:
    for key in _DATASET_KEYS:
        yield from (f"{key}:{value}" for value in texts(metadata.get(key)))
    data = [name for name in filenames if not _NO_DATA.fullmatch(name)]
    yield from _of_data_files(data)
    yield from texts(metadata.get("tags"))


def _of_data_files(data: Collection[str]) -> Iterator[str]:
    media = [row for row in _MEDIA if any(row[2].fullmatch(name) for name in data)]
    tables = [name for name, pattern in _DATA_FORMATS if any(map(pattern.fullmatch, data))]
    # Beside pictures, a table is their metadata.
    formats = [folder for _, folder, _ in media if folder] or tables[:1]
    yield from (f"format:{name}" for name in formats)
    yield from (f"modality:{modality}" for modality, _, _ in media)
    if formats:
        yield "library:datasets"
    if not media and formats and formats[0] in {"parquet", "csv", "json"}:
        yield "library:pandas"
        yield "library:polars"


def _of_space(metadata: Metadata, _filenames: Collection[str], _config: Config) -> Iterator[str]:
    yield from texts(metadata.get("sdk"))
    yield from texts(metadata.get("tags"))
    yield from (f"license:{name}" for name in texts(metadata.get("license")))


_BY_KIND: dict[RepoKind, Callable[[Metadata, Collection[str], Config], Iterator[str]]] = {
    RepoKind.MODEL: _of_model,
    RepoKind.DATASET: _of_dataset,
    RepoKind.SPACE: _of_space,
}
