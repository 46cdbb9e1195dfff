"""Forms of accounts."""

from typing import Any

from django import forms

from teams.http.forms import ServiceForm

MAX_PASSWORD = 200
"""Hashing takes as long as the text; nobody types more."""


def _password(label: str, autocomplete: str, help_text: str = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=MAX_PASSWORD,
        strip=False,
        help_text=help_text,
        widget=forms.PasswordInput({"autocomplete": autocomplete}),
    )


class SignInForm(ServiceForm):
    """Name and password."""

    username = forms.CharField(
        label="Name",
        max_length=96,
        widget=forms.TextInput({"autocomplete": "username", "autofocus": True}),
    )
    password = _password("Password", "current-password")


class PasswordForm(ServiceForm):
    """A new password, twice; and the present one, unless its owner came by a sign-in link."""

    old = _password("Present password", "current-password")
    new = _password("New password", "new-password", "At least 10 characters, and no common one.")
    again = _password("New password, once more", "new-password")

    def __init__(self, *args: Any, needs_old: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not needs_old:
            del self.fields["old"]

    def clean_again(self) -> str:
        again: str = self.cleaned_data["again"]
        if self.cleaned_data.get("new") not in {None, again}:
            raise forms.ValidationError("The two are not the same.")
        return again
