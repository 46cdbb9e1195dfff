"""Forms of organisations, their members and teams."""

from datetime import datetime, time
from typing import Any

from django import forms
from django.utils import timezone

from teams.http.forms import ServiceForm
from teams.models import Organisation
from teams.models.grant import MAX_DESCRIPTION, MAX_TITLE
from teams.models.organisation import MAX_ABOUT
from teams.models.user import MAX_ABOUT as MAX_ABOUT_ONE
from teams.models.user import MAX_FULLNAME
from teams.names import KINDS
from teams.roles import Role

_PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
SAYS = {
    Role.NO_ACCESS: "Guest: only what teams and grants give",
    Role.READ: "Member: reads every repo",
    Role.CONTRIBUTOR: "Contributor: makes repos, and writes those",
    Role.WRITE: "Writer: writes every repo",
    Role.ADMIN: "Admin: also members and settings",
}
GRANTED = {
    Role.READ: "Read",
    Role.CONTRIBUTOR: "Contribute: make repos, and write those",
    Role.WRITE: "Write",
    Role.ADMIN: "Admin: also who has access",
}


def _roles(most: Role, least: Role = Role.NO_ACCESS) -> list[tuple[str, str]]:
    return [(role.label, SAYS[role]) for role in Role if least <= role <= most]


def role_of(label: str) -> Role:
    """The role of a choice that a form took."""
    return Role[label.upper()]


class NewOrganisationForm(ServiceForm):
    """The name; everything else can be said later."""

    name = forms.CharField(
        max_length=96,
        help_text="It begins the name of every repo of the organisation, and stays as it is.",
        widget=forms.TextInput(_PLAIN),
    )


class OrganisationForm(ServiceForm):
    """Profile and defaults."""

    fullname = forms.CharField(label="Full name", max_length=MAX_FULLNAME)
    about = forms.CharField(
        required=False, max_length=MAX_ABOUT, widget=forms.Textarea({"rows": 3})
    )
    website = forms.CharField(required=False, max_length=200)
    default_role = forms.ChoiceField(
        label="What new members are, if nothing else is said", choices=_roles(Role.WRITE)
    )
    default_visibility = forms.ChoiceField(
        label="Visibility of new repos, if nothing else is said",
        choices=Organisation.Visibility.choices,
    )
    creators = forms.ChoiceField(
        label="Who may make repos",
        choices=[
            (Role.CONTRIBUTOR.label, "Contributors, writers and admins"),
            (Role.WRITE.label, "Writers and admins"),
            (Role.ADMIN.label, "Admins"),
        ],
    )


class InviteForm(ServiceForm):
    """Whom to invite, and as what."""

    email = forms.CharField(
        label="E-mail address",
        required=False,
        max_length=254,
        help_text="With an address only who has it may accept. Without one, whoever has the link.",
        widget=forms.EmailInput({"autocomplete": "off"}),
    )
    role = forms.ChoiceField(label="As", choices=_roles(Role.ADMIN))


class NamedForm(ServiceForm):
    """A team or a resource group."""

    name = forms.CharField(max_length=MAX_TITLE, widget=forms.TextInput({"autocomplete": "off"}))
    description = forms.CharField(required=False, max_length=MAX_DESCRIPTION)


class GrantForm(ServiceForm):
    """Who gets which role, and until when."""

    to = forms.ChoiceField(label="Team", required=False)
    user = forms.CharField(
        label="Or user", required=False, max_length=96, widget=forms.TextInput(_PLAIN)
    )
    role = forms.ChoiceField(
        choices=[(role.label, text) for role, text in GRANTED.items()], initial=Role.READ.label
    )
    kinds = forms.MultipleChoiceField(
        label="On",
        choices=[(kind, f"{kind}s") for kind in KINDS],
        initial=list(KINDS),
        widget=forms.CheckboxSelectMultiple,
    )
    until = forms.DateField(
        label="Until the end of",
        required=False,
        widget=forms.DateInput({"type": "date"}),
        help_text="Without a day it holds until somebody takes it back.",
    )

    def __init__(self, *args: Any, teams: list[tuple[str, str]], one_repo: bool = False) -> None:
        super().__init__(*args)
        self.fields["to"] = forms.ChoiceField(
            label="Team", required=False, choices=[("", "No team"), *teams]
        )
        if one_repo:
            del self.fields["kinds"]
        if not teams:
            del self.fields["to"]

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if bool(values.get("to")) == bool(values.get("user")):
            raise forms.ValidationError("Say which team or which user, one of the two.")
        return values

    @property
    def expires_at(self) -> datetime | None:
        """The last moment of the day, in UTC as all times here."""
        day = self.cleaned_data["until"]
        return (
            datetime.combine(day, time.max, tzinfo=timezone.get_current_timezone()) if day else None
        )


class ProfileForm(ServiceForm):
    """What a user says of themselves."""

    fullname = forms.CharField(label="Full name", required=False, max_length=MAX_FULLNAME)
    email = forms.EmailField(
        label="E-mail address",
        required=False,
        help_text="Where invitations and news reach you. It is shown to nobody.",
    )
    website = forms.CharField(required=False, max_length=200)
    about = forms.CharField(
        label="About you",
        required=False,
        max_length=MAX_ABOUT_ONE,
        widget=forms.Textarea({"rows": 3}),
    )
