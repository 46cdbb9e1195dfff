"""A small Stable Diffusion as a diffusers repo: it draws what its caption names."""

import copy
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import torch
from PIL import Image, ImageDraw
from torch.nn import functional
from transformers import CLIPTextConfig, CLIPTextModel

from inference.training.demo.learning import halve, learn
from inference.training.demo.shapes import COLOURS, SHAPES, SIZE, Sample, anywhere, draw, samples
from inference.training.demo.tokenizer import write_tokenizer

VAE_STEPS, UNET_STEPS = 1200, 3000
_BATCH = 32
PICTURES = 3000
_WIDTH = 48
_UNCAPTIONED = 0.1
"""So often a caption is left out, which is what guidance later leads away from."""
_DECAY = 0.995
_COLOURED = 90
"""Saturation from which on a pixel belongs to the shape."""


def train(
    folder: Path,
    *,
    vae_steps: int = VAE_STEPS,
    unet_steps: int = UNET_STEPS,
    pictures: int = PICTURES,
    seed: int = 0,
) -> None:
    """Train from nothing and write the repo's files."""
    torch.manual_seed(seed)
    rng = random.Random(seed)  # noqa: S311 - pictures, no secrets
    tokenizer = write_tokenizer(folder / "tokenizer")
    vae = _train_vae(rng, vae_steps, pictures)
    text_encoder = CLIPTextModel(_text_config(tokenizer))
    data = list(samples(pictures, rng))
    unet, text_encoder = _train_unet(vae, text_encoder, tokenizer, data, unet_steps)
    pipeline = diffusers.StableDiffusionPipeline(
        vae=vae.eval(),
        unet=unet.eval(),
        text_encoder=text_encoder.eval(),
        tokenizer=tokenizer,
        scheduler=_noise(diffusers.PNDMScheduler, skip_prk_steps=True, set_alpha_to_one=False),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder)
    halve(folder)


def _noise(kind: Any, **more: Any) -> Any:
    return kind(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        num_train_timesteps=1000,
        steps_offset=1,
        **more,
    )


def _text_config(tokenizer: Any) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=_WIDTH,
        intermediate_size=2 * _WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=tokenizer.model_max_length,
        projection_dim=_WIDTH,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def _train_vae(rng: random.Random, steps: int, count: int) -> Any:
    vae = diffusers.AutoencoderKL(
        latent_channels=4,
        sample_size=SIZE,
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(12, 24, 32),
        layers_per_block=1,
        norm_num_groups=4,
        mid_block_add_attention=False,
    )
    plain = [one.image for one in samples(count // 2, rng)]
    pictures = _pixels([*plain, *(_scene(rng) for _ in range(count // 2))])

    def loss() -> Any:
        seen = pictures[torch.randint(0, len(pictures), (_BATCH,))]
        latent = vae.encode(seen).latent_dist
        made = vae.decode(latent.sample()).sample
        spread = latent.kl().mean() / latent.mean[0].numel()
        return functional.l1_loss(made, seen) + functional.mse_loss(made, seen) + 1e-4 * spread

    learn(vae.parameters(), loss, steps=steps, rate=3e-3)
    vae.eval().requires_grad_(requires_grad=False)
    scale = 1 / _means(vae, pictures[: count // 2]).std()
    vae.register_to_config(scaling_factor=float(scale))
    return vae


def _train_unet(
    vae: Any, text_encoder: Any, tokenizer: Any, data: Sequence[Sample], steps: int
) -> tuple[Any, Any]:
    unet = diffusers.UNet2DConditionModel(
        sample_size=SIZE // 4,
        layers_per_block=1,
        block_out_channels=(24, 48),
        norm_num_groups=8,
        cross_attention_dim=_WIDTH,
        attention_head_dim=4,
        down_block_types=("CrossAttnDownBlock2D",) * 2,
        up_block_types=("CrossAttnUpBlock2D",) * 2,
    )
    noise = _noise(diffusers.DDPMScheduler)
    latents = _means(vae, _pixels([one.image for one in data])) * vae.config.scaling_factor
    captions = _tokens(tokenizer, [one.caption for one in data])
    empty = _tokens(tokenizer, [""])[0]
    kept = _Average(unet, text_encoder)

    def loss() -> Any:
        kept.follow()
        chosen = torch.randint(0, len(data), (_BATCH,))
        told = captions[chosen].clone()
        told[torch.rand(_BATCH) < _UNCAPTIONED] = empty
        added = torch.randn_like(latents[chosen])
        when = torch.randint(0, 1000, (_BATCH,))
        noisy = noise.add_noise(latents[chosen], added, when)
        return functional.mse_loss(unet(noisy, when, text_encoder(told)[0]).sample, added)

    learn([*unet.parameters(), *text_encoder.parameters()], loss, steps=steps, rate=2e-3)
    average_unet, average_text = kept.models
    return average_unet, average_text


class _Average:
    """The moving average of models, which draws better than where they happen to stand."""

    def __init__(self, *models: Any) -> None:
        self._followed = models
        self.models = [copy.deepcopy(one).requires_grad_(requires_grad=False) for one in models]
        self._steps = 0

    def follow(self) -> None:
        self._steps += 1
        decay = min(_DECAY, (1 + self._steps) / (10 + self._steps))
        with torch.no_grad():
            for average, model in zip(self.models, self._followed, strict=True):
                for mean, weight in zip(average.parameters(), model.parameters(), strict=True):
                    mean.lerp_(weight, 1 - decay)


def _scene(rng: random.Random) -> Image.Image:
    """A picture of a wider world, so that the autoencoder bears what it is later given."""
    ground = rng.choice([(12,) * 3, (110,) * 3, (240,) * 3, _some_colour(rng)])
    image = Image.new("RGB", (SIZE, SIZE), ground)
    pen = ImageDraw.Draw(image)
    for _ in range(rng.randint(0, 2)):
        x, y = rng.randint(-4, SIZE - 4), rng.randint(-4, SIZE - 4)
        box = (x, y, x + rng.randint(3, SIZE // 2), y + rng.randint(3, SIZE // 2))
        rng.choice((pen.ellipse, pen.rectangle))(box, fill=_some_colour(rng))
    shape = draw(rng.choice(list(COLOURS.values())), rng.choice(SHAPES), anywhere(rng))
    mask = shape.convert("HSV").getchannel("S").point(lambda value: 255 if value > _COLOURED else 0)
    image.paste(shape, (0, 0), mask)
    return image


def _some_colour(rng: random.Random) -> tuple[int, int, int]:
    return rng.randint(0, 255), rng.randint(0, 255), rng.randint(0, 255)


def _pixels(images: Sequence[Image.Image]) -> Any:
    levels = np.stack([np.asarray(image, dtype=np.float32) for image in images])
    return torch.from_numpy(levels.transpose(0, 3, 1, 2) / 127.5 - 1)


def _means(vae: Any, pictures: Any) -> Any:
    with torch.no_grad():
        return torch.cat([vae.encode(some).latent_dist.mean for some in pictures.split(256)])


def _tokens(tokenizer: Any, texts: list[str]) -> Any:
    longest = tokenizer.model_max_length
    return tokenizer(
        texts, padding="max_length", truncation=True, max_length=longest, return_tensors="pt"
    ).input_ids
