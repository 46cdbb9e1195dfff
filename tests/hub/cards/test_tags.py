import pytest
from huggingface_hub.hf_api import TransformersInfo

from hub.cards.libraries import library_of, pipeline_tag_of, transformers_info
from hub.cards.tags import base_model_relation, papers_in, tags_of
from hub.names import RepoKind

BERT = {"architectures": ["BertForMaskedLM"], "model_type": "bert"}


def test_model_is_found_by_everything_its_card_and_files_say() -> None:
    metadata = {
        "license": "apache-2.0",
        "language": ["en", "de"],
        "tags": ["finance"],
        "datasets": ["acme/books"],
        "base_model": "google/bert",
    }

    tags = tags_of(
        RepoKind.MODEL,
        metadata,
        filenames=["README.md", "config.json", "model.safetensors", "onnx/model.onnx"],
        config=BERT,
        body="See https://arxiv.org/abs/1810.04805v2.",
    )

    assert tags == [
        "transformers",
        "onnx",
        "safetensors",
        "bert",
        "fill-mask",
        "finance",
        "en",
        "de",
        "dataset:acme/books",
        "base_model:google/bert",
        "base_model:finetune:google/bert",
        "license:apache-2.0",
        "arxiv:1810.04805",
        "region:us",
    ]


def test_dataset_is_found_by_its_categories_and_files() -> None:
    metadata = {
        "task_categories": ["text-classification"],
        "task_ids": "sentiment-analysis",
        "language": "en",
        "license": ["mit"],
        "size_categories": "n<1K",
        "multilinguality": "monolingual",
        "tags": ["movies"],
    }

    tags = tags_of(RepoKind.DATASET, metadata, filenames=["data/train.parquet"], config={})

    assert set(tags) == {
        "task_categories:text-classification",
        "task_ids:sentiment-analysis",
        "language:en",
        "license:mit",
        "size_categories:n<1K",
        "multilinguality:monolingual",
        "format:parquet",
        "library:datasets",
        "library:pandas",
        "library:polars",
        "movies",
        "region:us",
    }


@pytest.mark.parametrize(
    ("filenames", "expected"),
    [
        (["a.jsonl.gz"], "format:json"),
        (["a.tsv"], "format:csv"),
        (["shard-0.tar"], "format:webdataset"),
        (["x/cat.JPG", "x/metadata.csv"], "format:imagefolder"),
        (["x/cat.jpg"], "modality:image"),
        (["x/a.flac"], "modality:audio"),
    ],
)
def test_format_of_a_dataset_comes_from_its_files(filenames: list[str], expected: str) -> None:
    assert expected in tags_of(RepoKind.DATASET, {}, filenames=filenames, config={})


def test_files_about_the_data_give_no_format() -> None:
    names = ["README.md", ".gitattributes", "dataset_infos.json", "requirements.txt"]

    assert tags_of(RepoKind.DATASET, {}, filenames=names, config={}) == ["region:us"]


def test_space_is_found_by_its_sdk() -> None:
    metadata = {"sdk": "gradio", "tags": ["demo"]}

    tags = tags_of(RepoKind.SPACE, metadata, filenames=["app.py"], config={})

    assert tags == ["gradio", "demo", "region:us"]


@pytest.mark.parametrize(
    ("metadata", "config", "filenames", "library"),
    [
        ({"library_name": "mine"}, BERT, [], "mine"),
        ({}, BERT, [], "transformers"),
        ({}, {"model_type": "llama"}, [], "transformers"),
        ({}, {}, ["model_index.json"], "diffusers"),
        ({}, BERT, ["modules.json"], "sentence-transformers"),
        ({}, BERT, ["sentence_bert_config.json"], "sentence-transformers"),
        ({}, {}, ["adapter_config.json"], "peft"),
        ({}, {}, ["open_clip_config.json"], "open_clip"),
        ({}, {"architecture": "resnet18", "pretrained_cfg": {}}, [], "timm"),
        ({}, {}, ["q4.gguf"], "gguf"),
        ({"tags": ["nice", "sklearn"]}, {}, [], "sklearn"),
        ({}, {}, ["sub/model_index.json"], None),
        ({}, {}, ["weights.bin"], None),
    ],
)
def test_library_is_named_or_recognised(
    metadata: dict[str, object], config: dict[str, object], filenames: list[str], library: str
) -> None:
    assert library_of(metadata, config, filenames) == library


@pytest.mark.parametrize(
    ("architecture", "task"),
    [
        ("LlamaForCausalLM", "text-generation"),
        ("GPT2LMHeadModel", "text-generation"),
        ("BertForSequenceClassification", "text-classification"),
        ("Wav2Vec2ForSequenceClassification", "audio-classification"),
        ("BertForMaskedLM", "fill-mask"),
        ("BertForTokenClassification", "token-classification"),
        ("BertForQuestionAnswering", "question-answering"),
        ("LayoutLMForQuestionAnswering", "document-question-answering"),
        ("TapasForQuestionAnswering", "table-question-answering"),
        ("ViltForQuestionAnswering", "visual-question-answering"),
        ("BlipForQuestionAnswering", "visual-question-answering"),
        ("ViTForImageClassification", "image-classification"),
        ("CLIPModel", "zero-shot-image-classification"),
        ("SiglipModel", "zero-shot-image-classification"),
        ("Blip2ForConditionalGeneration", "image-to-text"),
        ("BlipForConditionalGeneration", "image-to-text"),
        ("WhisperForConditionalGeneration", "automatic-speech-recognition"),
        ("Wav2Vec2ForCTC", "automatic-speech-recognition"),
        ("T5ForConditionalGeneration", "text2text-generation"),
        ("MarianMTModel", "translation"),
        ("OwlViTForObjectDetection", "zero-shot-object-detection"),
        ("DetrForObjectDetection", "object-detection"),
        ("SegformerForSemanticSegmentation", "image-segmentation"),
        ("DPTForDepthEstimation", "depth-estimation"),
        ("SamModel", "mask-generation"),
        ("BertModel", "feature-extraction"),
        ("ViTModel", "image-feature-extraction"),
        ("SomethingNew", None),
    ],
)
def test_task_comes_from_the_architecture(architecture: str, task: str | None) -> None:
    assert pipeline_tag_of({}, {"architectures": [architecture]}, []) == task


