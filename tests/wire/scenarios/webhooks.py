"""Webhooks: made, listed, changed, switched off and on, deleted."""

from typing import Any

from huggingface_hub import WebhookInfo

from tests.wire.scenarios.stage import Facts, Given, api, tell


def shown(webhook: WebhookInfo) -> Facts:
    return {
        "url": webhook.url,
        "watched": [[one.type, one.name] for one in webhook.watched],
        "domains": sorted(webhook.domains),
        "secret": webhook.secret,
        "disabled": webhook.disabled,
    }


def story(given: Given) -> Facts:
    repo = given.values["watched"]
    watched: list[Any] = [{"type": "model", "name": repo}, {"type": "user", "name": given.me}]
    made = api.create_webhook(
        url="https://ci.example.org/hook", watched=watched, domains=["repo"], secret="hunter2"
    )
    found = api.get_webhook(made.id)
    listed = [one.id for one in api.list_webhooks()]
    changed = api.update_webhook(
        made.id, url="https://ci.example.org/other", watched=watched[:1], domains=["discussion"]
    )
    off = api.disable_webhook(made.id)
    on = api.enable_webhook(made.id)
    api.delete_webhook(made.id)
    return {
        "made": shown(made),
        "found": shown(found),
        "is_listed": made.id in listed,
        "changed": shown(changed),
        "off": off.disabled,
        "on": on.disabled,
        "is_listed_after": made.id in [one.id for one in api.list_webhooks()],
    }


if __name__ == "__main__":
    tell(story)
