"""What to paste: lines that work as they stand."""

import ast

import pytest

from hub.cards.snippets import Subject, getting_started, snippets, uploads
from hub.names import RepoKind

HERE = "http://hub.test:8000"


def subject(kind: RepoKind = RepoKind.MODEL, **more: object) -> Subject:
    return Subject(kind, "ada/tiny", HERE, **more)  # type: ignore[arg-type]


def labels(of: Subject) -> list[str]:
    return [snippet.label for snippet in snippets(of)]


@pytest.mark.parametrize(
    ("library", "needed", "line"),
    [
        ("transformers", "config.json", 'AutoModel.from_pretrained("ada/tiny")'),
        ("diffusers", "model_index.json", 'DiffusionPipeline.from_pretrained("ada/tiny")'),
        ("sentence-transformers", "modules.json", 'SentenceTransformer("ada/tiny")'),
        ("peft", "adapter_config.json", 'AutoPeftModel.from_pretrained("ada/tiny")'),
    ],
)
def test_a_library_is_offered_only_what_it_can_load(library: str, needed: str, line: str) -> None:
    whole = subject(library=library, filenames=[needed])

    assert line in snippets(whole)[0].code
    assert labels(subject(library=library, filenames=["README.md"]))[0] == "hf"


def test_a_task_that_has_a_pipeline_is_shown_as_one() -> None:
    task = subject(library="transformers", filenames=["config.json"], pipeline_tag="fill-mask")

    assert 'pipeline("fill-mask", model="ada/tiny")' in snippets(task)[0].code


def test_an_adapter_is_put_on_the_model_that_it_adapts() -> None:
    adapter = subject(library="diffusers", filenames=["lora.safetensors"], base_model="ada/base")

    assert 'from_pretrained("ada/base")' in snippets(adapter)[0].code
    assert 'load_lora_weights("ada/tiny")' in snippets(adapter)[0].code


def test_a_dataset_without_data_is_not_loaded() -> None:
    empty = subject(RepoKind.DATASET, filenames=["README.md", ".gitattributes"])

    assert labels(empty) == ["hf", "Python", "git", "curl"]
    assert labels(subject(RepoKind.DATASET, filenames=["data"]))[0] == "datasets"


def test_a_kind_that_is_no_model_is_named() -> None:
    code = {snippet.label: snippet.code for snippet in snippets(subject(RepoKind.DATASET))}

    assert "hf download ada/tiny --repo-type dataset" in code["hf"]
    assert 'repo_type="dataset"' in code["Python"]
    assert f"git clone {HERE}/datasets/ada/tiny" in code["git"]


def test_a_private_repo_is_fetched_with_a_token() -> None:
    private = subject(filenames=["README.md"], needs_token=True)
    code = {snippet.label: snippet.code for snippet in snippets(private)}

    assert "hf auth login" in code["hf"]
    assert "Authorization: Bearer $HF_TOKEN" in code["curl"]


def test_curl_fetches_a_file_that_is_there_from_a_branch_that_needs_no_quoting() -> None:
    plain = subject(filenames=["README.md"], revision="trunk")

    assert snippets(plain)[-1].code == f"curl -LO {HERE}/ada/tiny/resolve/trunk/README.md"
    assert "curl" not in labels(subject(filenames=["x.bin"]))
    assert "curl" not in labels(subject(filenames=["README.md"], revision="try/$(x)"))


@pytest.mark.parametrize("kind", list(RepoKind))
def test_all_python_is_python(kind: RepoKind) -> None:
    files = ["config.json", "README.md"]
    written = [
        *snippets(subject(kind, library="transformers", filenames=files)),
        *uploads(subject(kind)),
        *getting_started(HERE),
    ]

    for snippet in written:
        assert HERE in snippet.code
        if snippet.language == "python":
            ast.parse(snippet.code)
