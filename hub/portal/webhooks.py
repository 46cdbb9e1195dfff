"""HTML: the webhooks that somebody may manage, one of them with its log, one delivery."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from hub.models import Delivery, Webhook
from hub.outgoing import presets
from hub.outgoing.presets import Preset
from hub.portal.webhook_forms import SPEAKS, WebhookForm, as_form
from hub.queries.webhooks import (
    DeliveryFilter,
    deliveries_of,
    delivery_of,
    stats_of,
    webhook_by_id,
    webhooks_of,
)
from hub.services import replays, webhooks
from hub.services.delivery_log import KEEP
from hub.services.webhook_secrets import unseal
from teams.errors import Invalid, NotFound
from teams.http.forms import REFUSED
from teams.http.views import PortalView
from teams.names import number_in
from teams.policies import Principal
from teams.queries import memberships_of, namespace_named
from teams.roles import Action, Role

DELIVERIES_A_PAGE = 30
ALL = "/settings/webhooks"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownWebhook:
    """A webhook in a list or on its own page; of the URL no more than where it goes."""

    url: str
    host: str
    owner: str
    watched: list[str]
    preset: str
    is_on: bool
    reason: str
    failures: int
    rests_until: datetime | None
    has_next_secret: bool

    @classmethod
    def of(cls, webhook: Webhook) -> "ShownWebhook":
        rests = webhook.open_until
        return cls(
            url=f"{ALL}/{webhook.public_id}",
            host=urlsplit(unseal(webhook.url)).netloc,
            owner=webhook.namespace.name,
            watched=[f"{one.kind} {one.name}" for one in webhook.watches.all()],
            preset=SPEAKS[Preset(webhook.preset)],
            is_on=webhook.disabled_at is None,
            reason=webhook.disabled_reason,
            failures=webhook.failures,
            rests_until=rests if rests is not None and rests > timezone.now() else None,
            has_next_secret=webhook.next_secret is not None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownDelivery:
    """A delivery in a log."""

    url: str
    scope: str
    state: str
    reason: str
    attempts: int
    answer: str
    ms: int | None
    created_at: datetime

    @classmethod
    def of(cls, delivery: Delivery, webhook: Webhook) -> "ShownDelivery":
        attempts = sorted(delivery.attempts.all(), key=lambda one: one.pk)
        last = attempts[-1] if attempts else None
        return cls(
            url=f"{ALL}/{webhook.public_id}/deliveries/{delivery.uuid}",
            scope=delivery.scope,
            state=delivery.state,
            reason=delivery.reason,
            attempts=len(attempts),
            answer=(last.error or _answer(last.status)) if last else "",
            ms=last.ms if last else None,
            created_at=delivery.created_at,
        )


def _answer(status: int | None) -> str:
    try:
        return f"{status} {HTTPStatus(status or 0).phrase}"
    except ValueError:
        return str(status or "")


def _owners(principal: Principal) -> list[str]:
    """Those whose webhooks ``principal`` manages, themselves first."""
    if principal.user is None:
        return []
    admin_of = [
        membership.organisation.name
        for membership in memberships_of(principal.user)
        if membership.role >= Role.ADMIN
    ]
    return [principal.user.name, *admin_of]


class Webhooks(PortalView):
    """GET, POST /settings/webhooks."""

    authz = {"get": Action.SIGN_IN, "post": Action.SIGN_IN_TO_WRITE}

    def get(self, _request: HttpRequest) -> HttpResponse:
        return self._page(WebhookForm(owners=_owners(self.principal)))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = WebhookForm(request.POST, owners=_owners(self.principal))
        if form.is_valid():
            with form.showing_refusals():
                owner = namespace_named(form.cleaned_data["owner"])
                made, secret = webhooks.register(owner=owner, wish=form.wish, by=self.principal)
                whole = webhook_by_id(made.public_id, reader=self.principal)
                return OneWebhook.shown(request, whole, {"secret": secret})
        return self._page(form, status=REFUSED)

    def _page(self, form: WebhookForm, status: int = 200) -> HttpResponse:
        found = [
            ShownWebhook.of(webhook)
            for name in _owners(self.principal)
            for webhook in webhooks_of(namespace_named(name), reader=self.principal)
        ]
        context = {"webhooks": found, "form": form}
        return render(self.request, "hub/webhooks.html", context, status=status)


class OneWebhook(PortalView):
    """GET, POST /settings/webhooks/{id}; the form says by ``action`` what to do."""

    authz = {"get": Action.SIGN_IN, "post": Action.SIGN_IN_TO_WRITE}

    def get(self, request: HttpRequest, webhook: str) -> HttpResponse:
        return self.shown(request, webhook_by_id(webhook, reader=self.principal))

    def post(self, request: HttpRequest, webhook: str) -> HttpResponse:
        found, action = webhook_by_id(webhook, reader=self.principal), request.POST.get("action")
        if action == "change":
            return self._change(found)
        if action == "add-secret":
            secret = webhooks.add_secret(webhook=found, by=self.principal)
            return self.shown(request, found, {"secret": secret})
        if action == "delete":
            webhooks.delete(webhook=found, by=self.principal)
            messages.success(request, "The webhook is deleted, with its log.")
            return redirect(ALL)
        verbs: Mapping[str | None, Callable[[Webhook], str]] = {
            "enable": self._enable,
            "disable": self._disable,
            "ping": self._ping,
            "promote-secret": self._promote,
            "replay-failed": self._replay_failed,
        }
        if action not in verbs:
            raise Invalid("The form does not say what to do.")
        messages.success(request, verbs[action](found))
        return redirect(f"{ALL}/{found.public_id}")

    @staticmethod
    def shown(
        request: HttpRequest,
        webhook: Webhook,
        more: Mapping[str, Any] | None = None,
        status: int = 200,
    ) -> HttpResponse:
        """The page of one webhook; ``more`` may hold a secret, which is shown this once."""
        before = request.GET.get("before", "")
        asked = DeliveryFilter(before=number_in(before, "before") if before else None)
        found = deliveries_of(webhook, asked, DELIVERIES_A_PAGE + 1)
        page = found[:DELIVERIES_A_PAGE]
        following = f"?before={page[-1].pk}" if len(found) > DELIVERIES_A_PAGE else ""
        context = {
            "webhook": ShownWebhook.of(webhook),
            "stats": stats_of(webhook),
            "deliveries": [ShownDelivery.of(one, webhook) for one in page],
            "next_url": following,
            "form": WebhookForm(webhook=webhook, initial=as_form(webhook)),
            **(more or {}),
        }
        return render(request, "hub/webhook.html", context, status=status)

    def _change(self, webhook: Webhook) -> HttpResponse:
        form = WebhookForm(self.request.POST, webhook=webhook)
        if form.is_valid():
            with form.showing_refusals():
                webhooks.change(webhook=webhook, wish=form.wish, by=self.principal)
                messages.success(self.request, "The webhook is changed.")
                return redirect(f"{ALL}/{webhook.public_id}")
        whole = webhook_by_id(webhook.public_id, reader=self.principal)
        return self.shown(self.request, whole, {"form": form}, status=REFUSED)

    def _enable(self, webhook: Webhook) -> str:
        webhooks.enable(webhook=webhook, by=self.principal)
        return "It is told again, of what happens from now on."

    def _disable(self, webhook: Webhook) -> str:
        webhooks.disable(webhook=webhook, by=self.principal)
        return "It is told nothing until it is enabled."

    def _ping(self, webhook: Webhook) -> str:
        webhooks.ping(webhook=webhook, by=self.principal)
        return "A ping is on its way."

    def _promote(self, webhook: Webhook) -> str:
        webhooks.promote_secret(webhook=webhook, by=self.principal)
        return "The second secret is the first now; the old one signs on for a day."

    def _replay_failed(self, webhook: Webhook) -> str:
        now = timezone.now()
        count = replays.replay_failed(
            webhook=webhook, since=now - KEEP, until=now, by=self.principal
        )
        return f"{count:,} deliveries are tried again."


class OneDelivery(PortalView):
    """GET, POST (replay) /settings/webhooks/{id}/deliveries/{uuid}."""

    authz = {"get": Action.SIGN_IN, "post": Action.SIGN_IN_TO_WRITE}

    def get(self, request: HttpRequest, webhook: str, delivery: str) -> HttpResponse:
        owner = webhook_by_id(webhook, reader=self.principal)
        found = _delivery(owner, delivery)
        attempts = sorted(found.attempts.all(), key=lambda one: one.pk)
        context = {
            "webhook": ShownWebhook.of(owner),
            "delivery": ShownDelivery.of(found, owner),
            "message_id": found.message_id,
            "body": _pretty(presets.fit(Preset(owner.preset), bytes(found.body))),
            "attempts": [
                {
                    "started_at": one.started_at,
                    "ms": one.ms,
                    "answer": one.error or _answer(one.status),
                    "sent": _headers(one.request_headers),
                    "got": _headers(one.response_headers),
                    "said": bytes(one.response_body).decode(errors="replace"),
                }
                for one in attempts
            ],
        }
        return render(request, "hub/delivery.html", context)

    def post(self, request: HttpRequest, webhook: str, delivery: str) -> HttpResponse:
        owner = webhook_by_id(webhook, reader=self.principal)
        made = replays.replay(delivery=_delivery(owner, delivery), by=self.principal)
        messages.success(request, "It is on its way again.")
        return redirect(f"{ALL}/{owner.public_id}/deliveries/{made.uuid}")


def _delivery(webhook: Webhook, text: str) -> Delivery:
    try:
        return delivery_of(webhook, UUID(text))
    except ValueError:
        raise NotFound("There is no such delivery.") from None


def _pretty(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body.decode(errors="replace")


def _headers(headers: Any) -> str:
    pairs = headers.items() if isinstance(headers, dict) else headers or ()
    return "\n".join(f"{name}: {value}" for name, value in pairs)
