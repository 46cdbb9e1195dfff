"""Register, change, enable, disable and delete webhooks; rotate their secrets in two steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from hub.errors import BadName
from hub.models import Delivery, Watch, Webhook, sql
from hub.names import RepoKind, RepoName
from hub.outgoing import presets
from hub.outgoing.addresses import Blocked
from hub.outgoing.presets import Preset
from hub.outgoing.signing import is_secret, new_secret
from hub.policies import check_can_own_webhooks
from hub.queries.repos import repo_for
from hub.services import delivering, webhook_health
from hub.services.auditing import record_of_webhook
from hub.services.fan_out import EVENTS, new_message_id
from hub.services.webhook_payloads import ping_of
from hub.services.webhook_secrets import seal, unseal
from teams.errors import Conflict, Invalid
from teams.models import Namespace
from teams.policies import Principal
from teams.queries import namespace_named
from teams.roles import Action
from teams.services import organisations

DOMAINS = ("repo", "discussion")
MAX_WEBHOOKS = 100
MAX_WATCHED = 1000
MAX_GLOBS = 50
_MAX_GLOB = 255
_MAX_TOKEN = 256
OVERLAP = timedelta(days=1)
MAX_OVERLAP = timedelta(days=7)
_OWNERS = {"user": Namespace.Kind.USER, "org": Namespace.Kind.ORGANISATION}


@dataclass(frozen=True, slots=True)
class Watched:
    """A repo (``model``, ``dataset``, ``space``) or all repos of a ``user`` or an ``org``."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What a webhook is to be; None leaves a thing as it is."""

    url: str | None = None
    watched: Sequence[Watched] | None = None
    domains: Sequence[str] | None = None
    shared_token: str | None = None
    events: Sequence[str] | None = None
    ref_globs: Sequence[str] | None = None
    path_globs: Sequence[str] | None = None
    preset: str | None = None
    credential: str | None = None
    """By which the CI system of the preset knows us; empty takes it away."""


@transaction.atomic
def register(*, owner: Namespace, wish: Wish, by: Principal) -> tuple[Webhook, str]:
    """Make a webhook of ``owner``; answer it with its signing secret, which is shown this once.

    Raises:
        Forbidden: ``by`` may not.
        Invalid: a part of ``wish`` cannot be.
        NotFound: there is nothing of that name to watch, or ``by`` may not know of it.
        Conflict: the owner has too many.
    """
    check_can_own_webhooks(by, owner)
    # The namespace's row lock lets two who register at once count each other's.
    Namespace.objects.select_for_update().get(pk=owner.pk)
    organisations.keep(owner)
    if Webhook.objects.filter(namespace=owner).count() >= MAX_WEBHOOKS:
        raise Conflict(f"{owner.name} has {MAX_WEBHOOKS} webhooks, which is the most.")
    if wish.url is None:
        raise Invalid('"url" must be a string.')
    token = wish.shared_token or ""
    secret = token if is_secret(token) else new_secret()
    webhook = Webhook(
        namespace=owner,
        created_by=by.user,
        secret=seal(secret),
        domains=list(DOMAINS),
        preset=Preset.PLAIN,
    )
    _apply(webhook, wish)
    webhook.save()
    _watch(webhook, wish.watched or (), by)
    record_of_webhook(webhook, "webhook.create", by=by.user)
    return webhook, secret


@transaction.atomic
def change(*, webhook: Webhook, wish: Wish, by: Principal) -> None:
    """Change what ``wish`` says.

    Raises:
        Refusal: as :func:`register`.
    """
    check_can_own_webhooks(by, webhook.namespace)
    _apply(webhook, wish)
    names = ["url", "preset", "credential", "shared_token", "domains", "events"]
    webhook.save(update_fields=[*names, "ref_globs", "path_globs"])
    if wish.watched:
        webhook.watches.all().delete()
        _watch(webhook, wish.watched, by)
    record_of_webhook(webhook, "webhook.update", by=by.user)


@transaction.atomic
def enable(*, webhook: Webhook, by: Principal) -> None:
    """Let it be told again, of what happens from now on; its failures are forgiven."""
    check_can_own_webhooks(by, webhook.namespace)
    webhook_health.forgive(webhook)
    webhook.save(update_fields=webhook_health.FIELDS)
    record_of_webhook(webhook, "webhook.enable", by=by.user)


@transaction.atomic
def disable(*, webhook: Webhook, by: Principal) -> None:
    """Let it be told nothing; what waits for it waits on."""
    check_can_own_webhooks(by, webhook.namespace)
    webhook.disabled_at = webhook.disabled_at or timezone.now()
    webhook.save(update_fields=["disabled_at"])
    record_of_webhook(webhook, "webhook.disable", by=by.user)


@transaction.atomic
def delete(*, webhook: Webhook, by: Principal) -> None:
    """Delete it with its deliveries; what is under way arrives and is forgotten."""
    check_can_own_webhooks(by, webhook.namespace)
    # Locked first, so that whoever writes down an outcome is through, or finds it gone.
    Webhook.objects.select_for_update().filter(pk=webhook.pk).first()
    for query in _DELETIONS:
        sql.run(query, [webhook.pk])
    record_of_webhook(webhook, "webhook.delete", by=by.user)


# Not row by row through the ORM: its log may be long.
_DELETIONS = (
    "DELETE FROM hub_attempt USING hub_delivery d WHERE d.id = delivery_id AND d.webhook_id = %s",
    "DELETE FROM hub_delivery WHERE webhook_id = %s",
    "DELETE FROM hub_watch WHERE webhook_id = %s",
    "DELETE FROM hub_notification WHERE webhook_id = %s",
    "DELETE FROM hub_webhook WHERE id = %s",
)


