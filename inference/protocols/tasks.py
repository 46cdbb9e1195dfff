"""Tasks: what each is given, within which bounds. One table makes checks, forms and their help."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from inference.errors import InputRejected
from inference.protocols.adapters import adapters_of
from inference.protocols.images import checked_image, image_of

MAX_TEXT = 10_000
MAX_TEXTS = 1_000
MAX_CHARACTERS = 2_000_000
"""Of all texts together."""
MAX_EDGE = 2048
MAX_SEED = 2**53 - 1
"""What JSON's readers in browsers still know exactly."""


class Task(StrEnum):
    """The names are those that clients and cards use (``pipeline_tag``)."""

    TEXT_TO_IMAGE = "text-to-image"
    IMAGE_TO_IMAGE = "image-to-image"
    ZERO_SHOT = "zero-shot-image-classification"
    IMAGE_LABELS = "image-classification"
    TEXT_LABELS = "text-classification"
    FEATURES = "feature-extraction"
    SIMILARITY = "sentence-similarity"
    IMAGE_TO_TEXT = "image-to-text"
    QUESTION = "visual-question-answering"
    IMAGE_FEATURES = "image-feature-extraction"


class FieldKind(StrEnum):
    """What a field holds."""

    TEXT = "text"
    TEXTS = "texts"
    IMAGE = "image"
    NUMBER = "number"
    INTEGER = "integer"
    FLAG = "flag"
    CHOICE = "choice"
    ADAPTERS = "adapters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing that a task is given."""

    name: str
    label: str
    kind: FieldKind = FieldKind.TEXT
    required: bool = False
    default: Any = None
    least: float = -math.inf
    most: float = math.inf
    step: int = 1
    """An integer has to be a multiple of it."""
    choices: tuple[str, ...] = ()
    help: str = ""


SCHEDULERS = (
    "DDIM",
    "DDPM",
    "DPM++ 2M",
    "Euler",
    "Euler a",
    "Heun",
    "LCM",
    "PNDM",
    "UniPC",
)
PROMPT = Field(name="prompt", label="Prompt", required=True)
IMAGE = Field(name="image", label="Image", kind=FieldKind.IMAGE, required=True)
TEXT = Field(name="text", label="Text", required=True)
TEXTS = Field(name="texts", label="Texts", kind=FieldKind.TEXTS, required=True, help="One a line.")
TOP = Field(
    name="top_k", label="Answers", kind=FieldKind.INTEGER, least=1, most=1000, help="At most."
)
_DRAWING = (
    Field(name="negative_prompt", label="Negative prompt", default="", help="What to avoid."),
    Field(
        name="num_inference_steps",
        label="Steps",
        kind=FieldKind.INTEGER,
        default=20,
        least=1,
        most=150,
    ),
    Field(
        name="guidance_scale",
        label="Guidance",
        kind=FieldKind.NUMBER,
        default=7.5,
        least=0,
        most=50,
        help="How closely the prompt is followed; 1 is not at all.",
    ),
    Field(
        name="scheduler",
        label="Scheduler",
        kind=FieldKind.CHOICE,
        choices=SCHEDULERS,
        help="The model's own, if none is chosen.",
    ),
    Field(
        name="seed",
        label="Seed",
        kind=FieldKind.INTEGER,
        least=0,
        most=MAX_SEED,
        help="The same seed draws the same picture.",
    ),
    Field(
        name="adapters",
        label="Adapters",
        kind=FieldKind.ADAPTERS,
        help="LoRA repos, one a line: namespace/name@revision 0.8.",
    ),
)
_SIZE = tuple(
    Field(
        name=name,
        label=label,
        kind=FieldKind.INTEGER,
        least=8,
        most=MAX_EDGE,
        step=8,
        help="Pixels; the model's own, if not given.",
    )
    for name, label in (("width", "Width"), ("height", "Height"))
)
_UNIT = Field(
    name="normalize", label="Unit length", kind=FieldKind.FLAG, default=True, help="Divide by it."
)
_NEW_TOKENS = Field(
    name="max_new_tokens",
    label="Longest answer",
    kind=FieldKind.INTEGER,
    default=20,
    least=1,
    most=200,
    help="Tokens.",
)

