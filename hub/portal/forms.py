"""Forms of repos."""

from collections.abc import Sequence
from typing import Any

from django import forms

from hub.cards.vocabularies import LICENSES
from hub.errors import BadName
from hub.models import Repo
from hub.names import MAX_PART, RepoKind, RepoName
from teams.http.forms import ServiceForm

VISIBILITIES = [
    (Repo.Visibility.PUBLIC.value, "Public: anybody who reaches this hub may read it"),
    (Repo.Visibility.PRIVATE.value, "Private: only you and your organisation may"),
]
GATES = [
    (Repo.Gate.OPEN.value, "Open: whoever sees the repo may read its files"),
    (Repo.Gate.AUTO.value, "Gated: whoever signs in and asks reads the files"),
    (Repo.Gate.MANUAL.value, "Gated: whoever you let in reads the files"),
]
_PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}


class _Named(ServiceForm):
    """Owner and name, which together are the repo's full name."""

    owner = forms.ChoiceField()
    name = forms.CharField(max_length=MAX_PART, widget=forms.TextInput(_PLAIN))

    def __init__(self, *args: Any, owners: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"] = forms.ChoiceField(choices=[(owner, owner) for owner in owners])

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        try:
            RepoName.parse(f"{self.cleaned_data.get('owner', 'owner')}/{name}")
        except BadName:
            raise forms.ValidationError(
                "Use letters, digits, '-', '_' and '.'; begin and end with a letter or digit."
            ) from None
        return name

    @property
    def full_name(self) -> RepoName:
        return RepoName(self.cleaned_data["owner"], self.cleaned_data["name"])


class NewRepoForm(_Named):
    """What a repo is when it begins."""

    kind = forms.ChoiceField(
        label="What it holds",
        choices=[
            (RepoKind.MODEL.value, "A model"),
            (RepoKind.DATASET.value, "A dataset"),
            (RepoKind.SPACE.value, "A space: the files of an app, kept but not run here"),
        ],
        initial=RepoKind.MODEL.value,
        widget=forms.RadioSelect,
    )
    visibility = forms.ChoiceField(
        choices=VISIBILITIES, initial=Repo.Visibility.PUBLIC.value, widget=forms.RadioSelect
    )
    licence = forms.ChoiceField(
        required=False,
        choices=[("", "None yet"), *LICENSES.items()],
        help_text="It is written into the card, where you can change it later.",
    )


class RenameForm(_Named):
    """Another owner, another name, or both."""


class VisibilityForm(ServiceForm):
    """Who may know of the repo."""

    visibility = forms.ChoiceField(choices=VISIBILITIES, widget=forms.RadioSelect)


class GateForm(ServiceForm):
    """Who may read the files of a repo that everybody sees."""

    gate = forms.ChoiceField(
        label="Access to files", choices=GATES, required=False, widget=forms.RadioSelect
    )

    def __init__(self, data: Any = None, *, gate: str) -> None:
        super().__init__(data, initial={"gate": gate})


class DeleteForm(ServiceForm):
    """The full name, typed: nobody deletes the wrong repo by a slip."""

    confirmation = forms.CharField(label="Full name of the repo", widget=forms.TextInput(_PLAIN))

    def __init__(self, *args: Any, full_name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.full_name = full_name

    def clean_confirmation(self) -> str:
        typed: str = self.cleaned_data["confirmation"]
        if typed.strip() != self.full_name:
            raise forms.ValidationError(f"This is not {self.full_name}. Nothing was deleted.")
        return typed
