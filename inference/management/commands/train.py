"""``manage.py train BASE DATASET OUTPUT``: ask for a run from a shell of the hub."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inference.services import runs
from inference.services.runs import Wish
from inference.training.recipes import RECIPES
from teams.errors import Refusal
from teams.policies import Principal
from teams.queries import user_named


class Command(BaseCommand):
    """Asks as a user, and tells where the run is to be seen."""

    help = "Train a model on a dataset, as a user of the hub."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("base", help="the model to begin from, owner/name or owner/name@commit")
        parser.add_argument("dataset", help="owner/name or owner/name@commit")
        parser.add_argument("output", help="the model that it becomes, owner/name")
        parser.add_argument(
            "--recipe",
            choices=sorted(RECIPES),
            default="",
            help="the first that trains such models, if not given",
        )
        parser.add_argument("--user", default="admin", help="who asks (admin)")
        parser.add_argument("--config", default="default")
        parser.add_argument("--split", default="train", help="rows to learn from (train)")
        parser.add_argument("--valid-split", default="", help="rows to measure on")
        parser.add_argument("--private", action="store_true", default=None)
        parser.add_argument(
            "--set", action="append", default=[], metavar="NAME=VALUE", help="a parameter"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        base, _, base_revision = options["base"].partition("@")
        dataset, _, dataset_revision = options["dataset"].partition("@")
        wish = Wish(
            recipe=options["recipe"],
            base_model=base,
            base_revision=base_revision,
            dataset=dataset,
            dataset_revision=dataset_revision,
            config=options["config"],
            train_split=options["split"],
            valid_split=options["valid_split"],
            parameters=dict(_parameter(text) for text in options["set"]),
            output=options["output"],
            private=options["private"],
        )
        try:
            by = Principal(user=user_named(options["user"]), may_change=True)
            run = runs.request(wish, by=by)
        except Refusal as refusal:
            raise CommandError(refusal.message) from None
        self.stdout.write(f"{run.url}: {run.output_name} will be made by run {run.public_id}")


def _parameter(text: str) -> tuple[str, Any]:
    name, is_set, value = text.partition("=")
    if not is_set:
        raise CommandError(f"{text!r} is not of the form NAME=VALUE.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
