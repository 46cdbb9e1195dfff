"""Parameters that recipes share, by the names that AutoTrain gives them; and any as JSON schema.

https://huggingface.co/docs/autotrain
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isfinite
from typing import Any

from inference.protocols.tasks import Field, FieldKind

MAX_STEPS = 1_000_000

EPOCHS = Field(
    name="epochs",
    label="Epochs",
    kind=FieldKind.INTEGER,
    default=3,
    least=1,
    most=10_000,
    help="How often each row is seen.",
)
BATCH_SIZE = Field(
    name="batch_size",
    label="Batch size",
    kind=FieldKind.INTEGER,
    default=8,
    least=1,
    most=4096,
    help="Rows of one step.",
)
GRADIENT_ACCUMULATION = Field(
    name="gradient_accumulation",
    label="Parts of a batch",
    kind=FieldKind.INTEGER,
    default=1,
    least=1,
    most=1024,
    help="A batch goes through the model in so many parts: less memory, the same step.",
)
LR = Field(
    name="lr",
    label="Learning rate",
    kind=FieldKind.NUMBER,
    default=5e-5,
    least=1e-9,
    most=1000,
)
SCHEDULER = Field(
    name="scheduler",
    label="Rate falls",
    kind=FieldKind.CHOICE,
    default="linear",
    choices=("linear", "cosine", "constant"),
    help="How the learning rate goes down after the warm-up.",
)
WARMUP_RATIO = Field(
    name="warmup_ratio",
    label="Warm-up",
    kind=FieldKind.NUMBER,
    default=0.1,
    least=0,
    most=1,
    help="The share of all steps in which the learning rate rises.",
)
WEIGHT_DECAY = Field(
    name="weight_decay",
    label="Weight decay",
    kind=FieldKind.NUMBER,
    default=0.0,
    least=0,
    most=10,
)
MAX_GRAD_NORM = Field(
    name="max_grad_norm",
    label="Longest gradient",
    kind=FieldKind.NUMBER,
    default=1.0,
    least=0,
    most=1e6,
    help="Longer ones are cut to it; 0 cuts none.",
)
SEED = Field(
    name="seed",
    label="Seed",
    kind=FieldKind.INTEGER,
    default=42,
    least=0,
    most=2**31 - 1,
    help="The same seed gives the same model, on the same machine.",
)
CHECKPOINTING_STEPS = Field(
    name="checkpointing_steps",
    label="Steps between checkpoints",
    kind=FieldKind.INTEGER,
    default=100,
    least=1,
    most=MAX_STEPS,
    help="What is lost at most when a worker dies.",
)
VALID_SHARE = Field(
    name="valid_share",
    label="Held back",
    kind=FieldKind.NUMBER,
    default=0.2,
    least=0,
    most=0.9,
    help="The share of rows that is only evaluated on, where there is no split for it.",
)

COMMON = (
    EPOCHS,
    BATCH_SIZE,
    GRADIENT_ACCUMULATION,
    LR,
    SCHEDULER,
    WARMUP_RATIO,
    WEIGHT_DECAY,
    MAX_GRAD_NORM,
    VALID_SHARE,
    SEED,
    CHECKPOINTING_STEPS,
)
"""What every recipe takes; the loop of all trainings reads the last three itself."""


def with_defaults(**defaults: Any) -> tuple[Field, ...]:
    """The common parameters with other defaults."""
    return tuple(
        replace(field, default=defaults.get(field.name, field.default)) for field in COMMON
    )


_TYPES: Mapping[FieldKind, str] = {
    FieldKind.TEXT: "string",
    FieldKind.CHOICE: "string",
    FieldKind.NUMBER: "number",
    FieldKind.INTEGER: "integer",
    FieldKind.FLAG: "boolean",
}


def schema_of(fields: Sequence[Field], title: str) -> dict[str, Any]:
    """The fields as JSON Schema (draft 2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "additionalProperties": False,
        "properties": {field.name: _property(field) for field in fields},
        "required": [field.name for field in fields if field.required],
    }


def _property(field: Field) -> dict[str, Any]:
    told: dict[str, Any] = {"type": _TYPES[field.kind], "title": field.label}
    if field.help:
        told["description"] = field.help
    if field.default is not None:
        told["default"] = field.default
    if field.choices:
        told["enum"] = list(field.choices)
    if isfinite(field.least):
        told["minimum"] = field.least
    if isfinite(field.most):
        told["maximum"] = field.most
    if field.kind is FieldKind.INTEGER and field.step > 1:
        told["multipleOf"] = field.step
    return told
