"""What a card says to those who stand before a gate (``extra_gated_…``), and what they answer.

https://huggingface.co/docs/hub/models-gated: heading, prompt, button and fields to fill in.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from teams.errors import Unprocessable

MOST_FIELDS = 50
MOST_OPTIONS = 300
LONGEST_LABEL = 500
LONGEST_ANSWER = 2000
_COUNTRY = re.compile(r"[^\W\d_][\w .,'()-]{1,79}")


class FieldKind(StrEnum):
    """How a field is filled in."""

    TEXT = "text"
    CHECKBOX = "checkbox"
    DATE = "date_picker"
    COUNTRY = "country"
    SELECT = "select"


@dataclass(frozen=True, slots=True)
class GateField:
    """One field; all of them must be filled in, and every box ticked."""

    label: str
    kind: FieldKind
    options: tuple[str, ...] = ()

    def read(self, text: str) -> str | bool:
        """Answer what somebody filled in.

        Raises:
            Unprocessable: it is nothing, or no answer to this field.
        """
        words = text.strip()
        if not words:
            raise Unprocessable(f"Fill in «{self.label}».")
        if len(words) > LONGEST_ANSWER:
            raise Unprocessable(f"«{self.label}» takes at most {LONGEST_ANSWER:,} characters.")
        if not _FITS[self.kind](self, words):
            raise Unprocessable(f"«{self.label}» can't be {words[:80]!r}.")
        return True if self.kind is FieldKind.CHECKBOX else words


def _is_date(_field: GateField, words: str) -> bool:
    try:
        date.fromisoformat(words)
    except ValueError:
        return False
    return True


_FITS: dict[FieldKind, Callable[[GateField, str], bool]] = {
    FieldKind.TEXT: lambda _field, _words: True,
    FieldKind.CHECKBOX: lambda _field, words: words.lower() in {"on", "true", "1", "yes"},
    FieldKind.DATE: _is_date,
    FieldKind.COUNTRY: lambda _field, words: bool(_COUNTRY.fullmatch(words)),
    FieldKind.SELECT: lambda field, words: words in field.options,
}


@dataclass(frozen=True, slots=True)
class GateTerms:
    """What the card wants said and asked."""

    heading: str = ""
    prompt: str = ""
    """Markdown."""
    description: str = ""
    button: str = ""
    fields: tuple[GateField, ...] = ()

    def read(self, sent: Mapping[str, str]) -> dict[str, str | bool]:
        """Answer what somebody filled in, by label; what was not asked is left out.

        Raises:
            Unprocessable: something is missing, or no answer.
        """
        return {field.label: field.read(sent.get(field.label, "")) for field in self.fields}


def terms_in(metadata: Mapping[str, Any]) -> GateTerms:
    """Read a card's metadata; what makes no sense is left out, for the gate must hold anyway."""
    return GateTerms(
        heading=_text(metadata, "extra_gated_heading")[:200],
        prompt=_text(metadata, "extra_gated_prompt"),
        description=_text(metadata, "extra_gated_description")[:1000],
        button=_text(metadata, "extra_gated_button_content")[:80],
        fields=tuple(_fields(metadata.get("extra_gated_fields"))),
    )


def _text(metadata: Mapping[str, Any], key: str) -> str:
    value = metadata.get(key)
    return value.strip() if isinstance(value, str) else ""


def _fields(told: object) -> list[GateField]:
    if not isinstance(told, Mapping):
        return []
    named = [(label.strip(), about) for label, about in told.items() if isinstance(label, str)]
    found = [_field(label, about) for label, about in named if 0 < len(label) <= LONGEST_LABEL]
    return [field for field in found if field is not None][:MOST_FIELDS]


def _field(label: str, about: object) -> GateField | None:
    kind = about.get("type") if isinstance(about, Mapping) else about
    options = _options(about.get("options")) if isinstance(about, Mapping) else ()
    if kind not in set(FieldKind) or (kind == FieldKind.SELECT and not options):
        return None
    return GateField(label, FieldKind(str(kind)), options if kind == FieldKind.SELECT else ())


def _options(told: object) -> tuple[str, ...]:
    """Each is a word, or ``{label, value}``."""
    found: list[str] = []
    for one in told if isinstance(told, list) else ():
        value = one.get("value", one.get("label")) if isinstance(one, Mapping) else one
        if isinstance(value, str | int) and str(value).strip():
            found.append(str(value).strip()[:LONGEST_LABEL])
    return tuple(dict.fromkeys(found[:MOST_OPTIONS]))
