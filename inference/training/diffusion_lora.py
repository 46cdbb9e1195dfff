"""LoRA for Stable Diffusion: small weights beside the attention of a UNet, which itself stays."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import diffusers
import torch
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict, set_peft_model_state_dict
from PIL import Image, ImageOps
from torch.nn import functional

from inference.runtimes.devices import device, loading, telling_of_memory
from inference.training import order
from inference.training.learner import Learner
from inference.training.pictures import image_at
from inference.training.ports import Given, TrainingFailed
from inference.training.rows import Rows

_ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")
_TARGETS = {"attention": _ATTENTION, "all": (*_ATTENTION, "ff.net.0.proj", "ff.net.2")}
_NAME = "default"
_CACHE_BYTES = 1 << 30
_EVALUATED_AT_ONCE = 8


class DiffusionLora:
    """Learns to take noise off images of the dataset, told their captions."""

    def __init__(self, given: Given) -> None:
        self._given, values = given, given.values
        self._captions = [
            _captions(rows, given.columns, values["caption"]) for rows in (given.train, given.valid)
        ]
        with loading("The base model"), telling_of_memory():
            self._base: Any = diffusers.StableDiffusionPipeline.from_pretrained(
                given.base, dtype=torch.float32, use_safetensors=True, local_files_only=True
            ).to(device())
        for part in (self._base.vae, self._base.text_encoder, self._base.unet):
            part.eval().requires_grad_(requires_grad=False)
        self._noise: Any = diffusers.DDPMScheduler.from_config(self._base.scheduler.config)
        self._edge = values["resolution"] or self._own_edge()
        self._unet = self._base.unet
        # The new weights are drawn at random.
        torch.manual_seed(values["seed"])
        self._unet.add_adapter(
            LoraConfig(
                r=values["rank"],
                lora_alpha=values["alpha"] or values["rank"],
                init_lora_weights="gaussian",
                target_modules=list(_TARGETS[values["targets"]]),
            ),
            _NAME,
        )
        self._learner = Learner(
            {"lora": _Lora(self._unet)}, self._unet.parameters(), values, len(given.train)
        )
        self.total = self._learner.total
        self._latents: dict[tuple[int, int], Any] = {}
        self._told: dict[str, Any] = {}
        self._held = 0

    def step(self, number: int) -> Mapping[str, float]:
        self._unet.train()
        return self._learner.step(number, self._loss)

    def evaluate(self) -> Mapping[str, float]:
        """The loss on what is held back, always with the same noise on the same row."""
        count = len(self._given.valid)
        if not count:
            return {}
        self._unet.eval()
        whole = 0.0
        for start in range(0, count, _EVALUATED_AT_ONCE):
            places = range(start, min(start + _EVALUATED_AT_ONCE, count))
            generator = torch.Generator().manual_seed(
                order.seed_at(start, self._given.values["seed"])
            )
            with torch.inference_mode(), telling_of_memory():
                whole += float(self._loss_of(1, places, generator)) * len(places)
        return {"eval_loss": whole / count}

    def save(self, folder: Path) -> None:
        self._learner.save(folder)

    def load(self, folder: Path) -> None:
        self._learner.load(folder)

    def export(self, folder: Path) -> None:
        state = get_peft_model_state_dict(self._unet, adapter_name=_NAME)
        diffusers.StableDiffusionPipeline.save_lora_weights(
            folder,
            unet_lora_layers=diffusers.utils.convert_state_dict_to_diffusers(state),
            unet_lora_adapter_metadata=_plain(self._unet.peft_config[_NAME].to_dict()),
            safe_serialization=True,
        )

    def _loss(self, places: Sequence[int]) -> Any:
        # The learner has seeded torch's own generator for this step.
        return self._loss_of(0, places, None)

    def _loss_of(self, which: int, places: Sequence[int], generator: Any) -> Any:
        latents = torch.stack([self._latent(which, place) for place in places]).to(device())
        told = torch.stack([self._embedded(self._captions[which][place]) for place in places])
        # Drawn on the processor: the same numbers whatever the device is.
        added = torch.randn(latents.shape, generator=generator).to(device())
        steps = self._noise.config.num_train_timesteps
        when = torch.randint(0, steps, (len(latents),), generator=generator).to(device())
        noisy = self._noise.add_noise(latents, added, when)
        made = self._unet(noisy, when, told.to(device())).sample
        is_velocity = self._noise.config.prediction_type == "v_prediction"
        aim = self._noise.get_velocity(latents, added, when) if is_velocity else added
        losses = functional.mse_loss(made, aim, reduction="none").mean(dim=(1, 2, 3))
        return (losses * self._weights(when, is_velocity=is_velocity)).mean()

    def _weights(self, when: Any, *, is_velocity: bool) -> Any:
        """Min-SNR: what has hardly any noise counts less (https://arxiv.org/abs/2303.09556)."""
        most = self._given.values["min_snr_gamma"]
        if not most:
            return torch.ones(len(when), device=device())
        kept = self._noise.alphas_cumprod.to(device())[when]
        ratio = kept / (1 - kept)
        return ratio.clamp(max=most) / (ratio + 1 if is_velocity else ratio)

    def _latent(self, which: int, place: int) -> Any:
        """An image as the UNet sees it; kept, for the autoencoder does not change."""
        if (which, place) in self._latents:
            return self._latents[which, place]
        rows: Rows = (self._given.train, self._given.valid)[which]
        image = image_at(rows, self._given.columns["image_column"], place)
        pixels = _pixels(ImageOps.fit(image, (self._edge, self._edge))).to(device())
        vae = self._base.vae
        with torch.no_grad():
            latent = vae.encode(pixels.unsqueeze(0)).latent_dist.mode()[0]
        latent = (latent * vae.config.scaling_factor).cpu()
        if self._held < _CACHE_BYTES:
            self._held += latent.nbytes
            self._latents[which, place] = latent
        return latent

    def _embedded(self, caption: str) -> Any:
        """A caption as the UNet is told it; kept, for the text encoder does not change."""
        if caption not in self._told:
            tokenizer = self._base.tokenizer
            ids = tokenizer(
                caption,
                padding="max_length",
                truncation=True,
                max_length=tokenizer.model_max_length,
                return_tensors="pt",
            ).input_ids
            with torch.no_grad():
                told = self._base.text_encoder(ids.to(device()))[0][0].cpu()
            if self._held >= _CACHE_BYTES:
                return told
            self._held += told.nbytes
            self._told[caption] = told
        return self._told[caption]

    def _own_edge(self) -> int:
        """Pixels that the base was made for."""
        return int(self._base.unet.config.sample_size * self._base.vae_scale_factor)


class _Lora:
    """The new weights of a UNet: all that a checkpoint has to hold of it."""

    def __init__(self, unet: Any) -> None:
        self._unet = unet

    def state_dict(self) -> dict[str, Any]:
        state = get_peft_model_state_dict(self._unet, adapter_name=_NAME)
        return {name: weight.detach().cpu() for name, weight in state.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        if state.keys() != self.state_dict().keys():
            raise ValueError("it has other weights")
        set_peft_model_state_dict(self._unet, dict(state), adapter_name=_NAME)


def _captions(rows: Rows, columns: Mapping[str, str], template: str) -> list[str]:
    """What is told of each row: its column, put into the template if there is one."""
    column = columns.get("caption_column", "")
    if not column and not template:
        raise TrainingFailed(
            "missing_column", "Name a column of captions, or give a caption for all images."
        )
    if not column:
        return [template] * len(rows)
    texts = [text or "" for text in rows.all(column)]
    return [template.replace("{}", text) for text in texts] if template else texts


def _pixels(image: Image.Image) -> Any:
    levels = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
    shaped = levels.view(image.height, image.width, 3).permute(2, 0, 1)
    return shaped.float() / 127.5 - 1


def _plain(config: Mapping[str, Any]) -> dict[str, Any]:
    """What JSON can hold of a config."""
    return {
        name: sorted(value) if isinstance(value, set) else value
        for name, value in config.items()
        if value is None or isinstance(value, bool | int | float | str | list | dict | set)
    }
