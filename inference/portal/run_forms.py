"""The form of a run: what every run is given, and the parameters of its recipe."""

from collections.abc import Sequence
from typing import Any

from django import forms

from inference.portal.forms import control_of
from inference.services.runs import Wish
from inference.training.recipes import About
from teams.http.forms import ServiceForm

_PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
_NAME = forms.TextInput({**_PLAIN, "placeholder": "owner/name"})
SOURCES = ("dataset", "config", "train_split", "valid_split", "output", "private")


class TrainForm(ServiceForm):
    """Of what, to what, how."""

    dataset = forms.CharField(max_length=200, widget=_NAME, help_text="Whose rows it learns from.")
    config = forms.CharField(max_length=200, initial="default", widget=forms.TextInput(_PLAIN))
    train_split = forms.CharField(
        label="Learn from split",
        max_length=200,
        initial="train",
        widget=forms.TextInput(_PLAIN),
    )
    valid_split = forms.CharField(
        label="Measure on split",
        required=False,
        max_length=200,
        widget=forms.TextInput(_PLAIN),
        help_text="Without one some rows of the other are held back.",
    )
    output = forms.CharField(
        label="Becomes",
        max_length=200,
        widget=_NAME,
        help_text="A new model, or another commit of one of yours.",
    )
    private = forms.ChoiceField(
        label="Visibility",
        required=False,
        choices=[
            ("", "As closed as model and dataset"),
            ("no", "Public"),
            ("yes", "Private"),
        ],
        help_text="Of a new model.",
    )

    def __init__(self, recipe: About, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.recipe = recipe
        for field in recipe.fields:
            self.fields[field.name] = control_of(field)
            # What is left empty has its default.
            self.fields[field.name].required = field.required

    @property
    def sources(self) -> Sequence[forms.BoundField]:
        """Of what, to what."""
        return [self[name] for name in SOURCES]

    @property
    def parameters(self) -> Sequence[forms.BoundField]:
        """How."""
        return [self[field.name] for field in self.recipe.fields]

    def wish(self, base: str, revision: str) -> Wish:
        """What was typed, about the model that the page is of."""
        data = self.cleaned_data
        given = {field.name: data[field.name] for field in self.recipe.fields}
        return Wish(
            recipe=self.recipe.name,
            base_model=base,
            base_revision=revision,
            dataset=data["dataset"].strip(),
            config=data["config"],
            train_split=data["train_split"],
            valid_split=data["valid_split"],
            parameters={name: value for name, value in given.items() if value not in {None, ""}},
            output=data["output"].strip(),
            private={"yes": True, "no": False}.get(data["private"]),
        )
