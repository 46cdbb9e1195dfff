"""The form of a task, made from its table of fields."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms

from inference.protocols.tasks import FIELDS, MAX_TEXT, Call, Field, FieldKind, Task, call_of
from teams.http.forms import ServiceForm

EXAMPLES: Mapping[str, str] = {
    "prompt": "a photo of a red circle",
    "candidate_labels": "red circle\nblue square",
    "question": "what color is this ?",
    "source_sentence": "a red circle",
    "sentences": "a red ring\na blue square",
    "texts": "a red circle",
}
"""What stands in an empty form: a press of the button shows something."""


class CallForm(ServiceForm):
    """What a model is asked."""

    def __init__(self, task: Task, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.task = task
        for field in FIELDS[task]:
            self.fields[field.name] = control_of(field)

    def call(self) -> Call:
        """What was typed, checked as at every other door.

        Raises:
            InputRejected: something is wrong with it.
        """
        given = {
            name: value.read() if hasattr(value, "read") else value
            for name, value in self.cleaned_data.items()
            if value not in {None, ""} or isinstance(value, bool)
        }
        for field in FIELDS[self.task]:
            if field.kind is FieldKind.TEXTS and field.name in given:
                lines = (line.strip() for line in str(given[field.name]).splitlines())
                given[field.name] = [line for line in lines if line]
        return call_of(self.task, given)


def control_of(field: Field) -> forms.Field:
    """What a page asks for a field with."""
    return _MAKERS[field.kind](field)


def _about(field: Field) -> dict[str, Any]:
    initial = field.default if field.default is not None else EXAMPLES.get(field.name)
    if field.required and field.kind in {FieldKind.TEXT, FieldKind.TEXTS}:
        initial = EXAMPLES.get(field.name, initial)
    return {
        "label": field.label,
        "required": field.required,
        "help_text": field.help,
        "initial": initial,
    }


def _text(field: Field) -> forms.Field:
    return forms.CharField(max_length=MAX_TEXT, **_about(field))


def _texts(field: Field) -> forms.Field:
    return forms.CharField(widget=forms.Textarea({"rows": 4}), **_about(field))


def _adapters(field: Field) -> forms.Field:
    return forms.CharField(widget=forms.Textarea({"rows": 2}), **_about(field))


def _image(field: Field) -> forms.Field:
    return forms.FileField(widget=forms.FileInput({"accept": "image/*"}), **_about(field))


def _number(field: Field) -> forms.Field:
    widget = forms.NumberInput({"step": "any"})
    return forms.FloatField(
        widget=widget, min_value=field.least, max_value=field.most, **_about(field)
    )


def _integer(field: Field) -> forms.Field:
    step = field.step if field.step > 1 else None
    return forms.IntegerField(
        min_value=int(field.least), max_value=int(field.most), step_size=step, **_about(field)
    )


def _flag(field: Field) -> forms.Field:
    return forms.BooleanField(**{**_about(field), "required": False})


def _choice(field: Field) -> forms.Field:
    own = [] if field.default is not None else [("", "the model's own")]
    choices = [*own, *((name, name) for name in field.choices)]
    return forms.ChoiceField(choices=choices, **_about(field))


_MAKERS: Mapping[FieldKind, Callable[[Field], forms.Field]] = {
    FieldKind.TEXT: _text,
    FieldKind.TEXTS: _texts,
    FieldKind.IMAGE: _image,
    FieldKind.NUMBER: _number,
    FieldKind.INTEGER: _integer,
    FieldKind.FLAG: _flag,
    FieldKind.CHOICE: _choice,
    FieldKind.ADAPTERS: _adapters,
}