@pytest.mark.parametrize(
    ("metadata", "config", "filenames", "task"),
    [
        ({"pipeline_tag": "any"}, BERT, [], "any"),
        ({"tags": ["x", "summarization"]}, BERT, [], "summarization"),
        ({}, {}, ["model_index.json"], "text-to-image"),
        ({}, {"_class_name": "StableDiffusionPipeline"}, ["model_index.json"], "text-to-image"),
        ({}, {"_class_name": "FluxInpaintPipeline"}, ["model_index.json"], "image-to-image"),
        ({}, {"diffusers": {"_class_name": "WanPipeline"}}, ["model_index.json"], "text-to-video"),
        ({}, {}, ["modules.json"], "sentence-similarity"),
        (
            {},
            {"architectures": ["LlavaForConditionalGeneration"], "vision_config": {}},
            [],
            "image-text-to-text",
        ),
    ],
)
def test_task_is_named_or_recognised(
    metadata: dict[str, object], config: dict[str, object], filenames: list[str], task: str
) -> None:
    assert pipeline_tag_of(metadata, config, filenames) == task


@pytest.mark.parametrize(
    ("metadata", "config", "filenames", "relation"),
    [
        ({"base_model": "a/b"}, {}, [], "finetune"),
        ({"base_model": ["a/b", "a/c"]}, {}, [], "merge"),
        ({"base_model": "a/b"}, {}, ["adapter_config.json"], "adapter"),
        ({"base_model": "a/b", "tags": ["lora"]}, {}, [], "adapter"),
        ({"base_model": "a/b"}, {}, ["q.gguf"], "quantized"),
        ({"base_model": "a/b"}, {"quantization_config": {}}, [], "quantized"),
        ({"base_model": "a/b", "base_model_relation": "merge"}, {}, [], "merge"),
        ({}, {}, ["adapter_config.json"], None),
    ],
)
def test_relation_to_the_base_model_is_named_or_recognised(
    metadata: dict[str, object], config: dict[str, object], filenames: list[str], relation: str
) -> None:
    assert base_model_relation(metadata, config, filenames) == relation


def test_transformers_info_is_what_the_client_takes() -> None:
    info = transformers_info(
        {},
        {
            "architectures": ["XForCausalLM"],
            "auto_map": {"AutoModelForCausalLM": "modeling_x.XForCausalLM"},
        },
        ["tokenizer.json"],
    )

    assert info is not None
    assert info == {
        "auto_model": "AutoModelForCausalLM",
        "custom_class": "modeling_x.XForCausalLM",
        "pipeline_tag": "text-generation",
        "processor": "AutoTokenizer",
    }
    assert TransformersInfo(**info).auto_model == "AutoModelForCausalLM"


@pytest.mark.parametrize(
    ("config", "filenames", "processor"),
    [
        ({"model_type": "clip"}, ["preprocessor_config.json", "vocab.json"], "AutoProcessor"),
        ({"model_type": "vit"}, ["preprocessor_config.json"], "AutoImageProcessor"),
        ({"model_type": "wav2vec2"}, ["preprocessor_config.json"], "AutoFeatureExtractor"),
        ({"model_type": "bert"}, ["vocab.txt"], "AutoTokenizer"),
    ],
)
def test_processor_comes_from_its_files(
    config: dict[str, object], filenames: list[str], processor: str
) -> None:
    info = transformers_info({}, config, filenames)

    assert info is not None
    assert info["processor"] == processor


def test_other_libraries_have_no_transformers_info() -> None:
    assert transformers_info({}, {}, ["model_index.json"]) is None


def test_papers_are_found_once_each_in_order() -> None:
    body = "arXiv:2103.00020, https://arxiv.org/pdf/1706.03762v5.pdf, arXiv:2103.00020 12.3456"

    assert papers_in(body) == ["2103.00020", "1706.03762"]


@pytest.mark.parametrize(
    "value", [None, 3, [], {}, [[]], [None, {}], "\x00", "a\nb", "x" * 1000, True]
)
def test_values_of_any_kind_make_no_bad_tag(value: object) -> None:
    keys = ["tags", "license", "language", "datasets", "base_model", "library_name", "pipeline_tag"]
    metadata = dict.fromkeys([*keys, "sdk", "base_model_relation", "task_ids"], value)
    config = dict.fromkeys(["architectures", "model_type", "auto_map", "diffusers"], value)

    for kind in RepoKind:
        tags = tags_of(kind, metadata, filenames=["preprocessor_config.json"], config=config)
        assert all(tag.isprintable() and len(tag) < 300 for tag in tags)
    assert transformers_info(
        metadata, {**config, "architectures": ["XModel"]}, ["preprocessor_config.json"]
    )


def test_tags_are_few_and_unique() -> None:
    many = {"tags": ["same", "same", *map(str, range(10_000))]}

    tags = tags_of(RepoKind.MODEL, many, filenames=[], config={})

    assert len(tags) == len(set(tags)) <= 501