FIELDS: Mapping[Task, tuple[Field, ...]] = {
    Task.TEXT_TO_IMAGE: (PROMPT, *_DRAWING, *_SIZE),
    Task.IMAGE_TO_IMAGE: (
        IMAGE,
        PROMPT,
        Field(
            name="mask",
            label="Mask",
            kind=FieldKind.IMAGE,
            help="Only what is white in it is drawn anew.",
        ),
        Field(
            name="strength",
            label="Strength",
            kind=FieldKind.NUMBER,
            default=0.8,
            least=0.01,
            most=1,
            help="How far from the image; 1 forgets it.",
        ),
        *_DRAWING,
        *_SIZE,
    ),
    Task.ZERO_SHOT: (
        IMAGE,
        Field(
            name="candidate_labels",
            label="Labels",
            kind=FieldKind.TEXTS,
            required=True,
            help="One a line.",
        ),
        Field(
            name="hypothesis_template",
            label="Template",
            default="This is a photo of {}.",
            help="A label takes the place of {}.",
        ),
    ),
    Task.IMAGE_LABELS: (IMAGE, TOP),
    Task.TEXT_LABELS: (TEXT, TOP),
    Task.FEATURES: (TEXTS, _UNIT),
    Task.IMAGE_FEATURES: (IMAGE, _UNIT),
    Task.SIMILARITY: (
        Field(name="source_sentence", label="Text", required=True),
        Field(
            name="sentences",
            label="Compare with",
            kind=FieldKind.TEXTS,
            required=True,
            help="One a line.",
        ),
    ),
    Task.IMAGE_TO_TEXT: (IMAGE, Field(name="prompt", label="Begin with", default=""), _NEW_TOKENS),
    Task.QUESTION: (IMAGE, Field(name="question", label="Question", required=True), _NEW_TOKENS),
}


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked of a model, checked: every field of the task has a value or None."""

    task: Task
    values: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.values[name]


def call_of(task: Task, given: Mapping[str, Any]) -> Call:
    """Check what was given for ``task``. Images may be bytes, or base64 with or without ``data:``.

    Raises:
        InputRejected: something is missing, unknown, of the wrong kind or out of bounds.
    """
    values = values_of(FIELDS[task], given, task)
    if task is Task.ZERO_SHOT and "{}" not in values["hypothesis_template"]:
        raise InputRejected("hypothesis_template must hold {}, the place of a label.")
    return Call(task, values)


def values_of(fields: Sequence[Field], given: Mapping[str, Any], what: str) -> Mapping[str, Any]:
    """Check what was given for ``fields``: each has a value or None. ``what`` is said to know them.

    Raises:
        InputRejected: as :func:`call_of`.
    """
    known = {field.name: field for field in fields}
    if strange := sorted(given.keys() - known.keys()):
        names = ", ".join(known)
        raise InputRejected(f"{what} knows no {strange[0]!r}; it takes {names}.")
    return {name: _value(field, given.get(name)) for name, field in known.items()}


def _value(field: Field, given: Any) -> Any:
    if given is None or given == "":
        if field.required:
            raise InputRejected(f"{field.name} is missing.")
        return field.default
    return _READERS[field.kind](field, given)


def _text(field: Field, given: Any) -> str:
    if not isinstance(given, str):
        raise InputRejected(f"{field.name} must be a text.")
    if len(given) > MAX_TEXT:
        raise InputRejected(f"{field.name} has more than {MAX_TEXT:,} characters.")
    if not given.strip():
        raise InputRejected(f"{field.name} is empty.")
    if "\0" in given or (not given.isprintable() and _has_half_a_pair(given)):
        raise InputRejected(f"{field.name} holds what is no text.")
    return given


def _has_half_a_pair(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _texts(field: Field, given: Any) -> list[str]:
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list | tuple) or not texts:
        raise InputRejected(f"{field.name} must be a list of texts, with at least one.")
    if len(texts) > MAX_TEXTS:
        raise InputRejected(f"{field.name} has more than {MAX_TEXTS:,} texts.")
    read = [_text(field, text) for text in texts]
    if sum(map(len, read)) > MAX_CHARACTERS:
        raise InputRejected(f"{field.name} has more than {MAX_CHARACTERS:,} characters in all.")
    return read


def _number(field: Field, given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise InputRejected(f"{field.name} must be a number.")
    try:
        number = float(given)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InputRejected(f"{field.name} must be a number.")
    if not field.least <= number <= field.most:
        raise InputRejected(f"{field.name} must be {field.least:g} to {field.most:g}.")
    return number


def _integer(field: Field, given: Any) -> int:
    if isinstance(given, float) and given.is_integer():
        given = int(given)
    if isinstance(given, bool) or not isinstance(given, int):
        raise InputRejected(f"{field.name} must be a whole number.")
    if not field.least <= given <= field.most:
        raise InputRejected(f"{field.name} must be {field.least:.0f} to {field.most:.0f}.")
    if given % field.step:
        raise InputRejected(f"{field.name} must be a multiple of {field.step}.")
    return given


def _flag(field: Field, given: Any) -> bool:
    if not isinstance(given, bool):
        raise InputRejected(f"{field.name} must be true or false.")
    return given


def _choice(field: Field, given: Any) -> str:
    if given not in field.choices:
        raise InputRejected(f"{field.name} must be one of {', '.join(field.choices)}.")
    return str(given)


def _image(field: Field, given: Any) -> bytes:
    return checked_image(image_of(given, field.name), field.name)


def _adapters(field: Field, given: Any) -> list[dict[str, Any]] | None:
    return adapters_of(given, field.name) or None


_READERS = {
    FieldKind.TEXT: _text,
    FieldKind.TEXTS: _texts,
    FieldKind.NUMBER: _number,
    FieldKind.INTEGER: _integer,
    FieldKind.FLAG: _flag,
    FieldKind.CHOICE: _choice,
    FieldKind.IMAGE: _image,
    FieldKind.ADAPTERS: _adapters,
}
