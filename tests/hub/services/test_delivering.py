"""From a commit to a receiver: what is told, to whom, how it is signed, and when again."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from huggingface_hub import WebhookPayload
from pytest_django import Settings
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from hub.models import Attempt, Delivery, Event, Repo, Webhook, sql
from hub.names import EntryPath, RepoName, RevisionName
from hub.outgoing.client import Answer
from hub.queries import history, objects
from hub.services import commits, delivering, refs, repos, webhooks
from hub.services.commits import Message, PutFile
from hub.services.delivery_outcomes import Outcome, settle
from hub.services.fan_out import fan_out
from hub.services.repos import RepoSettings
from teams.roles import Role
from teams.services import organisations
from tests.cast import Cast, signed_in
from tests.hub.services.hooks import Sink, deliver, listening, watching

pytestmark = pytest.mark.django_db
MAIN = RevisionName("main")
CONTENT = "repo.content.update"


@pytest.fixture
def sink(settings: Settings) -> Iterator[Sink]:
    with listening() as sink:
        settings.WEBHOOK_ALLOW_CIDRS = ("127.0.0.0/8",)
        settings.WEBHOOK_PORTS = frozenset({sink.port})
        yield sink


def land(cast: Cast, repo: Repo, path: str = "f", content: bytes = b"x") -> str:
    return commits.commit(
        repo=repo,
        branch=MAIN,
        operations=[PutFile(EntryPath.parse(path), content)],
        message=Message("a change"),
        by=signed_in(cast.ada),
    ).hex()


def of_ada(cast: Cast, sink: Sink, *watched: tuple[str, str], **more: Any) -> tuple[Webhook, str]:
    return watching(sink.url, cast.ada.namespace, signed_in(cast.ada), watched, **more)


def of_cleo(cast: Cast, sink: Sink, *watched: tuple[str, str]) -> Webhook:
    return watching(sink.url, cast.cleo.namespace, signed_in(cast.cleo), watched)[0]


def test_every_kind_of_event_arrives_in_the_form_that_clients_read(cast: Cast, sink: Sink) -> None:
    webhook, _ = of_ada(cast, sink, ("user", "ada"))
    by = signed_in(cast.ada)
    repo = cast.repo("ada/tiny")
    sha = land(cast, repo)
    refs.create_tag(
        repo=repo, tag=RevisionName("v1"), target=history.resolve(repo, MAIN), message="", by=None
    )
    repos.change_settings(repo=repo, settings=RepoSettings(visibility="private"), by=by)
    repos.move(repo=repo, to=RepoName.parse("ada/small"), by=by)
    repos.delete(repo=repo, by=by)

    deliver()

    told = [WebhookPayload.model_validate_json(one.body) for one in sink.got]
    by_type = {one.json["type"]: one.json for one in sink.got}
    assert sorted(sink.scopes()) == [
        "repo.config.update",
        "repo.content.update",
        "repo.content.update",
        "repo.content.update",
        "repo.create",
        "repo.delete",
        "repo.move",
    ]
    assert {one.webhook.id for one in told} == {webhook.public_id}
    assert {one.webhook.version for one in told} == {3}
    # They come in any order.
    moved = {(ref.ref, ref.newSha) for one in told for ref in one.updatedRefs or ()}
    assert {("refs/heads/main", sha), ("refs/tags/v1", sha)} <= moved
    assert sha in {one.repo.head_sha for one in told if one.updatedRefs}
    assert by_type["repo.move"]["movedTo"]["name"] == "ada/small"
    assert by_type["repo.config.update"]["updatedConfig"] == {"private": True}
    assert "headSha" not in by_type["repo.delete"]["repo"]
    assert by_type["repo.move"]["actor"]["name"] == "ada"
    assert "ref" not in by_type["repo.move"]
    seqs = [one.json["seq"] for one in sink.got]
    assert sorted(seqs) == list(range(min(seqs), min(seqs) + 7))


def test_a_delivery_is_signed_for_all_verifiers(cast: Cast, sink: Sink) -> None:
    cast.repo("ada/tiny")
    webhook, secret = of_ada(cast, sink, ("model", "ada/tiny"))

    webhooks.ping(webhook=webhook, by=signed_in(cast.ada))
    deliver()

    (got,) = sink.got
    assert Verifier(secret).verify(got.body, got.headers)
    assert got.headers["x-hub-event"] == "webhook.ping"
    assert WebhookPayload.model_validate_json(got.body).repo.name == "ada/tiny"
    other = Verifier("whsec_" + "A" * 43 + "=")
    stale = got.headers | {"webhook-timestamp": str(int(got.headers["webhook-timestamp"]) - 301)}
    for verifier, body, headers in (
        (Verifier(secret), got.body + b" ", got.headers),
        (Verifier(secret), got.body, stale),
        (other, got.body, got.headers),
    ):
        with pytest.raises(WebhookVerificationError):
            verifier.verify(body, headers)


def test_both_secrets_verify_while_they_are_rotated(cast: Cast, sink: Sink) -> None:
    by = signed_in(cast.ada)
    webhook, old = of_ada(cast, sink)

    def verified_by() -> list[bool]:
        webhooks.ping(webhook=webhook, by=by)
        deliver()
        got = sink.got[-1]
        found = []
        for secret in (old, new):
            try:
                found.append(bool(Verifier(secret).verify(got.body, got.headers)))
            except WebhookVerificationError:
                found.append(False)
        return found

    new = webhooks.add_secret(webhook=webhook, by=by)
    assert verified_by() == [True, True]
    webhooks.promote_secret(webhook=webhook, by=by)
    assert verified_by() == [True, True]
    Webhook.objects.update(old_secret_until=timezone.now())
    assert verified_by() == [False, True]


def test_a_change_that_was_rolled_back_sends_nothing(cast: Cast, sink: Sink) -> None:
    repo = cast.repo("ada/tiny")
    of_ada(cast, sink, ("user", "ada"))
    Event.objects.update(is_waiting=False)
    with transaction.atomic():
        land(cast, repo)
        transaction.set_rollback(True)

    deliver()

    assert sink.got == []


def test_a_reader_who_was_shut_out_since_is_not_told(cast: Cast, sink: Sink) -> None:
    repo = cast.repo("acme/secret", private=True)
    Event.objects.update(is_waiting=False)
    webhook, _ = watching(
        sink.url, cast.ben.namespace, signed_in(cast.ben), [("model", "acme/secret")]
    )
    land(cast, repo)
    fan_out()
    organisations.change_role(
        organisation=cast.acme, user=cast.ben, role=Role.NO_ACCESS, by=cast.ada
    )

    deliver()

    delivery = Delivery.objects.get(webhook=webhook)
    assert sink.got == []
    assert (delivery.state, delivery.reason) == ("skipped", "no_access")
    assert bytes(delivery.body) == b""


def test_who_watches_a_namespace_hears_nothing_of_what_is_hidden_there(
    cast: Cast, sink: Sink
) -> None:
    webhook = of_cleo(cast, sink, ("org", "acme"), ("user", "ada"))
    cast.repo("acme/secret", private=True)
    gone = cast.repo("ada/secret", private=True)
    repos.delete(repo=gone, by=signed_in(cast.ada))
    cast.repo("acme/open")

    deliver()

    assert {one.json["repo"]["name"] for one in sink.got} == {"acme/open"}
    assert Delivery.objects.filter(webhook=webhook).count() == len(sink.got) == 2


def test_a_webhook_of_an_organisation_hears_what_is_its_own(cast: Cast, sink: Sink) -> None:
    watching(sink.url, cast.acme.namespace, signed_in(cast.ada), [("org", "acme"), ("user", "ada")])
    cast.repo("acme/secret", private=True)
    cast.repo("ada/secret", private=True)

    deliver()

    assert {one.json["repo"]["name"] for one in sink.got} == {"acme/secret"}


def test_filters_leave_what_was_not_asked_for(cast: Cast, sink: Sink) -> None:
    repo = cast.repo("ada/tiny")
    Event.objects.update(is_waiting=False)
    of_ada(cast, sink, ("user", "ada"), events=["release"])
    of_ada(cast, sink, ("user", "ada"), ref_globs=["refs/heads/dev-*"])
    of_ada(cast, sink, ("user", "ada"), path_globs=["*.safetensors"])
    of_ada(cast, sink, ("user", "ada"), domains=["discussion"])

    land(cast, repo, "README.md")
    head = history.resolve(repo, MAIN)
    refs.create_tag(repo=repo, tag=RevisionName("v1"), target=head, message="", by=None)
    refs.create_branch(repo=repo, branch=RevisionName("dev-1"), start=head, by=None)
    land(cast, repo, "weights/w.safetensors")
    deliver()

    assert sorted(one.json["updatedRefs"][0]["ref"] for one in sink.got) == [
        "refs/heads/dev-1",
        "refs/heads/main",
        "refs/tags/v1",
    ]


def test_what_cannot_be_read_any_more_keeps_nobody_from_being_told(cast: Cast, sink: Sink) -> None:
    repo = cast.repo("ada/tiny")
    choosy, _ = of_ada(cast, sink, ("user", "ada"), path_globs=["*.bin"])
    usual, _ = of_ada(cast, sink, ("user", "ada"))
    land(cast, repo)
    sql.run("UPDATE git_object SET data = 'broken' WHERE repo_id = %s AND kind = 2", [repo.pk])
    objects.forget(repo.pk)

    deliver()

    told = {one.json["webhook"]["id"] for one in sink.got if one.json["type"] == CONTENT}
    assert told == {choosy.public_id, usual.public_id}


def test_what_has_waited_longest_goes_first_whoever_it_is_for(
    cast: Cast, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "IN_FLIGHT", 1)
    cast.repo("ada/tiny")
    hooks = [of_ada(cast, sink, ("model", "ada/tiny"))[0] for _ in range(3)]
    now = timezone.now()
    for place in range(6):
        webhooks.ping(webhook=hooks[2 - place % 3], by=signed_in(cast.ada))
        due = now - timedelta(minutes=9 - place)
        Delivery.objects.filter(pk=Delivery.objects.latest("pk").pk).update(due=due)

    deliver()

    order = [one.json["webhook"]["id"] for one in sink.got]
    assert order == [hook.public_id for hook in (*reversed(hooks), *reversed(hooks))]


def test_a_failure_is_tried_again_with_the_same_id_and_bytes(cast: Cast, sink: Sink) -> None:
    webhook, _ = of_ada(cast, sink)
    sink.answers = [(500, {})]
    webhooks.ping(webhook=webhook, by=signed_in(cast.ada))
    deliver()
    delivery = Delivery.objects.get()
    wait = delivery.due - timezone.now()
    assert delivery.state == "pending"
    assert timedelta(seconds=3) < wait < timedelta(seconds=7)

    Delivery.objects.update(due=timezone.now())
    deliver()

    first, second = sink.got
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempt) == ("done", 2)
    assert [one.status for one in Attempt.objects.order_by("pk")] == [500, 200]


def test_a_receiver_who_asks_for_a_pause_gets_it(cast: Cast, sink: Sink) -> None:
    webhook, _ = of_ada(cast, sink)
    sink.answers = [(429, {"Retry-After": "600"})]
    webhooks.ping(webhook=webhook, by=signed_in(cast.ada))
    deliver()
    webhooks.ping(webhook=webhook, by=signed_in(cast.ada))

    deliver()

    webhook.refresh_from_db()
    assert len(sink.got) == 1
    assert webhook.open_until is not None
    assert webhook.open_until > timezone.now() + timedelta(seconds=590)


def test_a_receiver_who_is_gone_is_never_asked_again(cast: Cast, sink: Sink) -> None:
    webhook, _ = of_ada(cast, sink)
    sink.answers = [(410, {})]
    webhooks.ping(webhook=webhook, by=signed_in(cast.ada))

    deliver()

    webhook.refresh_from_db()
    assert webhook.disabled_at is not None
    assert "410" in webhook.disabled_reason
    assert Delivery.objects.get().state == "failed"


def test_a_webhook_rests_after_ten_failures_and_is_disabled_after_five_days(
    cast: Cast, sink: Sink
) -> None:
    webhook, _ = of_ada(cast, sink)
    sink.answers = [(500, {})] * 20
    for _ in range(10):
        webhooks.ping(webhook=webhook, by=signed_in(cast.ada))
    for _ in range(3):
        deliver()
    webhook.refresh_from_db()
    assert (webhook.failures, webhook.disabled_at) == (10, None)
    assert webhook.open_until is not None
    assert webhook.open_until > timezone.now()

    Webhook.objects.update(failing_since=timezone.now() - timedelta(days=6), open_until=None)
    Delivery.objects.update(due=timezone.now())
    deliver()

    webhook.refresh_from_db()
    assert webhook.disabled_at is not None
    assert len(sink.got) == 11


def test_what_a_dead_sender_had_in_hand_is_sent_when_its_lease_ends(cast: Cast, sink: Sink) -> None:
    webhook, _ = of_ada(cast, sink)
    webhooks.ping(webhook=webhook, by=signed_in(cast.ada))
    lease = timezone.now() + timedelta(seconds=30)
    Delivery.objects.update(state="sending", attempt=1, due=lease)
    assert deliver() == 0

    Delivery.objects.update(due=timezone.now())
    deliver()

    assert len(sink.got) == 1
    assert Delivery.objects.get().state == "done"


def test_a_webhook_that_is_deleted_while_it_is_asked_spoils_nothing(cast: Cast, sink: Sink) -> None:
    by = signed_in(cast.ada)
    (kept, _), (gone, _) = of_ada(cast, sink, ("user", "ada")), of_ada(cast, sink, ("user", "ada"))
    outcomes = [
        Outcome(webhooks.ping(webhook=one, by=by), timezone.now(), {}, Answer(status=200))
        for one in (kept, gone)
    ]
    Delivery.objects.update(state="sending")
    settle(outcomes[1:])
    Delivery.objects.update(state="sending")

    webhooks.delete(webhook=gone, by=by)
    settle([Outcome(one.delivery, one.started_at, {}, one.answer) for one in outcomes])

    assert [one.webhook_id for one in Delivery.objects.filter(state="done")] == [kept.pk]
    assert Attempt.objects.count() == 1


def test_a_url_that_leads_inside_is_never_asked(cast: Cast, sink: Sink, settings: Settings) -> None:
    settings.WEBHOOK_ALLOW_CIDRS = ()
    webhook, _ = of_ada(cast, sink)
    webhooks.ping(webhook=webhook, by=signed_in(cast.ada))

    deliver()

    assert sink.got == []
    assert Attempt.objects.get().error.startswith("blocked: ")


def test_the_log_shows_no_answer_of_a_machine_inside(cast: Cast, sink: Sink) -> None:
    webhook, _ = of_ada(cast, sink)
    webhooks.ping(webhook=webhook, by=signed_in(cast.ada))

    deliver()

    attempt = Attempt.objects.get()
    assert (attempt.status, attempt.response_bytes) == (200, 4)
    assert bytes(attempt.response_body) == b""
    assert attempt.response_headers == []


def test_url_and_secrets_are_not_stored_in_the_clear(cast: Cast, sink: Sink) -> None:
    webhook, secret = of_ada(cast, sink, shared_token="hunter2hunter2")

    webhook.refresh_from_db()

    stored = b"".join(
        bytes(one or b"") for one in (webhook.url, webhook.secret, webhook.shared_token)
    )
    for text in (sink.url, secret, "hunter2hunter2"):
        assert text.encode() not in stored
