import pytest
from huggingface_hub import DatasetCard, EvalResult, ModelCard, ModelCardData

from hub.cards.schema import EMPTY_METADATA, check_metadata, check_readme
from hub.names import RepoKind


@pytest.mark.parametrize(
    ("kind", "metadata", "error"),
    [
        ("model", {"license": "lol"}, '"license" must be one of [apache-2.0, mit, '),
        ("model", {"license": ["mit", "lol"]}, '"license[1]" must be one of ['),
        ("model", {"license": {"a": 1}}, '"license" must be one of ['),
        ("model", {"tags": "one"}, '"tags" must be an array'),
        ("model", {"tags": [1]}, '"tags[0]" must be a string'),
        ("model", {"pipeline_tag": 3}, '"pipeline_tag" must be a string'),
        ("model", {"language": "english"}, '"language" with value "english" is not valid'),
        ("model", {"language": ["en", "EN"]}, '"language[1]" with value "EN" is not valid'),
        ("model", {"base_model_relation": "child"}, '"base_model_relation" must be one of'),
        ("model", {"model-index": {}}, '"model-index" must be an array'),
        ("model", {"model-index": [{"results": []}]}, '"model-index[0].name" is required'),
        ("dataset", {"configs": {"a": 1}}, '"configs" must be an array'),
        ("dataset", {"configs": [{}]}, '"configs[0].config_name" is required'),
        ("dataset", {"dataset_info": "x"}, '"dataset_info" must be of type object'),
        ("dataset", {"viewer": "yes"}, '"viewer" must be a boolean'),
        ("space", {"sdk": "rails"}, '"sdk" must be one of [gradio, docker, static, streamlit]'),
        ("space", {"colorTo": "mauve"}, '"colorTo" must be one of ['),
        ("space", {"short_description": "x" * 61}, "at most 60 characters"),
    ],
)
def test_wrong_metadata_is_an_error(kind: str, metadata: dict[str, object], error: str) -> None:
    report = check_metadata(RepoKind(kind), metadata)

    assert not report.is_valid
    assert error in report.errors[0]


@pytest.mark.parametrize(
    ("kind", "metadata"),
    [
        ("model", {"pipeline_tag": "mind-reading"}),
        ("model", {"base_model": "not a name"}),
        ("model", {"datasets": ["a/b/c"]}),
        ("model", {"license": "other", "license_name": "My License"}),
        ("dataset", {"task_categories": ["mind-reading"]}),
        ("dataset", {"size_categories": "many"}),
    ],
)
def test_unheard_of_words_are_a_warning(kind: str, metadata: dict[str, object]) -> None:
    report = check_metadata(RepoKind(kind), metadata)

    assert report.is_valid
    assert len(report.warnings) == 1


@pytest.mark.parametrize(
    ("kind", "metadata"),
    [
        ("model", {"license": "mit", "language": "no", "tags": ["x"], "pipeline_tag": "fill-mask"}),
        ("model", {"language": ["en", "zho", "code", "multilingual"], "base_model": "a/b"}),
        ("model", {"anything": {"else": [1]}, "license": None, "tags": None}),
        ("dataset", {"license": ["mit", "cc-by-4.0"], "size_categories": ["10K<n<100K"]}),
        ("dataset", {"dataset_info": [{"config_name": "a"}], "configs": [{"config_name": "a"}]}),
        ("space", {"title": "T", "sdk": "gradio", "emoji": "x", "pinned": False}),
    ],
)
def test_good_metadata_passes_in_silence(kind: str, metadata: dict[str, object]) -> None:
    report = check_metadata(RepoKind(kind), metadata)

    assert (report.errors, report.warnings) == ((), ())


@pytest.mark.parametrize("text", ["", "# Title", "---\n---\n", "---\n{}\n---\n"])
def test_empty_metadata_is_a_warning(text: str) -> None:
    report = check_readme(RepoKind.MODEL, text)

    assert report.is_valid
    assert report.warnings == (EMPTY_METADATA,)


def test_unreadable_metadata_is_an_error() -> None:
    assert "Invalid YAML" in check_readme(RepoKind.MODEL, "---\na: [\n---\n").errors[0]


def test_report_as_text_is_what_the_client_shows() -> None:
    text = check_readme(RepoKind.MODEL, "---\nlicense: lol\n---\n").as_text()

    assert text.startswith('- Error: "license" must be one of [')


def test_endless_mistakes_give_a_short_report() -> None:
    assert len(check_metadata(RepoKind.MODEL, {"tags": [1] * 10_000}).errors) == 50


def test_card_made_by_the_client_passes() -> None:
    result = EvalResult("image-classification", "beans", "Beans", "accuracy", 0.9)
    data = ModelCardData(license="mit", model_name="m", eval_results=[result], tags=["a"])

    report = check_readme(RepoKind.MODEL, f"---\n{data.to_yaml()}\n---\n# m\n")

    assert (report.errors, report.warnings) == ((), ())


@pytest.mark.parametrize("card", [ModelCard, DatasetCard])
def test_client_reads_the_same_metadata(card: type[ModelCard | DatasetCard]) -> None:
    text = "---\nlicense: mit\ntags:\n- a\n---\n# Title\n"

    assert check_readme(RepoKind.MODEL, text).is_valid
    assert card(text).data["license"] == "mit"
