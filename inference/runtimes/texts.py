"""How transformers is told to read a folder, and how long a text a model has places for."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

OF_FOLDER: Mapping[str, Any] = {"trust_remote_code": False, "local_files_only": True}
"""Nothing of a config leads out of the folder, and no code is run."""

_NOBODY_KNOWS = 512
_SAID_IN_EARNEST = 1_000_000
"""Tokenizers that were told no length say one with thirty digits."""
_BEFORE_THE_FIRST = 2
"""Some models count their places from the one of padding on."""


def longest_of(tokenizer: Any, config: Any) -> int:
    """Tokens that a text may have: as its tokenizer says, else as the model has places."""
    told = int(tokenizer.model_max_length)
    places = getattr(config, "max_position_embeddings", None)
    if told < _SAID_IN_EARNEST:
        return min(told, int(places or told))
    return int(places) - _BEFORE_THE_FIRST if places else _NOBODY_KNOWS


def batched(texts: Sequence[str], most: int) -> Iterator[Sequence[str]]:
    """Cut into runs of ``most``."""
    return (texts[start : start + most] for start in range(0, len(texts), most))
