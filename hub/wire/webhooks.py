"""Wire: webhook settings, as ``HfApi`` calls them, with keys of our own beside theirs.

https://huggingface.co/docs/huggingface_hub/package_reference/hf_api, ``create_webhook`` and others.
"""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse

from hub.http.dates import iso
from hub.models import Webhook
from hub.policies import can_change_webhooks
from hub.queries.webhooks import webhook_by_id, webhooks_of
from hub.services import webhooks
from hub.services.webhook_secrets import masked, unseal
from hub.services.webhooks import Watched, Wish
from teams.errors import Invalid, Unauthenticated
from teams.http.bodies import Body
from teams.http.json_answer import JsonAnswer
from teams.http.views import WireView
from teams.models import Namespace
from teams.queries import namespace_named
from teams.roles import Action


def wish_in(body: Body) -> Wish:
    """Read what a webhook is to be; what is not there stays as it is.

    Raises:
        Invalid: a value is of the wrong type, or asks for a job.
    """
    if body.values.get("jobSourceId") is not None:
        raise Invalid("Webhooks that start jobs are not possible here; give a url.")
    return Wish(
        url=_text(body, "url"),
        watched=[Watched(one.text("type"), one.text("name")) for one in body.objects("watched")],
        domains=_texts(body, "domains"),
        shared_token=_text(body, "secret"),
        events=_texts(body, "events"),
        ref_globs=_texts(body, "refs"),
        path_globs=_texts(body, "paths"),
        preset=_text(body, "preset"),
        credential=_text(body, "credential"),
    )


def _text(body: Body, key: str) -> str | None:
    return body.text(key) if body.values.get(key) is not None else None


def _texts(body: Body, key: str) -> list[str] | None:
    return body.texts(key) if body.values.get(key) is not None else None


def webhook_json(webhook: Webhook, *, may_change: bool) -> dict[str, Any]:
    """What clients read of a webhook; a token that may only read gets no secret."""
    token = webhook.shared_token
    return {
        "id": webhook.public_id,
        "url": unseal(webhook.url) if may_change else masked(unseal(webhook.url)),
        "watched": [{"type": one.kind, "name": one.name} for one in webhook.watches.all()],
        "domains": webhook.domains,
        "secret": unseal(token) if token is not None and may_change else None,
        "disabled": webhook.disabled_reason or webhook.disabled_at is not None,
        "preset": webhook.preset,
        "hasCredential": webhook.credential is not None,
        "owner": webhook.namespace.name,
        "events": webhook.events,
        "refs": webhook.ref_globs,
        "paths": webhook.path_globs,
        "createdAt": iso(webhook.created_at),
    }


class OfWebhook(WireView):
    """What views of one webhook share."""

    def webhook(self) -> Webhook:
        return webhook_by_id(self.kwargs["webhook"], reader=self.principal)

    def answer(self, webhook: Webhook, **more: str) -> HttpResponse:
        found = webhook_by_id(webhook.public_id, reader=self.principal)
        may_change = can_change_webhooks(self.principal, found.namespace)
        told = webhook_json(found, may_change=may_change)
        return JsonAnswer({"webhook": told, **more})


class Webhooks(OfWebhook):
    """GET and POST /api/settings/webhooks; ``owner`` names an organisation instead of oneself."""

    authz = {"get": Action.SIGN_IN, "post": Action.SIGN_IN_TO_WRITE}

    def get(self, request: HttpRequest) -> HttpResponse:
        owner = self._owner(request.GET.get("owner", ""))
        found = webhooks_of(owner, reader=self.principal)
        may_change = can_change_webhooks(self.principal, owner)
        return JsonAnswer([webhook_json(one, may_change=may_change) for one in found])

    def post(self, request: HttpRequest) -> HttpResponse:
        body = Body.of(request)
        made, secret = webhooks.register(
            owner=self._owner(body.text("owner", "")), wish=wish_in(body), by=self.principal
        )
        return self.answer(made, signingSecret=secret)

    def _owner(self, name: str) -> Namespace:
        if name:
            return namespace_named(name)
        if self.principal.user is None:
            raise Unauthenticated
        return self.principal.user.namespace


class OneWebhook(OfWebhook):
    """GET, POST (change) and DELETE /api/settings/webhooks/{webhook}."""

    authz = {
        "get": Action.SIGN_IN,
        "post": Action.SIGN_IN_TO_WRITE,
        "delete": Action.SIGN_IN_TO_WRITE,
    }

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        return self.answer(self.webhook())

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        webhook = self.webhook()
        webhooks.change(webhook=webhook, wish=wish_in(Body.of(request)), by=self.principal)
        return self.answer(webhook)

    def delete(self, _request: HttpRequest, **_: object) -> HttpResponse:
        webhooks.delete(webhook=self.webhook(), by=self.principal)
        return JsonAnswer({"success": True})


class Switch(OfWebhook):
    """POST /api/settings/webhooks/{webhook}/enable and …/disable."""

    authz = {"post": Action.SIGN_IN_TO_WRITE}

    def post(self, _request: HttpRequest, *, switch: str, **_: object) -> HttpResponse:
        webhook = self.webhook()
        verb = webhooks.enable if switch == "enable" else webhooks.disable
        verb(webhook=webhook, by=self.principal)
        return self.answer(webhook)


class Secrets(OfWebhook):
    """POST /api/settings/webhooks/{webhook}/secrets: first step of a rotation."""

    authz = {"post": Action.SIGN_IN_TO_WRITE}

    def post(self, _request: HttpRequest, **_: object) -> HttpResponse:
        webhook = self.webhook()
        secret = webhooks.add_secret(webhook=webhook, by=self.principal)
        return self.answer(webhook, signingSecret=secret)


class PromoteSecret(OfWebhook):
    """POST /api/settings/webhooks/{webhook}/secrets/promote, with ``overlap`` in seconds."""

    authz = {"post": Action.SIGN_IN_TO_WRITE}

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        webhook, seconds = self.webhook(), Body.of(request).integer("overlap")
        if seconds is not None and seconds > webhooks.MAX_OVERLAP.total_seconds():
            raise Invalid(f'"overlap" is at most {webhooks.MAX_OVERLAP.days} days, in seconds.')
        overlap = webhooks.OVERLAP if seconds is None else timedelta(seconds=seconds)
        webhooks.promote_secret(webhook=webhook, by=self.principal, overlap=overlap)
        return self.answer(webhook)
