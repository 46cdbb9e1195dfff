"""Files of a repo that lead elsewhere or hold code, and texts longer than a model has places."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from inference.errors import InputRejected, UnsafeWeights
from inference.protocols.families import Family
from inference.protocols.tasks import Task, call_of
from inference.runtimes.registry import load
from tests.inference.ml import WEIGHTS, needs_ml, png, quietly, ref

pytestmark = [needs_ml, pytest.mark.filterwarnings("ignore")]
LONG = "what color is this " * 500


def clip_with(folder: Path, tower: str, **told: object) -> Path:
    copied = folder / "clip"
    shutil.copytree(WEIGHTS / "clip", copied)
    config = json.loads((copied / "open_clip_config.json").read_text())
    config["model_cfg"][tower].update(told)
    (copied / "open_clip_config.json").write_text(json.dumps(config))
    return copied


def test_a_tokenizer_of_the_repo_runs_no_code(tmp_path: Path) -> None:
    kwargs = {"trust_remote_code": True}
    folder = clip_with(tmp_path, "text_cfg", hf_tokenizer_name="x", tokenizer_kwargs=kwargs)
    ran = tmp_path / "ran"
    (folder / "tok.py").write_text(f"open({str(ran)!r}, 'w').close()\nclass Tok: pass\n")
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "Tok", "auto_map": {"AutoTokenizer": ["tok.Tok", None]}})
    )

    with pytest.raises(UnsafeWeights):
        load(folder, ref(Family.CLIP))

    assert not ran.exists()


@pytest.mark.parametrize(
    ("tower", "told"),
    [
        ("text_cfg", {"hf_model_name": "somebody/else"}),
        ("vision_cfg", {"timm_model_name": "hf-hub:somebody/else"}),
        ("vision_cfg", {"timm_model_name": "resnet18", "timm_model_pretrained": True}),
    ],
)
def test_a_model_made_of_another_is_not_fetched(
    tmp_path: Path, tower: str, told: dict[str, object]
) -> None:
    with pytest.raises(UnsafeWeights, match="elsewhere"):
        load(clip_with(tmp_path, tower, **told), ref(Family.CLIP))


def test_a_question_longer_than_a_model_has_places_is_refused() -> None:
    captioner = load(WEIGHTS / "captioner", ref(Family.CAPTIONS))
    image = png(Image.new("RGB", (32, 32)))

    with pytest.raises(InputRejected, match="tokens"):
        captioner.run([call_of(Task.QUESTION, {"image": image, "question": LONG})], quietly)


def bert(folder: Path, kind: str) -> Path:
    """A model that knows nothing, whose tokenizer was told no length."""
    import transformers  # noqa: PLC0415 - it may be missing
    from tokenizers import Tokenizer, models, pre_tokenizers  # noqa: PLC0415 - as above

    words = {"[PAD]": 0, "[UNK]": 1, "color": 2}
    reader = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    reader.pre_tokenizer = pre_tokenizers.Whitespace()
    config = transformers.BertConfig(
        vocab_size=3,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=8,
        max_position_embeddings=32,
        architectures=[kind],
    )
    getattr(transformers, kind)(config).save_pretrained(folder)
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=reader, pad_token="[PAD]", unk_token="[UNK]"
    ).save_pretrained(folder)
    return folder


def test_long_texts_are_cut_to_what_a_model_has_places_for(tmp_path: Path) -> None:
    labels = load(bert(tmp_path / "a", "BertForSequenceClassification"), ref(Family.TEXT_LABELS))
    vectors = load(bert(tmp_path / "b", "BertModel"), ref(Family.SENTENCES))

    [named] = labels.run([call_of(Task.TEXT_LABELS, {"text": LONG})], quietly)
    [found] = vectors.run([call_of(Task.FEATURES, {"texts": [LONG, "color"] * 50})], quietly)

    assert len(named) == 2
    assert [len(vector) for vector in found] == [8] * 100
