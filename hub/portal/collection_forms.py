"""The forms of collections."""

from collections.abc import Sequence
from typing import Any

from django import forms

from hub.models.collection import MAX_DESCRIPTION, MAX_NOTE, MAX_TITLE
from hub.portal.forms import VISIBILITIES
from hub.services.collections import THEMES, CollectionWish, Named
from teams.http.forms import ServiceForm

_PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
_KINDS = [
    ("model", "Model"),
    ("dataset", "Dataset"),
    ("space", "Space"),
    ("paper", "Paper of arXiv"),
    ("collection", "Collection"),
]


class CollectionForm(ServiceForm):
    """What a collection is; of one that begins, also whose it is and what stands in it first."""

    owner = forms.ChoiceField()
    title = forms.CharField(max_length=MAX_TITLE)
    description = forms.CharField(max_length=MAX_DESCRIPTION, required=False)
    theme = forms.ChoiceField(
        label="Colour", choices=[(theme, theme.capitalize()) for theme in THEMES]
    )
    visibility = forms.ChoiceField(choices=VISIBILITIES, initial="public", widget=forms.RadioSelect)
    item = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, owners: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not owners:
            del self.fields["owner"], self.fields["item"]
            return
        owner = self.fields["owner"]
        if isinstance(owner, forms.ChoiceField):
            owner.choices = [(name, name) for name in owners]

    @property
    def wish(self) -> CollectionWish:
        sent = self.cleaned_data
        return CollectionWish(
            title=sent["title"],
            description=sent["description"],
            theme=sent["theme"],
            private=sent["visibility"] == "private",
        )

    @property
    def first(self) -> Named | None:
        kind, _, name = self.cleaned_data["item"].partition("/")
        return Named(kind, name) if kind else None


class ItemForm(ServiceForm):
    """What to put into a collection."""

    kind = forms.ChoiceField(label="What it is", choices=_KINDS)
    name = forms.CharField(
        label="Name",
        max_length=250,
        help_text="A repo's full name, a paper's number or a collection's slug.",
        widget=forms.TextInput(_PLAIN),
    )
    note = forms.CharField(max_length=MAX_NOTE, required=False)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        return name.strip().removeprefix("/")
