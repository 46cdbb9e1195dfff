"""The form of a trusted publisher."""

from django import forms

from teams.http.forms import ServiceForm

GITHUB, GITLAB = "https://token.actions.githubusercontent.com", "https://gitlab.com"
OTHER = "other"
_PROJECT = {GITHUB: "repository", GITLAB: "project_path"}
_PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}


class PublisherForm(ServiceForm):
    """Which jobs are trusted: of which system, of which project there, on which branch."""

    system = forms.ChoiceField(
        label="CI system",
        choices=[(GITHUB, "GitHub Actions"), (GITLAB, "GitLab.com"), (OTHER, "Another issuer")],
    )
    other = forms.URLField(
        label="Its issuer",
        required=False,
        max_length=255,
        assume_scheme="https",
        help_text="Of another one: the URL that its identity tokens have as iss.",
        widget=forms.URLInput(_PLAIN),
    )
    project = forms.CharField(
        label="Project",
        required=False,
        max_length=500,
        help_text="acme/ci. Another issuer may need claims instead.",
        widget=forms.TextInput(_PLAIN),
    )
    ref = forms.CharField(
        label="Branch or tag",
        required=False,
        max_length=500,
        help_text="As the claim ref has it: refs/heads/main at GitHub, main at GitLab.",
        widget=forms.TextInput(_PLAIN),
    )
    more = forms.CharField(
        label="And claims",
        required=False,
        help_text="One on each line: environment=production",
        widget=forms.Textarea({"rows": 3, **_PLAIN}),
    )

    def clean_more(self) -> dict[str, str]:
        """Each line is a name and a value.

        Raises:
            ValidationError: a line is something else.
        """
        found = {}
        for line in self.cleaned_data["more"].splitlines():
            name, is_pair, value = line.partition("=")
            if line.strip() and not is_pair:
                raise forms.ValidationError(f"{line.strip()!r} is no name=value.")
            if line.strip():
                found[name.strip()] = value.strip()
        return found

    @property
    def issuer(self) -> str:
        sent = self.cleaned_data
        issuer: str = sent["other"] if sent["system"] == OTHER else sent["system"]
        return issuer

    @property
    def claims(self) -> dict[str, str]:
        sent = self.cleaned_data
        named = {_PROJECT.get(self.issuer, "project_path"): sent["project"], "ref": sent["ref"]}
        more: dict[str, str] = sent["more"]
        return {name: value for name, value in named.items() if value} | more
