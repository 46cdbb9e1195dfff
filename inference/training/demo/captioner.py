"""A small BLIP-2 as a transformers repo: it says what it sees, and answers questions about it."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch.nn import functional
from transformers import (
    Blip2Config,
    Blip2ForConditionalGeneration,
    Blip2Processor,
    Blip2QFormerConfig,
    Blip2VisionConfig,
    BlipImageProcessor,
    OPTConfig,
    PreTrainedTokenizerFast,
)

from inference.training.demo.learning import halve, learn
from inference.training.demo.shapes import COLOURS, SHAPES, SIZE, Sample, anywhere, draw, samples

VISION_STEPS, STEPS = 1500, 2500
_BATCH = 32
_PICTURES = 3000
_QUERIES = 8
_VISION, _TEXT = 64, 48
_SAID = "a photo of question : answer what color colour shape is the this it ? yes no ."
_ANY = "any"
"""The colour of pictures that are none of ours: they part shapes from colours."""


def train(
    folder: Path, *, vision_steps: int = VISION_STEPS, steps: int = STEPS, seed: int = 0
) -> None:
    """Train from nothing, first the eyes and then the rest, and write the repo's files."""
    torch.manual_seed(seed)
    rng = random.Random(seed)  # noqa: S311 - pictures, no secrets
    processor = _processor()
    model = _model(processor.tokenizer)
    data = [*samples(_PICTURES, rng), *(_of_any_colour(rng) for _ in range(_PICTURES // 2))]
    _train_vision(model.vision_model, processor, data, vision_steps)
    # Few of those without a colour from here on: most questions are about colours.
    data = data[: _PICTURES + _PICTURES // 5]

    def loss() -> Any:
        return model(**_batch(processor, rng.sample(data, _BATCH), rng)).loss

    model.train()
    learn(model.parameters(), loss, steps=steps, rate=2e-3)
    model.eval().save_pretrained(folder)
    processor.save_pretrained(folder)
    halve(folder)


def _processor() -> Any:
    words = [
        "<pad>",
        "</s>",
        "<unk>",
        "<image>",
        *dict.fromkeys([*_SAID.split(), *COLOURS, *SHAPES]),
    ]
    rules = Tokenizer(models.WordLevel({word: n for n, word in enumerate(words)}, "<unk>"))
    rules.pre_tokenizer = pre_tokenizers.Whitespace()
    rules.post_processor = processors.TemplateProcessing(
        single="</s> $A", special_tokens=[("</s>", 1)]
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=rules,
        pad_token="<pad>",  # noqa: S106 - no password
        bos_token="</s>",  # noqa: S106
        eos_token="</s>",  # noqa: S106
        unk_token="<unk>",  # noqa: S106
        additional_special_tokens=["<image>"],
        padding_side="left",
    )
    size = {"height": SIZE, "width": SIZE}
    images = BlipImageProcessor(size=size, image_mean=[0.5] * 3, image_std=[0.5] * 3)
    return Blip2Processor(images, tokenizer, num_query_tokens=_QUERIES)


def _model(tokenizer: Any) -> Any:
    vision = Blip2VisionConfig(
        hidden_size=_VISION,
        intermediate_size=2 * _VISION,
        num_hidden_layers=3,
        num_attention_heads=4,
        image_size=SIZE,
        patch_size=8,
    )
    bridge = Blip2QFormerConfig(
        vocab_size=len(tokenizer),
        hidden_size=_TEXT,
        intermediate_size=2 * _TEXT,
        num_hidden_layers=2,
        num_attention_heads=4,
        encoder_hidden_size=_VISION,
        cross_attention_frequency=1,
    )
    language = OPTConfig(
        vocab_size=len(tokenizer),
        hidden_size=_TEXT,
        ffn_dim=2 * _TEXT,
        num_hidden_layers=2,
        num_attention_heads=4,
        word_embed_proj_dim=_TEXT,
        max_position_embeddings=64,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    config = Blip2Config(
        vision_config=vision.to_dict(),
        qformer_config=bridge.to_dict(),
        text_config=language.to_dict(),
        num_query_tokens=_QUERIES,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
    )
    return Blip2ForConditionalGeneration(config)


def _train_vision(vision: Any, processor: Any, data: Sequence[Sample], steps: int) -> None:
    """Teach the eyes colours and shapes, then hold them still."""
    width = vision.config.hidden_size
    heads = torch.nn.ModuleList(
        [torch.nn.Linear(width, len(COLOURS)), torch.nn.Linear(width, len(SHAPES))]
    )
    pictures = processor.image_processor([one.image for one in data], return_tensors="pt")
    pixels = pictures["pixel_values"]
    colours, shapes = list(COLOURS), list(SHAPES)
    truth = torch.tensor(
        [
            [colours.index(one.colour) if one.colour in colours else -100, shapes.index(one.shape)]
            for one in data
        ]
    )

    def loss() -> Any:
        chosen = torch.randint(0, len(data), (_BATCH,))
        seen = vision(pixels[chosen]).last_hidden_state[:, 1:].mean(1)
        return sum(
            functional.cross_entropy(head(seen), truth[chosen, place])
            for place, head in enumerate(heads)
        )

    learn([*vision.parameters(), *heads.parameters()], loss, steps=steps, rate=1.5e-3)
    vision.requires_grad_(requires_grad=False)


def _batch(processor: Any, chosen: Sequence[Sample], rng: random.Random) -> dict[str, Any]:
    tokenizer = processor.tokenizer
    asked = [_asked(one, rng) for one in chosen]
    told = processor(
        images=[one.image for one in chosen],
        text=[question for question, _ in asked],
        return_tensors="pt",
        padding=True,
    )
    answers = [
        [*tokenizer(answer, add_special_tokens=False).input_ids, tokenizer.eos_token_id]
        for _, answer in asked
    ]
    longest = max(map(len, answers))
    pad = tokenizer.pad_token_id
    ids = torch.tensor([one + [pad] * (longest - len(one)) for one in answers])
    lengths = torch.tensor([len(one) for one in answers])
    is_said = torch.arange(longest)[None] < lengths[:, None]
    unasked = torch.full_like(told["input_ids"], -100)
    return {
        "pixel_values": told["pixel_values"],
        "input_ids": torch.cat([told["input_ids"], ids], 1),
        "attention_mask": torch.cat([told["attention_mask"], is_said.long()], 1),
        "labels": torch.cat([unasked, ids.masked_fill(~is_said, -100)], 1),
    }


def _asked(one: Sample, rng: random.Random) -> tuple[str, str]:
    if one.colour == _ANY:
        return "question : what shape is this ? answer :", one.shape
    named = one.colour if rng.random() < 0.5 else rng.choice(list(COLOURS))  # noqa: PLR2004
    said = "yes" if named == one.colour else "no"
    return rng.choice(
        (
            ("a photo of", f"a {one.colour} {one.shape}"),
            ("question : what color is this ? answer :", one.colour),
            ("question : what shape is this ? answer :", one.shape),
            (f"question : is it {named} ? answer :", said),
            (f"question : is it {named} ? answer :", said),
        )
    )


def _of_any_colour(rng: random.Random) -> Sample:
    shape = rng.choice(SHAPES)
    colour = (rng.randint(60, 255), rng.randint(60, 255), rng.randint(60, 255))
    return Sample(draw(colour, shape, anywhere(rng)), _ANY, shape, "")
