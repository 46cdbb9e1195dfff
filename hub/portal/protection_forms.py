"""The forms of rules and promotions."""

from typing import Any

from django import forms

from hub.models.protection import MAX_NEEDED
from hub.services.protection import RuleWish
from teams.http.forms import ServiceForm
from teams.roles import Role

_PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}


class RuleForm(ServiceForm):
    """What has to be so before a branch or a tag moves."""

    kind = forms.ChoiceField(
        label="Protect", choices=[("branch", "Branches"), ("tag", "Tags")], initial="branch"
    )
    pattern = forms.CharField(
        label="Called",
        max_length=255,
        help_text="A name or a glob: main, release/*, v*.",
        widget=forms.TextInput(_PLAIN),
    )
    least_role = forms.ChoiceField(
        label="Who may move them",
        choices=[(Role.WRITE.label, "Whoever may write"), (Role.ADMIN.label, "Admins")],
    )
    movers = forms.CharField(
        label="And these users",
        required=False,
        help_text="Names with spaces between them, of people who may write.",
        widget=forms.TextInput(_PLAIN),
    )
    keeps_history = forms.BooleanField(
        label="A branch only grows, a tag stays where it was put", required=False, initial=True
    )
    forbids_deletion = forms.BooleanField(label="Nobody deletes them", required=False, initial=True)
    needs_pull_request = forms.BooleanField(
        label="A branch changes by pull requests alone", required=False
    )
    needed_approvals = forms.IntegerField(
        label="Approvals by other people", min_value=0, max_value=MAX_NEEDED, initial=0
    )
    needed_checks = forms.CharField(
        label="Checks that must succeed",
        required=False,
        help_text="The contexts of commit statuses, with commas between them.",
        widget=forms.TextInput(_PLAIN),
    )

    @property
    def wish(self) -> RuleWish:
        sent: dict[str, Any] = dict(self.cleaned_data)
        checks = (one.strip() for one in sent.pop("needed_checks").split(","))
        return RuleWish(
            least_role=Role[sent.pop("least_role").upper()],
            movers=sent.pop("movers").split(),
            needed_checks=[one for one in checks if one],
            **sent,
        )


class PromotionForm(ServiceForm):
    """Which tag is to name which commit."""

    tag = forms.CharField(max_length=255, widget=forms.TextInput(_PLAIN))
    revision = forms.CharField(
        label="Is to name",
        max_length=255,
        help_text="A branch, a tag or a commit.",
        widget=forms.TextInput(_PLAIN),
    )
    note = forms.CharField(max_length=1000, required=False)
