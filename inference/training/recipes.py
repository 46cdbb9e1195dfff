"""Which recipes there are. One table makes the form, the schema and the checks of a request.

A new recipe is one file with a class (:class:`inference.training.ports.Recipe`) and one entry here.
Web reads the table only: the class is imported in the child that trains, for torch is heavy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pyarrow as pa

from inference.errors import InputRejected
from inference.protocols.families import Family
from inference.protocols.tasks import MAX_EDGE, Field, FieldKind, values_of
from inference.training.parameters import schema_of, with_defaults
from inference.training.ports import Recipe, TrainingFailed
from inference.training.rows import Holds, held_by


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A column that a recipe reads; a parameter of this name says which, else it is looked for."""

    parameter: str
    label: str
    holds: tuple[Holds, ...]
    """What it may hold; the first is looked for first."""
    optional: bool = False

    @property
    def field(self) -> Field:
        return Field(name=self.parameter, label=self.label, default="", help="Found if not named.")


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """A recipe as everybody may know it."""

    name: str
    title: str
    summary: str
    families: frozenset[Family]
    """Which base models it trains."""
    needs: tuple[Need, ...]
    fewest: int
    """Rows that there must be."""
    own: tuple[Field, ...]
    """Its parameters, those of :mod:`inference.training.parameters` among them."""
    task: str
    """``pipeline_tag`` of what it makes; empty: the base's."""
    library: str
    """``library_name`` of what it makes."""
    relation: str = "finetune"
    """``base_model_relation``: finetune or adapter."""
    usage: str = ""
    """How its model is used, as code of its card; ``{model}`` and ``{base}`` are names."""
    home: tuple[str, str] = ("", "")
    """Module below ``inference.training``, and the class in it."""

    @property
    def fields(self) -> tuple[Field, ...]:
        """All parameters, the columns among them."""
        return (*(need.field for need in self.needs), *self.own)

    @property
    def schema(self) -> dict[str, Any]:
        return schema_of(self.fields, self.title)

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Check parameters; those not given have their default.

        Raises:
            InputRejected: one is unknown, of the wrong kind or out of bounds.
        """
        return dict(values_of(self.fields, given, f"Recipe {self.name}"))

    def columns(self, schema: pa.Schema, values: Mapping[str, Any]) -> dict[str, str]:
        """Find the column for each need, by its name if one was given, else by what it holds.

        Raises:
            TrainingFailed: there is none, or it holds something else.
        """
        held = held_by(schema)
        found: dict[str, str] = {}
        for need in self.needs:
            column = _column(need, held, str(values.get(need.parameter) or ""), found.values())
            if column:
                found[need.parameter] = column
        return found


def _column(need: Need, held: Mapping[str, Holds], named: str, taken: Any) -> str:
    if named:
        if named not in held:
            raise TrainingFailed("missing_column", f"The dataset has no column {named!r}.")
        if held[named] not in need.holds:
            raise TrainingFailed(
                "wrong_column",
                f"Column {named!r} holds {held[named]}; {need.parameter} needs {need.holds[0]}.",
            )
        return named
    for wanted in need.holds:
        for column, holds in held.items():
            if holds is wanted and column not in taken:
                return column
    if need.optional:
        return ""
    known = ", ".join(f"{column} ({holds})" for column, holds in held.items())
    raise TrainingFailed(
        "missing_column", f"The dataset has no column of {need.holds[0]}s; it has {known}."
    )


_IMAGE = Need(parameter="image_column", label="Image column", holds=(Holds.IMAGE,))
_TARGET = Need(
    parameter="target_column",
    label="Label column",
    holds=(Holds.LABEL, Holds.TEXT, Holds.NUMBER),
)
_CAPTION = Need(
    parameter="caption_column", label="Caption column", holds=(Holds.TEXT,), optional=True
)
_DRAW = """from diffusers import DiffusionPipeline

