"""Which library loads a model and for which task, told by its card, its files and its config.

All tables are read from the top; the first entry that fits wins.
"""

import re
from collections.abc import Collection, Iterator, Mapping

from hub.cards.architectures import (
    Config,
    architectures_of,
    custom_class_of,
    loader_of,
    task_of_architectures,
    task_of_diffusers,
    texts,
)
from hub.cards.vocabularies import LIBRARIES, PIPELINE_TAGS

Metadata = Mapping[str, object]
Rows = tuple[tuple[str, re.Pattern[str]], ...]


def _table(rows: tuple[tuple[str, str], ...]) -> Rows:
    return tuple((name, re.compile(pattern)) for name, pattern in rows)


_BY_FILE = _table(
    (
        ("diffusers", r"model_index\.json"),
        ("setfit", r"config_setfit\.json"),
        ("sentence-transformers", r"(modules|\w*sentence_\w+)\.json"),
        ("peft", r"adapter_config\.json"),
        ("open_clip", r"open_clip_(config\.json|pytorch_model\.bin|model\.safetensors)"),
    )
)
_BY_WEIGHTS = _table(
    (
        ("gguf", r".+\.gguf"),
        ("keras", r"[^/]+\.keras|keras_metadata\.pb"),
        ("nemo", r"[^/]+\.nemo"),
        ("tflite", r"[^/]+\.tflite"),
    )
)
_FORMATS = _table(
    (
        ("pytorch", r"(.*/)?[^/]*pytorch_model[^/]*\.bin|.+\.(pt|pth|ckpt)"),
        ("tf", r"(.*/)?(tf_model[^/]*\.h5|saved_model\.pb)"),
        ("jax", r"(.*/)?flax_model[^/]*\.msgpack"),
        ("rust", r"(.*/)?rust_model\.ot"),
        ("onnx", r".+\.onnx"),
        ("openvino", r"(.*/)?openvino_[^/]*\.xml"),
        ("coreml", r".+\.(mlmodel|mlpackage/.+)"),
        ("tflite", r".+\.tflite"),
        ("tensorboard", r".*tfevents.*"),
        ("safetensors", r".+\.safetensors"),
        ("gguf", r".+\.gguf"),
        ("joblib", r".+\.joblib"),
        ("keras", r".+\.keras"),
    )
)

_TASK_OF_LIBRARY: dict[str, str] = {
    "sentence-transformers": "sentence-similarity",
    "setfit": "text-classification",
    "open_clip": "zero-shot-image-classification",
    "timm": "image-classification",
}

_AUDIO_TYPES = frozenset(
    {"wav2vec2", "hubert", "wavlm", "whisper", "audio-spectrogram-transformer"}
)
_PROCESSOR_FILES = frozenset({"preprocessor_config.json", "processor_config.json"})
_TOKENIZER_FILES = frozenset({"tokenizer_config.json", "tokenizer.json", "vocab.txt", "vocab.json"})


def formats_of(filenames: Collection[str]) -> list[str]:
    """The formats of the weights that a repo holds."""
    return list(_fitting(_FORMATS, filenames))


def tells(filename: str) -> bool:
    """Say whether a file's mere name tells more of a model than the format of its weights."""
    if filename in _TOKENIZER_FILES | _PROCESSOR_FILES or any(_fitting(_BY_FILE, [filename])):
        return True
    return any(_fitting(_BY_WEIGHTS, [filename])) and not formats_of([filename])


def library_of(metadata: Metadata, config: Config, filenames: Collection[str]) -> str | None:
    """The library a model is made for: what its card says, else what its files look like."""
    return next(_libraries(metadata, config, filenames), None)


def _libraries(metadata: Metadata, config: Config, filenames: Collection[str]) -> Iterator[str]:
    yield from texts(metadata.get("library_name"))[:1]
    yield from _fitting(_BY_FILE, filenames)
    if architectures_of(config) or texts(config.get("model_type")):
        yield "transformers"
    if "architecture" in config and "pretrained_cfg" in config:
        yield "timm"
    yield from _fitting(_BY_WEIGHTS, filenames)
    yield from (tag for tag in texts(metadata.get("tags")) if tag in LIBRARIES)


def _fitting(rows: Rows, filenames: Collection[str]) -> Iterator[str]:
    return (name for name, pattern in rows if any(map(pattern.fullmatch, filenames)))


def pipeline_tag_of(metadata: Metadata, config: Config, filenames: Collection[str]) -> str | None:
    """The task of a model: what its card says, else what its library and config tell.

    For diffusers, ``config`` holds model_index.json, as it is or under the key ``diffusers``.
    """
    tags = texts(metadata.get("tags"))
    named = [
        *texts(metadata.get("pipeline_tag")),
        *(task for task in PIPELINE_TAGS if task in tags),
    ]
    if named:
        return named[0]
    library = library_of(metadata, config, filenames) or ""
    if library == "diffusers":
        return task_of_diffusers(config)
    return _TASK_OF_LIBRARY.get(library) or task_of_architectures(config)


def transformers_info(
    metadata: Metadata, config: Config, filenames: Collection[str]
) -> dict[str, str] | None:
    """How transformers loads a model, or ``None`` when it doesn't.

    Clients take the keys ``auto_model``, ``custom_class``, ``pipeline_tag`` and ``processor``
    alone, and fail on any other.
    """
    if library_of(metadata, config, filenames) != "transformers":
        return None
    info = {
        "auto_model": loader_of(config),
        "custom_class": custom_class_of(config),
        "pipeline_tag": task_of_architectures(config),
        "processor": _processor_of(config, filenames),
    }
    return {key: value for key, value in info.items() if value}


def _processor_of(config: Config, filenames: Collection[str]) -> str | None:
    has_tokenizer = not _TOKENIZER_FILES.isdisjoint(filenames)
    if not _PROCESSOR_FILES.isdisjoint(filenames):
        if has_tokenizer or "processor_config.json" in filenames:
            return "AutoProcessor"
        is_audio = _AUDIO_TYPES.intersection(texts(config.get("model_type")))
        return "AutoFeatureExtractor" if is_audio else "AutoImageProcessor"
    return "AutoTokenizer" if has_tokenizer else None
