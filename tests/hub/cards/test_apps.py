import pytest

from hub.cards.apps import runs_in


@pytest.mark.parametrize(
    ("app", "tags", "runs"),
    [
        ("ollama", {"gguf"}, True),
        ("ollama", {"safetensors"}, False),
        ("lmstudio", {"mlx"}, True),
        ("vllm", {"transformers", "text-generation"}, True),
        ("vllm", {"transformers", "fill-mask"}, False),
        ("jellybox", {"diffusers", "lora", "safetensors"}, True),
        ("jellybox", {"diffusers", "lora"}, False),
    ],
)
def test_an_app_runs_models_with_the_tags_that_it_needs(
    app: str,
    tags: set[str],
    runs: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    assert runs_in(app, tags) is runs
