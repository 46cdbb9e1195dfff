"""``manage.py train_demo_models``: small real models, trained here, uploaded as by anybody."""

import shutil
import tempfile
from argparse import ArgumentParser
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from teams.errors import Refusal
from teams.models import AccessToken, User
from teams.queries import user_named
from teams.services import tokens

_ABOUT = {
    "clip": (
        "clip-of-shapes",
        "zero-shot-image-classification",
        "open_clip",
        "A small CLIP. It tells shapes and their colours, also pairs that it never saw.",
    ),
    "captioner": (
        "captions-of-shapes",
        "image-to-text",
        "transformers",
        "A small BLIP-2. It says what it sees, and answers: `what color is this ?`",
    ),
    "diffusion": (
        "diffusion-of-shapes",
        "text-to-image",
        "diffusers",
        "A small Stable Diffusion. It draws `a photo of a red circle`, with a guidance of 3.",
    ),
}
_CARD = """---
license: apache-2.0
pipeline_tag: {task}
library_name: {library}
tags: [demo]
---
# {name}

{about}

Trained by `manage.py train_demo_models` on pictures that it drew itself: one shape of one colour on
a plain ground, 32 pixels wide. One shape of each colour was held out.
"""


class Command(BaseCommand):
    """Trains, writes a card, uploads with the public client, and forgets its token."""

    help = "Train small CLIP, BLIP-2 and diffusion models, and upload them. Needs the group `ml`."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--owner", default="admin", help="whose models they become (admin)")
        parser.add_argument("--only", choices=sorted(_ABOUT), help="just this one")
        parser.add_argument("--weights", type=Path, help="keep them here, or take them from here")

    def handle(self, *_args: Any, **options: Any) -> None:
        if find_spec("torch") is None:
            raise CommandError("The dependency group `ml` is not installed.")
        try:
            owner = user_named(options["owner"])
        except Refusal as refusal:
            raise CommandError(refusal.message) from None
        folder = options["weights"] or Path(tempfile.mkdtemp(prefix="demo-models-"))
        token, secret = tokens.issue(user=owner, name="demo models", role="write")
        try:
            for kind in [options["only"]] if options["only"] else list(_ABOUT):
                self._make(kind, folder / kind, f"{options['owner']}/", secret)
        finally:
            _revoke(token, owner)
            if not options["weights"]:
                shutil.rmtree(folder, ignore_errors=True)

    def _make(self, kind: str, folder: Path, prefix: str, secret: str) -> None:
        name, task, library, about = _ABOUT[kind]
        if not folder.is_dir():
            self.stdout.write(f"training {name} …")
            folder.mkdir(parents=True)
            train: Callable[[Path], None] = import_module(f"inference.training.demo.{kind}").train
            train(folder)
        card = _CARD.format(name=name, task=task, library=library, about=about)
        (folder / "README.md").write_text(card)
        upload(folder, f"{prefix}{name}", secret)
        self.stdout.write(self.style.SUCCESS(f"{settings.INTERNAL_URL}/{prefix}{name}"))


def upload(folder: Path, repo: str, secret: str) -> None:
    """Put a folder into a repo as the public client does it."""
    from huggingface_hub import HfApi  # noqa: PLC0415 - the group `ml` brings it

    api = HfApi(endpoint=settings.INTERNAL_URL, token=secret)
    api.create_repo(repo, exist_ok=True)
    api.upload_folder(repo_id=repo, folder_path=folder, commit_message="Train it")


def _revoke(token: AccessToken, owner: User) -> None:
    tokens.revoke(token=token, by=owner)
