"""A small CLIP as an open_clip repo: it tells colours and shapes, also pairs that it never saw."""

import json
import random
from pathlib import Path
from typing import Any

import open_clip
import torch
from safetensors.torch import save_file

from inference.training.demo.learning import halve, learn
from inference.training.demo.shapes import SIZE, TRAINED, sample
from inference.training.demo.tokenizer import CONTEXT, write_tokenizer

STEPS = 500
_RATE = 2e-3
_WIDTH = 64
_HIGHEST_SCALE = 4.6052
"""As in the paper: logits are multiplied by 100 at most."""


def train(folder: Path, *, steps: int = STEPS, seed: int = 0) -> None:
    """Train from nothing and write the repo's files."""
    torch.manual_seed(seed)
    rng = random.Random(seed)  # noqa: S311 - pictures, no secrets
    _write_config(folder, words=len(write_tokenizer(folder)))
    where = f"local-dir:{folder}"
    model, _, prepare = open_clip.create_model_and_transforms(where, load_weights=False)
    tokenize = open_clip.get_tokenizer(where)
    measure = open_clip.ClipLoss()
    model.train()

    def loss() -> Any:
        with torch.no_grad():
            model.logit_scale.clamp_(0, _HIGHEST_SCALE)
        # Each pair once: no caption of the batch is true of another's picture.
        batch = [sample(rng, (pair,)) for pair in TRAINED]
        pictures = torch.stack([prepare(one.image) for one in batch])
        return measure(*model(pictures, tokenize([one.caption for one in batch]))[:3])

    learn(model.parameters(), loss, steps=steps, rate=_RATE)
    weights = {name: weight.contiguous() for name, weight in model.state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")
    halve(folder)


def _write_config(folder: Path, *, words: int) -> None:
    config = {
        "model_cfg": {
            "embed_dim": _WIDTH,
            # A modified ResNet needs 32 pixels for its attention pool.
            "vision_cfg": {
                "image_size": SIZE,
                "layers": [1, 1, 1, 1],
                "width": 8,
                "head_width": 16,
                "patch_size": None,
            },
            "text_cfg": {
                "context_length": CONTEXT,
                "vocab_size": words,
                "width": _WIDTH,
                "heads": 2,
                "layers": 2,
                "hf_tokenizer_name": "clip-of-shapes",
            },
        },
        "preprocess_cfg": {
            "mean": [0.5, 0.5, 0.5],
            "std": [0.5, 0.5, 0.5],
            "interpolation": "bicubic",
            "resize_mode": "shortest",
        },
    }
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=2))
