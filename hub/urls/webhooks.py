"""Wire routes of webhooks: those that the public client calls, and ours beside them."""

from django.urls import path

import hub.urls.converters  # noqa: F401 - registers <text:…>
from hub.wire import deliveries, webhooks

ALL = "api/settings/webhooks"
ONE = f"{ALL}/<text:webhook>"
ONE_DELIVERY = f"{ONE}/deliveries/<text:delivery>"

urlpatterns = [
    path(ALL, webhooks.Webhooks.as_view()),
    path(ONE, webhooks.OneWebhook.as_view()),
    path(f"{ONE}/enable", webhooks.Switch.as_view(), {"switch": "enable"}),
    path(f"{ONE}/disable", webhooks.Switch.as_view(), {"switch": "disable"}),
    path(f"{ONE}/secrets", webhooks.Secrets.as_view()),
    path(f"{ONE}/secrets/promote", webhooks.PromoteSecret.as_view()),
    path(f"{ONE}/ping", deliveries.Ping.as_view()),
    path(f"{ONE}/stats", deliveries.Stats.as_view()),
    path(f"{ONE}/replay", deliveries.ReplayFailed.as_view()),
    path(f"{ONE}/deliveries", deliveries.Deliveries.as_view()),
    path(ONE_DELIVERY, deliveries.OneDelivery.as_view()),
    path(f"{ONE_DELIVERY}/replay", deliveries.Replay.as_view()),
]
