"""Which apps on one's own machine can run a model, told by its tags.

Source: the registry of local apps in Hugging Face's task definitions (``local-apps.ts``).
"""

from collections.abc import Iterable, Mapping

TagSets = tuple[frozenset[str], ...]
"""Alternatives: a model fits if it has all tags of at least one set."""

_GGUF: TagSets = (frozenset({"gguf"}),)
_TEXT_TASKS = ("text-generation", "image-text-to-text")
_SERVED: TagSets = tuple(
    frozenset({form, task})
    for form in ("transformers", "gguf", "awq", "gptq", "aqlm", "marlin")
    for task in _TEXT_TASKS
)
_DIFFUSERS: TagSets = (frozenset({"diffusers", "text-to-image"}),)
_WITH_LORA: TagSets = (*_DIFFUSERS, frozenset({"diffusers", "lora"}))

APPS: Mapping[str, TagSets] = {
    **dict.fromkeys(
        (
            "llama.cpp",
            "node-llama-cpp",
            "ollama",
            "localai",
            "jan",
            "nidum",
            "backyard",
            "sanctum",
            "msty",
            "recursechat",
            "docker-model-runner",
        ),
        _GGUF,
    ),
    "lmstudio": (*_GGUF, frozenset({"mlx"})),
    "vllm": _SERVED,
    "sglang": _SERVED,
    "mlx-lm": (frozenset({"mlx", "text-generation"}),),
    "tgi": (frozenset({"text-generation-inference"}),),
    "jellybox": (*_GGUF, *(tags | {"safetensors"} for tags in _WITH_LORA)),
    "drawthings": _WITH_LORA,
    "diffusionbee": _DIFFUSERS,
    "invoke": _DIFFUSERS,
    "joyfusion": (frozenset({"coreml", "joyfusion", "text-to-image"}),),
}


def runs_in(app: str, tags: Iterable[str]) -> bool:
    """Say whether a model with ``tags`` runs in ``app``."""
    present = set(tags)
    return any(wanted <= present for wanted in APPS[app])
