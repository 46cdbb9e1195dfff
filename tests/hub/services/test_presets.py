"""CI systems are told in their own form; each stand-in judges as strictly as the real one."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from hub.models import Attempt, Delivery, Webhook
from hub.outgoing.presets import MAX_DISPATCH_CHARS
from hub.services import webhooks
from hub.services.fan_out import EVENTS
from hub.services.webhook_secrets import masked
from hub.services.webhooks import Wish
from teams.errors import Invalid
from tests.cast import Cast, signed_in
from tests.hub.services import ci_systems
from tests.hub.services.happenings import SCOPES, everything, land
from tests.hub.services.hooks import Sink, deliver, listening, watching

pytestmark = pytest.mark.django_db
GITHUB = "/api/v3/repos/acme/ci/dispatches"
GITLAB = "/api/v4/projects/7/ref/main/trigger/pipeline"
JENKINS = "/jenkins/generic-webhook-trigger/invoke"
JOB = "/jenkins/job/weigh/buildWithParameters"


@pytest.fixture
def sink(settings: Settings) -> Iterator[Sink]:
    with listening() as sink:
        settings.WEBHOOK_ALLOW_CIDRS = ("127.0.0.0/8",)
        settings.WEBHOOK_PORTS = frozenset({sink.port})
        yield sink


def made(cast: Cast, sink: Sink, path: str, **more: Any) -> tuple[Webhook, str]:
    url = sink.url.removesuffix("/hook") + path
    acme, by = cast.acme.namespace, signed_in(cast.ada)
    return watching(url, acme, by, [("org", "acme")], events=sorted(EVENTS - {"job"}), **more)


def answers() -> set[int | None]:
    return set(Attempt.objects.values_list("status", flat=True))


def test_github_is_told_of_everything_in_dispatches(cast: Cast, sink: Sink) -> None:
    sink.judge = ci_systems.github
    made(cast, sink, GITHUB, preset="github", credential=ci_systems.TOKEN)

    everything(cast)
    deliver()

    assert answers() == {204}
    told = [one.json for one in sink.got]
    assert {one["event_type"] for one in told} == {
        f"weighhouse.{scope.rpartition('.')[0]}" for scope in SCOPES
    }
    pushed = [one["client_payload"] for one in told if "updatedRefs" in one["client_payload"]]
    assert {one["repo"]["name"] for one in pushed} == {"acme/tiny"}


def test_what_is_too_much_for_github_is_cut(cast: Cast, sink: Sink) -> None:
    sink.judge = ci_systems.github
    made(cast, sink, GITHUB, preset="github", credential=ci_systems.TOKEN)

    everything(cast, text="é" * 65_000)
    deliver()

    assert answers() == {204}
    cut = [one for one in sink.got if one.json["client_payload"].get("isCut")]
    assert cut
    assert all(len(one.body.decode()) <= MAX_DISPATCH_CHARS for one in sink.got)


def test_gitlab_is_told_by_a_trigger_whose_token_no_log_shows(cast: Cast, sink: Sink) -> None:
    sink.judge = ci_systems.gitlab
    made(cast, sink, GITLAB, preset="gitlab", credential=ci_systems.TRIGGER)

    everything(cast)
    deliver()

    assert answers() == {201}
    assert all(one.path.endswith(f"?token={ci_systems.TRIGGER}") for one in sink.got)
    assert {one.json["type"] for one in sink.got} == SCOPES
    stored = b"".join(
        bytes(one or b"") for one in Webhook.objects.values_list("url", "credential").get()
    )
    assert ci_systems.TRIGGER.encode() not in stored
    assert ci_systems.TRIGGER not in json.dumps(list(Attempt.objects.values("request_headers")))


def test_a_token_in_the_url_of_gitlab_does_as_well(cast: Cast, sink: Sink) -> None:
    sink.judge = ci_systems.gitlab
    made(cast, sink, f"{GITLAB}?token={ci_systems.TRIGGER}", preset="gitlab")

    land(cast, cast.repo("acme/tiny"))
    deliver()

    assert answers() == {201}


def test_jenkins_verifies_what_its_generic_trigger_is_told(cast: Cast, sink: Sink) -> None:
    _, secret = made(cast, sink, JENKINS, preset="jenkins", credential=ci_systems.TRIGGER)
    sink.judge = ci_systems.GenericTrigger(secret)

    everything(cast)
    deliver()

    assert answers() == {200}
    assert {one.json["type"] for one in sink.got} == SCOPES


def test_a_job_of_jenkins_gets_parameters(cast: Cast, sink: Sink) -> None:
    sink.judge = ci_systems.jenkins_job
    made(cast, sink, JOB, preset="jenkins-build", credential=ci_systems.USER_TOKEN)

    everything(cast, text="é" * 65_000)
    deliver()

    assert answers() == {201}
    told = [ci_systems.parameters(one) for one in sink.got]
    (first,) = [one for one in told if one["REF"] == "refs/tags/v1"]
    assert (first["EVENT"], first["REPO_TYPE"], first["REPO"]) == (
        "repo.content",
        "model",
        "acme/tiny",
    )
    assert json.loads(first["WEBHOOK_PAYLOAD"])["updatedRefs"][0]["newSha"] == first["NEW_SHA"]


def test_credentials_are_hidden_in_the_log(cast: Cast, sink: Sink) -> None:
    webhook, _ = made(cast, sink, GITHUB, preset="github", credential=ci_systems.TOKEN)
    webhooks.ping(webhook=webhook, by=signed_in(cast.ada))

    deliver()

    assert sink.got[0].headers["authorization"] == f"Bearer {ci_systems.TOKEN}"
    assert Attempt.objects.get().request_headers["Authorization"] == "(hidden)"


def test_a_wrong_token_is_a_failure_that_is_tried_again(cast: Cast, sink: Sink) -> None:
    sink.judge = ci_systems.github
    webhook, _ = made(cast, sink, GITHUB, preset="github", credential="other")
    webhooks.ping(webhook=webhook, by=signed_in(cast.ada))

    deliver()

    assert answers() == {401}
    assert Delivery.objects.get().state == "pending"


@pytest.mark.parametrize(
    ("preset", "path"),
    [
        ("github", "/hook"),
        ("github", f"{GITHUB}/more"),
        ("gitlab", GITHUB),
        ("jenkins", JOB),
        ("jenkins-build", JENKINS),
        ("travis", "/hook"),
    ],
)
def test_a_url_that_the_system_does_not_have_is_refused(
    cast: Cast, sink: Sink, preset: str, path: str
) -> None:
    with pytest.raises(Invalid):
        made(cast, sink, path, preset=preset)

    webhook, _ = made(cast, sink, "/hook")
    with pytest.raises(Invalid):
        webhooks.change(webhook=webhook, wish=Wish(preset=preset), by=signed_in(cast.ada))
    webhook.refresh_from_db()
    assert webhook.preset == "plain"


def test_what_the_query_of_a_url_says_is_masked() -> None:
    assert masked("https://ci.example/x?token=abc&job=7&flag") == (
        "https://ci.example/x?token=…&job=…&flag=…"
    )
    assert masked("https://ci.example/x") == "https://ci.example/x"
