"""The forms of access tokens."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from django import forms

from teams.http.forms import ServiceForm
from teams.models import AccessToken, Membership, TokenPolicy, User
from teams.policies import Principal
from teams.queries.token_scopes import RepoLabel, directory
from teams.roles import Permission
from teams.services.tokens import Allowed, Wish

LONGEST_LIST = 100 * 100
LIVES = [("7", "7 days"), ("30", "30 days"), ("90", "90 days"), ("365", "A year"), ("", "No end")]
_REPOS = [
    (Permission.CONTENT_READ, "Read: see private repos, and their files"),
    (Permission.CONTENT_WRITE, "Upload: commit files, change no settings"),
    (Permission.REPO_WRITE, "Write: also create, rename, delete and change settings"),
    (Permission.ACCESS_READ, "See access requests of gated repos"),
]
_NAMESPACE = [
    *_REPOS,
    (Permission.COLLECTION_READ, "Read private collections"),
    (Permission.COLLECTION_WRITE, "Write collections"),
    (Permission.WEBHOOKS_READ, "See webhooks"),
    (Permission.WEBHOOKS_WRITE, "Write webhooks"),
    (Permission.JOB_WRITE, "Start and stop jobs"),
]
_ORGANISATION = [
    *_NAMESPACE,
    (Permission.ORG_READ, "See settings and members"),
    (Permission.ORG_WRITE, "Change settings and members"),
]
_EVERYWHERE = [
    (Permission.GATED_READ, "Read gated repos of others that you have access to"),
    (Permission.DISCUSS, "Like, discuss and open pull requests"),
]


def _name() -> forms.CharField:
    return forms.CharField(
        max_length=100,
        help_text="What the token is for, such as the machine on which it is used.",
        widget=forms.TextInput({"autocomplete": "off"}),
    )


def _life() -> forms.ChoiceField:
    return forms.ChoiceField(label="Ends after", choices=LIVES, required=False, initial="90")


def _boxes(label: str, permissions: Sequence[tuple[Permission, str]]) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label,
        choices=[(one.value, f"{words} ({one.value})") for one, words in permissions],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )


def _lasts(text: str) -> timedelta | None:
    return timedelta(days=int(text)) if text else None


class TokenForm(ServiceForm):
    """A name to know the token by, what it may do, and for how long."""

    name = _name()
    role = forms.ChoiceField(
        choices=[
            ("read", "Read: download what you may see"),
            ("write", "Write: also upload, create and delete"),
        ],
        widget=forms.RadioSelect,
        initial=AccessToken.TokenRole.READ,
    )
    life = forms.ChoiceField(label="Ends after", choices=LIVES, required=False, initial="")

    @property
    def wish(self) -> Wish:
        sent = self.cleaned_data
        return Wish(name=sent["name"], role=sent["role"], lasts=_lasts(sent["life"]))


class FineTokenForm(ServiceForm):
    """What a fine-grained token is allowed, and to what."""

    name = _name()
    life = _life()

    def __init__(
        self,
        *args: Any,
        user: User,
        memberships: Sequence[Membership],
        repos: Sequence[RepoLabel],
    ) -> None:
        super().__init__(*args)
        self._namespaces = {"own": user.namespace_id} | {
            f"org{row.organisation_id}": row.organisation.namespace_id for row in memberships
        }
        self._labels = {str(label.pk): label for label in repos}
        self.fields["own"] = _boxes(f"All that is {user.name}'s", _NAMESPACE)
        for row in memberships:
            label = f"All that is {row.organisation.name}'s"
            self.fields[f"org{row.organisation_id}"] = _boxes(label, _ORGANISATION)
        self.fields["picked"] = forms.MultipleChoiceField(
            label="These repos of yours",
            choices=[(str(one.pk), f"{one.name} ({one.kind})") for one in repos],
            widget=forms.CheckboxSelectMultiple({"class": "picker"}),
            required=False,
        )
        self.fields["named"] = forms.CharField(
            label="And these",
            max_length=LONGEST_LIST,
            required=False,
            help_text="One on each line: namespace/name, datasets/namespace/name.",
            widget=forms.Textarea({"rows": 2, "spellcheck": "false", "autocapitalize": "none"}),
        )
        of_repos = [*_REPOS, (Permission.DISCUSS, "Like, discuss and open pull requests")]
        self.fields["repos"] = _boxes("To the repos above", of_repos)
        self.fields["everywhere"] = _boxes("Everywhere", _EVERYWHERE)

    def wish(self, principal: Principal) -> Wish:
        """What was asked for.

        Raises:
            NotFound: a repo is none that ``principal`` may see.
        """
        sent = self.cleaned_data
        allowed = [one for one in self._allowed(principal) if one.permissions]
        return Wish(name=sent["name"], allowed=tuple(allowed), lasts=_lasts(sent["life"]))

    def _allowed(self, principal: Principal) -> Iterator[Allowed]:
        for name, namespace_id in self._namespaces.items():
            yield Allowed(self._ticked(name), namespace_id)
        for repo in self._repos(principal):
            yield Allowed(self._ticked("repos"), repo.namespace_id, repo.pk)
        yield Allowed(self._ticked("everywhere"))

    def _repos(self, principal: Principal) -> Iterator[RepoLabel]:
        for key in self.cleaned_data["picked"]:
            yield self._labels[key]
        for line in self.cleaned_data["named"].splitlines():
            if line.strip():
                yield directory().called(line, principal)

    def _ticked(self, name: str) -> frozenset[Permission]:
        return frozenset(Permission(text) for text in self.cleaned_data[name])

    def clean(self) -> dict[str, Any]:
        sent: dict[str, Any] = super().clean() or self.cleaned_data
        names_repos = bool(sent.get("picked") or sent.get("named", "").strip())
        if names_repos and not sent.get("repos"):
            self.add_error("repos", "Say what the token may do to these repos.")
        if sent.get("repos") and not names_repos:
            self.add_error("named", "Name the repos that this is for.")
        return sent


class PolicyForm(ServiceForm):
    """Which tokens of its members an organisation takes."""

    takes = forms.ChoiceField(
        label="Tokens that reach what the organisation owns",
        choices=TokenPolicy.Takes.choices,
        widget=forms.RadioSelect,
    )
