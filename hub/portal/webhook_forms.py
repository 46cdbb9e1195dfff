"""The form of a webhook."""

from collections.abc import Sequence
from typing import Any

from django import forms

from hub.models import Webhook
from hub.outgoing.presets import Preset
from hub.services.fan_out import EVENTS
from hub.services.webhook_secrets import masked, unseal
from hub.services.webhooks import Watched, Wish
from teams.http.forms import ServiceForm

SPEAKS = {
    Preset.PLAIN: "Anybody",
    Preset.GITHUB: "GitHub Actions",
    Preset.GITLAB: "GitLab CI",
    Preset.JENKINS: "Jenkins, Generic Webhook Trigger",
    Preset.JENKINS_BUILD: "Jenkins, a job with parameters",
}
_PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}


class WebhookForm(ServiceForm):
    """Where it goes and what it hears of; of a new one also whose it is."""

    owner = forms.ChoiceField()
    url = forms.CharField(label="URL", max_length=2000, widget=forms.URLInput(_PLAIN))
    preset = forms.ChoiceField(
        label="Speaks to",
        choices=[(preset.value, label) for preset, label in SPEAKS.items()],
        required=False,
        help_text="CI systems are told in their own form.",
    )
    credential = forms.CharField(
        label="Its token",
        required=False,
        max_length=256,
        help_text="By which the CI system lets us in; user:token for a Jenkins job.",
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )
    watched = forms.CharField(
        label="Watches",
        widget=forms.Textarea({"rows": 3, **_PLAIN}),
        help_text="One on each line: model acme/llama, dataset acme/rows, user ada, org acme.",
    )
    events = forms.MultipleChoiceField(
        label="Hears of",
        choices=[(name, name) for name in sorted(EVENTS)],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Nothing chosen is everything but status, approval and promotion.",
    )
    refs = forms.CharField(
        label="Of pushes to",
        required=False,
        help_text="Globs over whole refs with spaces between them: refs/heads/main refs/tags/*",
        widget=forms.TextInput(_PLAIN),
    )
    paths = forms.CharField(
        label="That change",
        required=False,
        help_text="Globs over paths with spaces between them: *.safetensors data/**",
        widget=forms.TextInput(_PLAIN),
    )
    secret = forms.CharField(
        label="Shared token",
        required=False,
        max_length=256,
        help_text="Sent as X-Webhook-Secret. Every delivery is signed, with or without it.",
        widget=forms.TextInput(_PLAIN),
    )

    def __init__(
        self,
        *args: Any,
        owners: Sequence[str] = (),
        webhook: Webhook | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._url = unseal(webhook.url) if webhook is not None else ""
        if webhook is not None and webhook.credential is not None:
            self.fields["credential"].help_text = "There is one. Another takes its place."
        owner = self.fields["owner"]
        if not owners:
            del self.fields["owner"]
        elif isinstance(owner, forms.ChoiceField):
            owner.choices = [(name, name) for name in owners]

    def clean_watched(self) -> list[Watched]:
        """Each line is a type and a name.

        Raises:
            ValidationError: a line is something else.
        """
        found = []
        for line in self.cleaned_data["watched"].splitlines():
            if not line.strip():
                continue
            kind, _, name = line.strip().partition(" ")
            if not name.strip():
                raise forms.ValidationError(f"{line.strip()!r} is no type and name.")
            found.append(Watched(kind, name.strip()))
        return found

    @property
    def wish(self) -> Wish:
        sent = self.cleaned_data
        is_same_url = bool(self._url) and sent["url"] == masked(self._url)
        return Wish(
            url=None if is_same_url else sent["url"],
            preset=sent["preset"] or Preset.PLAIN,
            credential=sent["credential"] or None,
            watched=sent["watched"],
            shared_token=sent["secret"],
            events=sent["events"],
            ref_globs=sent["refs"].split(),
            path_globs=sent["paths"].split(),
        )


def as_form(webhook: Webhook) -> dict[str, Any]:
    """What the form of a webhook begins with."""
    token = webhook.shared_token
    return {
        "url": masked(unseal(webhook.url)),
        "preset": webhook.preset,
        "watched": "\n".join(f"{one.kind} {one.name}" for one in webhook.watches.all()),
        "events": webhook.events,
        "refs": " ".join(webhook.ref_globs),
        "paths": " ".join(webhook.path_globs),
        "secret": unseal(token) if token is not None else "",
    }
