"""Presets: what CI systems want to be told in place of our own body, and who says that it is us.

GitHub: docs.github.com/en/rest/repos/repos, «Create a repository dispatch event»; GitLab:
docs.gitlab.com/ci/triggers, «Use a webhook»; Jenkins: plugins.jenkins.io/generic-webhook-trigger
and jenkins.io/doc/book/using/remote-access-api.
"""

import base64
import json
import re
from enum import StrEnum
from typing import Any
from urllib.parse import quote, urlencode

from hub.outgoing.addresses import Blocked, Target

MAX_DISPATCH_CHARS = 65_535
MAX_DISPATCH_KEYS = 10
MAX_FORM_BYTES = 200_000
"""What Jetty, in which Jenkins runs, takes as a form."""
_MOST_ITEMS, _MOST_CHARS = 40, 500
_LEFT_OUT = frozenset({"timestamp", "type"})


class Preset(StrEnum):
    """Whom a webhook speaks to."""

    PLAIN = "plain"
    """Anybody: our own body."""
    GITHUB = "github"
    """GitHub Actions, by ``repository_dispatch``."""
    GITLAB = "gitlab"
    """GitLab, by a pipeline trigger."""
    JENKINS = "jenkins"
    """Jenkins with the plugin Generic Webhook Trigger."""
    JENKINS_BUILD = "jenkins-build"
    """A Jenkins job with parameters."""


_PATHS = {
    Preset.GITHUB: (r"/repos/[^/]+/[^/]+/dispatches$", "/repos/OWNER/REPO/dispatches"),
    Preset.GITLAB: (
        r"/projects/[^/]+/.*trigger/pipeline$",
        "/projects/ID/ref/REF/trigger/pipeline",
    ),
    Preset.JENKINS: (r"/generic-webhook-trigger/invoke$", "/generic-webhook-trigger/invoke"),
    Preset.JENKINS_BUILD: (r"/job/.+/buildWithParameters$", "/job/NAME/buildWithParameters"),
}


def check_url(preset: Preset, url: str) -> None:
    """Refuse a URL that the CI system of ``preset`` does not have.

    Raises:
        Blocked: it is no URL, or not one of that system.
    """
    path = Target.parse(url).path.partition("?")[0]
    if preset in _PATHS and not re.search(_PATHS[preset][0], path):
        raise Blocked(f"The URL for {preset} must end like {_PATHS[preset][1]}.")


def fit(preset: Preset, body: bytes) -> bytes:
    """Answer what is sent to say what ``body`` says; the same bytes each time."""
    if not body:
        return body
    if preset is Preset.GITHUB:
        return _dispatch(json.loads(body))
    if preset is Preset.JENKINS_BUILD:
        return _form(json.loads(body))
    return body


def with_credential(preset: Preset, url: str, credential: str) -> str:
    """Answer the URL that is asked: GitLab wants its trigger token there."""
    if preset is not Preset.GITLAB or not credential:
        return url
    return f"{url}{'&' if '?' in url else '?'}token={quote(credential, safe='')}"


def headers(preset: Preset, credential: str) -> dict[str, str]:
    """Answer the headers that a request of ``preset`` has beside those of every delivery."""
    made: dict[str, str] = {}
    if preset is Preset.GITHUB:
        made = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
    if preset is Preset.JENKINS_BUILD:
        made = {"Content-Type": "application/x-www-form-urlencoded"}
    if not credential or preset in {Preset.PLAIN, Preset.GITLAB}:
        return made
    if preset is Preset.JENKINS_BUILD:
        return made | {"Authorization": f"Basic {base64.b64encode(credential.encode()).decode()}"}
    return made | {"Authorization": f"Bearer {credential}"}


def _dispatch(told: dict[str, Any]) -> bytes:
    payload = {key: value for key, value in told.items() if key not in _LEFT_OUT}
    made = {"event_type": f"weighhouse.{told['event']['scope']}", "client_payload": payload}
    text = _packed(made)
    if len(text) > MAX_DISPATCH_CHARS:
        text = _packed(made | {"client_payload": _cut(payload) | {"isCut": True}})
    return text.encode()


def _form(told: dict[str, Any]) -> bytes:
    repo, moved = told["repo"], (told.get("updatedRefs") or [{}])[0]
    fields = {
        "EVENT": told["event"]["scope"],
        "ACTION": told["event"]["action"],
        "REPO_TYPE": repo["type"],
        "REPO": repo["name"],
        "REF": moved.get("ref") or "",
        "OLD_SHA": moved.get("oldSha") or "",
        "NEW_SHA": moved.get("newSha") or "",
    }
    form = urlencode(fields | {"WEBHOOK_PAYLOAD": _packed(told)})
    if len(form) > MAX_FORM_BYTES:
        form = urlencode(fields | {"WEBHOOK_PAYLOAD": _packed(_cut(told) | {"isCut": True})})
    return form.encode()


def _packed(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _cut(value: Any) -> Any:
    """The same with long texts and long lists cut off."""
    if isinstance(value, dict):
        return {key: _cut(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_cut(one) for one in value[:_MOST_ITEMS]]
    return value[:_MOST_CHARS] if isinstance(value, str) else value