def add_secret(*, webhook: Webhook, by: Principal) -> str:
    """First step of a rotation: a second secret signs too; answer it, this once.

    Only ``webhook-signature`` holds both; the other headers stay with the first secret, so that
    receivers can learn the second one before it counts.
    """
    check_can_own_webhooks(by, webhook.namespace)
    secret = new_secret()
    webhook.next_secret = seal(secret)
    webhook.save(update_fields=["next_secret"])
    return secret


@transaction.atomic
def promote_secret(*, webhook: Webhook, by: Principal, overlap: timedelta = OVERLAP) -> None:
    """Second step: the second secret becomes the first; the old one signs on for ``overlap``.

    Raises:
        Conflict: there is no second secret.
        Invalid: ``overlap`` is more than 7 days.
    """
    check_can_own_webhooks(by, webhook.namespace)
    if not timedelta() <= overlap <= MAX_OVERLAP:
        raise Invalid(f"The overlap is at most {MAX_OVERLAP.days} days.")
    if webhook.next_secret is None:
        raise Conflict("There is no second secret yet: add one first.")
    webhook.old_secret, webhook.old_secret_until = webhook.secret, timezone.now() + overlap
    webhook.secret, webhook.next_secret = webhook.next_secret, None
    webhook.save(update_fields=["secret", "next_secret", "old_secret", "old_secret_until"])
    record_of_webhook(webhook, "webhook.change_secret", by=by.user)


def ping(*, webhook: Webhook, by: Principal) -> Delivery:
    """Send it a delivery that means nothing.

    Raises:
        Conflict: it is disabled.
    """
    check_can_own_webhooks(by, webhook.namespace)
    if webhook.disabled_at is not None:
        raise Conflict("The webhook is disabled.")
    made = Delivery.objects.create(
        webhook=webhook,
        message_id=new_message_id(),
        scope="webhook.ping.update",
        body=ping_of(webhook),
    )
    delivering.ring()
    return made


def _apply(webhook: Webhook, wish: Wish) -> None:
    _address(webhook, wish)
    if wish.shared_token is not None:
        webhook.shared_token = _token(wish.shared_token)
    if wish.domains is not None:
        webhook.domains = _known("domains", wish.domains, DOMAINS)
    if wish.events is not None:
        webhook.events = _known("events", wish.events, sorted(EVENTS))
    if wish.ref_globs is not None:
        webhook.ref_globs = _globs("refs", wish.ref_globs)
    if wish.path_globs is not None:
        webhook.path_globs = _globs("paths", wish.path_globs)


def _address(webhook: Webhook, wish: Wish) -> None:
    """Where it goes, in which form, and as whom; the three have to suit each other."""
    if wish.url is not None:
        webhook.url = seal(wish.url)
    if wish.preset is not None:
        (webhook.preset,) = _known("preset", [wish.preset], list(Preset))
    if wish.credential is not None:
        webhook.credential = _token(wish.credential)
    if wish.url is None and wish.preset is None:
        return
    try:
        presets.check_url(Preset(webhook.preset), unseal(webhook.url))
    except Blocked as reason:
        raise Invalid(str(reason)) from None


def _token(text: str) -> bytes | None:
    if not text:
        return None
    if len(text) > _MAX_TOKEN or not text.isascii() or not text.isprintable() or " " in text:
        raise Invalid(f"A secret must have at most {_MAX_TOKEN} ASCII characters, no spaces.")
    return seal(text)


def _known(key: str, given: Sequence[str], known: Sequence[str]) -> list[str]:
    if strange := sorted(set(given) - set(known)):
        raise Invalid(f'"{key}" may hold {", ".join(known)}; not {strange[0]!r}.')
    return sorted(set(given))


def _globs(key: str, given: Sequence[str]) -> list[str]:
    if len(given) > MAX_GLOBS or any(not 0 < len(glob) <= _MAX_GLOB for glob in given):
        raise Invalid(f'"{key}" may hold {MAX_GLOBS} globs of at most {_MAX_GLOB} characters.')
    if any("\0" in glob for glob in given):
        raise Invalid(f'"{key}" must not hold NUL characters.')
    return list(given)


def _watch(webhook: Webhook, watched: Sequence[Watched], by: Principal) -> None:
    if len(watched) > MAX_WATCHED:
        raise Invalid(f"A webhook watches at most {MAX_WATCHED} things.")
    Watch.objects.bulk_create(_found(webhook, one, by) for one in dict.fromkeys(watched))


def _found(webhook: Webhook, watched: Watched, by: Principal) -> Watch:
    watch = Watch(webhook=webhook, kind=watched.kind, name=watched.name)
    if watched.kind in _OWNERS:
        namespace = namespace_named(watched.name)
        if namespace.kind != _OWNERS[watched.kind]:
            raise Invalid(f"{namespace.name} is no {watched.kind}.")
        watch.namespace_id, watch.name = namespace.pk, namespace.name
        return watch
    if watched.kind not in set(RepoKind):
        kinds = ", ".join([*RepoKind, *_OWNERS])
        raise Invalid(f'"type" must be one of {kinds}; not {watched.kind!r}.')
    try:
        name = RepoName.parse(watched.name)
    except BadName as problem:
        raise Invalid(problem.message) from None
    repo = repo_for(by, Action.REPO_SEE, RepoKind(watched.kind), name)
    watch.repo_id, watch.name = repo.pk, repo.full_name
    return watch