pipeline = DiffusionPipeline.from_pretrained("{base}")
pipeline.load_lora_weights("{model}")
pipeline("a prompt").images[0]"""
_CLASSIFY = """from transformers import pipeline

classify = pipeline("image-classification", "{model}")
classify("picture.png")"""

_ABOUT = (
    About(
        name="image-classification",
        title="Image classification",
        summary="Teach a vision model your labels, all of it or only its head (a linear probe).",
        families=frozenset({Family.IMAGE_LABELS}),
        needs=(_IMAGE, _TARGET),
        fewest=10,
        own=(
            Field(
                name="train",
                label="Train",
                kind=FieldKind.CHOICE,
                default="all",
                choices=("all", "head"),
                help="All weights, or only the head: a linear probe of the base's features.",
            ),
            *with_defaults(),
        ),
        task="image-classification",
        library="transformers",
        usage=_CLASSIFY,
        home=("classifiers", "ImageClassification"),
    ),
    About(
        name="text-to-image-lora",
        title="Stable Diffusion LoRA",
        summary="Teach a Stable Diffusion model a style or a thing, by small weights beside it.",
        families=frozenset({Family.DIFFUSION}),
        needs=(_IMAGE, _CAPTION),
        fewest=3,
        own=(
            Field(
                name="caption",
                label="Caption",
                default="",
                help="For all images; the text of the caption column takes the place of {}.",
            ),
            Field(
                name="rank",
                label="Rank",
                kind=FieldKind.INTEGER,
                default=8,
                least=1,
                most=256,
                help="How much the new weights can hold.",
            ),
            Field(
                name="alpha",
                label="Alpha",
                kind=FieldKind.NUMBER,
                least=0.01,
                most=1024,
                help="The new weights count alpha / rank; as much as rank, if not given.",
            ),
            Field(
                name="targets",
                label="Where",
                kind=FieldKind.CHOICE,
                default="attention",
                choices=("attention", "all"),
                help="Beside the attention of the UNet, or its feed-forward layers, too.",
            ),
            Field(
                name="resolution",
                label="Resolution",
                kind=FieldKind.INTEGER,
                least=16,
                most=MAX_EDGE,
                step=8,
                help="Pixels of the square that images are cut to; the model's own, if not given.",
            ),
            Field(
                name="min_snr_gamma",
                label="Min-SNR",
                kind=FieldKind.NUMBER,
                default=0.0,
                least=0,
                most=100,
                help="Steps with less noise than this count less, mostly 5; 0 counts all the same.",
            ),
            *with_defaults(lr=1e-4, epochs=10, batch_size=4, valid_share=0.0),
        ),
        task="text-to-image",
        library="diffusers",
        relation="adapter",
        usage=_DRAW,
        home=("diffusion_lora", "DiffusionLora"),
    ),
    About(
        name="echo",
        title="Echo",
        summary="Learns how bright images of each label are. It shows that all around it works.",
        families=frozenset({Family.ECHO}),
        needs=(_IMAGE, _TARGET),
        fewest=2,
        own=with_defaults(lr=0.1, checkpointing_steps=10),
        task="image-classification",
        library="echo",
        home=("echo", "Brightness"),
    ),
)

RECIPES: Mapping[str, About] = {about.name: about for about in _ABOUT}


def about(name: str) -> About:
    """The recipe of that name.

    Raises:
        InputRejected: there is none.
    """
    if name not in RECIPES:
        raise InputRejected(f"There is no recipe {name!r}; there are {', '.join(RECIPES)}.")
    return RECIPES[name]


def recipes_for(family: Family) -> Sequence[About]:
    """Those that train models of a family."""
    return [one for one in _ABOUT if family in one.families]


def load(name: str) -> Recipe:
    """Import the class of a recipe; only the child that trains does."""
    module, kind = about(name).home
    found: Recipe = getattr(import_module(f"inference.training.{module}"), kind)
    return found
