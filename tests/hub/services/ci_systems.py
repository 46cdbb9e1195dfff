"""What CI systems accept: each judges a request as the real one does, and answers its status."""

import base64
import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.hub.services.hooks import Got

TOKEN = "github_pat_11AAAA"
TRIGGER = "glptt-0123456789abcdef"
USER_TOKEN = "ci-bot:11aa22bb33"


def github(got: Got) -> int:
    """POST /repos/{owner}/{repo}/dispatches: docs.github.com/en/rest/repos/repos."""
    if not re.fullmatch(r"/api/v3/repos/[\w.-]+/[\w.-]+/dispatches", got.path):
        return 404
    if got.headers.get("authorization") != f"Bearer {TOKEN}":
        return 401
    if not got.headers.get("user-agent"):
        return 403
    if "application/vnd.github+json" not in got.headers.get("accept", ""):
        return 415
    return 204 if _is_dispatch(got.body) else 422


def _is_dispatch(body: bytes) -> bool:
    told = json.loads(body)
    name, payload = told.get("event_type"), told.get("client_payload")
    return (
        set(told) <= {"event_type", "client_payload"}
        and isinstance(name, str)
        and 1 <= len(name) <= 100
        and isinstance(payload, dict)
        and len(payload) <= 10
        and len(body.decode()) <= 65_535
    )


def gitlab(got: Got) -> int:
    """POST /api/v4/projects/{id}/ref/{ref}/trigger/pipeline: docs.gitlab.com/ci/triggers.

    What the body says beside the query are parameters of the same call.
    """
    url = urlsplit(got.path)
    if not re.fullmatch(r"/api/v4/projects/[^/]+/ref/[^/]+/trigger/pipeline", url.path):
        return 404
    if got.headers.get("content-type") != "application/json":
        return 415
    told = json.loads(got.body)
    asked = {key: values[-1] for key, values in parse_qs(url.query).items()} | told
    if asked.get("token") != TRIGGER:
        return 404
    ref = told.get("ref", unquote(url.path.split("/")[6]))
    is_clean = isinstance(asked.get("variables", {}), dict) and "inputs" not in asked
    return 201 if ref == "main" and is_clean else 400


@dataclass(frozen=True, slots=True)
class GenericTrigger:
    """POST /generic-webhook-trigger/invoke: plugins.jenkins.io/generic-webhook-trigger."""

    secret: str

    def __call__(self, got: Got) -> int:
        url = urlsplit(got.path)
        bearer = got.headers.get("authorization", "").removeprefix("Bearer ")
        tokens = {bearer, got.headers.get("token"), *parse_qs(url.query).get("token", [])}
        if url.path != "/jenkins/generic-webhook-trigger/invoke" or TRIGGER not in tokens:
            return 404
        signature = hmac.digest(self.secret.encode(), got.body, hashlib.sha256).hex()
        if got.headers.get("x-hub-signature-256") != f"sha256={signature}":
            return 403
        # JSONPath $.repo.name and $.event.scope of the recipe.
        told = json.loads(got.body)
        return 200 if told["repo"]["name"] and told["event"]["scope"] else 500


def jenkins_job(got: Got) -> int:
    """POST /job/{name}/buildWithParameters: jenkins.io/doc/book/using/remote-access-api."""
    if got.path != "/jenkins/job/weigh/buildWithParameters":
        return 404
    scheme, _, given = got.headers.get("authorization", "").partition(" ")
    if scheme != "Basic" or base64.b64decode(given).decode() != USER_TOKEN:
        return 403
    if got.headers.get("content-type") != "application/x-www-form-urlencoded":
        return 400
    if len(got.body) > 200_000:
        return 500
    return (
        201 if parameters(got)["REPO"] and json.loads(parameters(got)["WEBHOOK_PAYLOAD"]) else 400
    )


def parameters(got: Got) -> dict[str, Any]:
    return {
        key: values[0]
        for key, values in parse_qs(got.body.decode(), keep_blank_values=True).items()
    }
