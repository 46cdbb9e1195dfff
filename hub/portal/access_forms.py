"""Forms of gated repos: what a card asks of who wants to be let in, and whom to let in unasked."""

from collections.abc import Callable
from typing import Any

from django import forms

from hub.cards.gate import LONGEST_ANSWER, FieldKind, GateField, GateTerms
from teams.http.forms import ServiceForm


class AskForm(ServiceForm):
    """The fields of a card, all of which must be filled in."""

    def __init__(self, *args: Any, terms: GateTerms) -> None:
        super().__init__(*args)
        self._asked = {f"field{place}": field for place, field in enumerate(terms.fields)}
        for name, field in self._asked.items():
            self.fields[name] = _FIELDS[field.kind](field)

    @property
    def answers(self) -> dict[str, str]:
        """What was filled in, by label, as text; the service reads it again."""
        return {field.label: self._text(name) for name, field in self._asked.items()}

    def _text(self, name: str) -> str:
        value = self.cleaned_data[name]
        if isinstance(value, bool):
            return "on" if value else ""
        return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _text_field(field: GateField) -> forms.Field:
    return forms.CharField(label=field.label, max_length=LONGEST_ANSWER)


def _box(field: GateField) -> forms.Field:
    return forms.BooleanField(label=field.label)


def _date(field: GateField) -> forms.Field:
    widget = forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=field.label, widget=widget)


def _country(field: GateField) -> forms.Field:
    widget = forms.TextInput({"autocomplete": "country-name"})
    return forms.CharField(label=field.label, max_length=80, widget=widget)


def _select(field: GateField) -> forms.Field:
    options = [("", "Choose…"), *((one, one) for one in field.options)]
    return forms.ChoiceField(label=field.label, choices=options)


_FIELDS: dict[FieldKind, Callable[[GateField], forms.Field]] = {
    FieldKind.TEXT: _text_field,
    FieldKind.CHECKBOX: _box,
    FieldKind.DATE: _date,
    FieldKind.COUNTRY: _country,
    FieldKind.SELECT: _select,
}


class GrantForm(ServiceForm):
    """Somebody to let in who did not ask."""

    user = forms.CharField(
        label="Name",
        max_length=96,
        widget=forms.TextInput(
            {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
