import json
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from hub.config.celery import app
from hub.errors import FileWithheld, JobNotFound
from hub.models import Event, Job, Repo, sql
from hub.services import jobs, working
from hub.services.jobs import Kind
from hub.services.webhook_payloads import _job
from hub.services.working import JobFailed, TryAgain, Work, work_off
from teams.errors import Forbidden, Invalid
from tests.cast import Cast, signed_in
from tests.hub.services.aside import Aside

pytestmark = pytest.mark.django_db

Handler = Callable[[Work], Mapping[str, Any] | None]


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """Register kinds of work, for one test."""
    monkeypatch.setattr(jobs, "_kinds", {})

    def register(run: Handler, *, name: str = "test.add", **rest: Any) -> str:
        jobs.register(Kind(name=name, run=run, **rest))
        return name

    yield register
    working.stopping.clear()


@pytest.fixture
def repo(cast: Cast) -> Repo:
    return cast.repo()


def add(work: Work) -> dict[str, int]:
    return {"sum": sum(work.params["numbers"])}


def become_due() -> None:
    sql.run("UPDATE hub_job SET due = now() - interval '1 second'")


def story(job_id: int) -> tuple[str, int, str, str]:
    job = Job.objects.get(pk=job_id)
    return job.state, job.failures, job.error_code, job.error


def test_a_job_is_done_and_its_outputs_are_kept(kind: Any, cast: Cast, repo: Repo) -> None:
    job_id = jobs.request(kind(add), params={"numbers": [1, 2]}, repo=repo, by=signed_in(cast.ada))

    assert work_off("cpu")
    assert not work_off("cpu")

    job = Job.objects.get(pk=job_id)
    assert (job.state, job.outputs, job.attempt) == ("succeeded", {"sum": 3}, 1)
    assert job.finished_at is not None


def test_a_job_of_a_change_that_is_taken_back_was_never_asked_for(kind: Any) -> None:
    name = kind(add)

    @transaction.atomic
    def change_and_stumble() -> None:
        jobs.request(name, params={})
        raise Invalid

    with pytest.raises(Invalid):
        change_and_stumble()

    assert not Job.objects.exists()


def test_what_waits_already_is_asked_for_once_and_with_the_newest_wish(kind: Any) -> None:
    name = kind(add)
    first = jobs.request(name, params={"numbers": [1]}, key="repo 1")
    second = jobs.request(name, params={"numbers": [2]}, key="repo 1")
    other = jobs.request(name, params={"numbers": [3]}, key="repo 2")

    assert first == second != other
    assert Job.objects.get(pk=first).params == {"numbers": [2]}


def test_of_one_key_one_runs_and_one_waits(kind: Any) -> None:
    name = kind(add)
    first = jobs.request(name, params={"numbers": []}, key="same")
    running = jobs.claim("cpu")
    second = jobs.request(name, params={"numbers": []}, key="same")

    assert running is not None
    assert running.pk == first != second
    assert jobs.claim("cpu") is None
    jobs.settle(running, jobs.Outcome(Job.State.SUCCEEDED))
    assert work_off("cpu")
    assert story(second)[0] == "succeeded"


def test_lower_numbers_go_first_and_queues_are_kept_apart(kind: Any) -> None:
    slow, fast = kind(add, name="slow", queue="heavy"), kind(add, name="fast")
    late = jobs.request(fast, params={"numbers": []}, priority=9)
    soon = jobs.request(fast, params={"numbers": []}, priority=1)
    jobs.request(slow, params={"numbers": []}, priority=0)

    taken = [jobs.claim("cpu") for _ in range(3)]

    assert [job.pk if job else None for job in taken] == [soon, late, None]


def test_what_dies_with_its_worker_is_begun_again_and_in_the_end_given_up(kind: Any) -> None:
    job_id = jobs.request(kind(add), params={"numbers": []})
    for _ in range(3):
        assert jobs.claim("cpu") is not None
        assert jobs.claim("cpu") is None
        become_due()

    assert work_off("cpu")

    assert story(job_id)[:3] == ("failed", 3, "worker_lost")


def test_a_worker_that_lost_its_lease_changes_nothing_more(kind: Any) -> None:
    job_id = jobs.request(kind(add), params={"numbers": []})
    late = jobs.claim("cpu")
    become_due()
    current = jobs.claim("cpu")
    assert late is not None
    assert current is not None

    work = Work(late)
    with pytest.raises(working.JobLost):
        work.progress(1, 1)
    with pytest.raises(working.JobLost):
        Work(late).tell("log", line="too late")

    assert not jobs.settle(late, jobs.Outcome(Job.State.FAILED, code="late"))
    assert story(job_id)[0] == "running"
    assert jobs.settle(current, jobs.Outcome(Job.State.SUCCEEDED))


def test_what_cannot_be_done_fails_with_its_cause_and_is_not_tried_again(kind: Any) -> None:
    def refuse(_work: Work) -> None:
        raise JobFailed("too_few_images", "A subject needs three images; there are 2.")

    job_id = jobs.request(kind(refuse), params={})

    assert work_off("cpu")
    become_due()
    assert not work_off("cpu")
    assert story(job_id) == (
        "failed",
        0,
        "too_few_images",
        "A subject needs three images; there are 2.",
    )


def test_a_mistake_of_ours_tells_people_nothing_of_its_inside(kind: Any) -> None:
    def stumble(_work: Work) -> None:
        raise KeyError("secret")

    job_id = jobs.request(kind(stumble), params={})

    assert work_off("cpu")
    state, _, code, error = story(job_id)
    assert (state, code) == ("failed", "internal_error")
    assert "secret" not in error


def test_what_was_away_is_tried_again_later_and_not_for_ever(kind: Any) -> None:
    def knock(_work: Work) -> None:
        raise TryAgain("store_away", "The store does not answer.")

    job_id = jobs.request(kind(knock), params={})

    seen = []
    for _ in range(3):
        assert work_off("cpu")
        assert not work_off("cpu")
        seen.append(story(job_id)[:2])
        become_due()

    assert seen == [("queued", 1), ("queued", 2), ("failed", 2)]


def test_what_scanners_have_not_let_out_yet_is_waited_for(kind: Any) -> None:
    def read(_work: Work) -> None:
        raise FileWithheld("The file cannot be served before being scanned.")

    job_id = jobs.request(kind(read), params={})

    assert work_off("cpu")
    assert story(job_id)[:2] == ("queued", 1)


def test_what_waits_is_cancelled_at_once(kind: Any, cast: Cast) -> None:
    job_id = jobs.request(kind(add), params={}, by=signed_in(cast.ada))

    jobs.cancel(Job.objects.get(pk=job_id), by=signed_in(cast.ada))

    assert story(job_id)[0] == "cancelled"
    assert not work_off("cpu")


def test_what_runs_stops_at_its_next_step(kind: Any, cast: Cast) -> None:
    def count(work: Work) -> None:
        jobs.cancel(Job.objects.get(pk=work.job.pk), by=signed_in(cast.ada))
        work.progress(1, 1)
        pytest.fail("It went on.")

    job_id = jobs.request(kind(count), params={}, by=signed_in(cast.ada))

    assert work_off("cpu")
    assert story(job_id)[0] == "cancelled"


@pytest.mark.django_db(transaction=True)
def test_what_is_given_back_at_the_same_moment_is_cancelled_all_the_same(
    kind: Any, cast: Cast
) -> None:
    job_id = jobs.request(kind(add), params={}, by=signed_in(cast.ada))
    running = jobs.claim("cpu")
    assert running is not None

    with transaction.atomic():
        jobs.put_back(running, counts=False)
        cancelling = Aside(lambda: jobs.cancel(running, by=signed_in(cast.ada)), patience_ms=60_000)
        cancelling.until_it_waits()
    cancelling.joined()

    assert story(job_id)[0] == "cancelled"


def test_a_process_that_ends_gives_its_job_back_unharmed(kind: Any) -> None:
    def shut_down(work: Work) -> None:
        working.stopping.set()
        work.check()

    job_id = jobs.request(kind(shut_down), params={})

    assert work_off("cpu")
    assert story(job_id)[:2] == ("queued", 0)


def test_what_is_given_back_gives_way_to_another_of_its_key(kind: Any) -> None:
    def twice(work: Work) -> None:
        jobs.request("test.add", params={}, key=work.job.key)
        working.stopping.set()
        work.check()

    first = jobs.request(kind(twice), params={}, key="same")

    assert work_off("cpu")
    assert story(first)[0] == "cancelled"
    assert Job.objects.filter(state="queued").count() == 1


def test_only_who_asked_or_writes_to_the_repo_knows_of_a_job(
    kind: Any, cast: Cast, repo: Repo
) -> None:
    job_id = jobs.request(kind(add), params={}, repo=repo, by=signed_in(cast.ben))
    job = Job.objects.get(pk=job_id)

    with pytest.raises(JobNotFound):
        jobs.cancel(job, by=signed_in(cast.cleo))
    with pytest.raises(Forbidden):
        jobs.cancel(job, by=signed_in(cast.ben, may_change=False))
    jobs.cancel(job, by=signed_in(cast.ben))

    assert story(job_id)[0] == "cancelled"


def test_webhooks_hear_of_kinds_that_are_told_of(kind: Any, cast: Cast, repo: Repo) -> None:
    loud, silent = kind(add, name="train", is_told=True), kind(add, name="convert")
    for name in (loud, silent):
        jobs.request(name, params={"numbers": []}, repo=repo, by=signed_in(cast.ada))
    while work_off("cpu"):
        pass

    events = Event.objects.filter(scope="repo.job").order_by("id")
    told = [(one.action, _job(one.details)["job"]) for one in events]
    job = Job.objects.get(kind="train")
    assert [(action, body["status"]) for action, body in told] == [
        ("create", "queued"),
        ("update", "succeeded"),
    ]
    assert all(body["id"] == job.public_id for _, body in told)
    assert json.dumps(told[0][1]["url"]).endswith(f'/jobs/{job.public_id}"')


def test_the_story_of_a_job_is_kept_in_order(kind: Any) -> None:
    def chat(work: Work) -> None:
        work.log("one")
        work.tell("metric", loss=0.5)

    job_id = jobs.request(kind(chat), params={})
    assert work_off("cpu")

    story_of = Job.objects.get(pk=job_id).events.order_by("id").values_list("type", "payload")
    assert list(story_of) == [("log", {"line": "one"}), ("metric", {"loss": 0.5})]


def test_where_nobody_listens_bells_do_not_pile_up(kind: Any) -> None:
    folders = app.conf.broker_transport_options
    for name in ("data_folder_in", "control_folder", "processed_folder"):
        Path(folders[name]).mkdir(parents=True, exist_ok=True)
    jobs.request(kind(add, queue="gpu"), params={})

    for _ in range(3):
        jobs.sweep()

    bells = list(Path(folders["data_folder_in"]).glob("*.gpu.msg"))
    for bell in bells:
        bell.unlink()
    assert len(bells) == 1


def test_jobs_of_long_ago_are_forgotten(kind: Any) -> None:
    job_id = jobs.request(kind(add), params={"numbers": []})
    assert work_off("cpu")
    waiting = jobs.request("test.add", params={"numbers": []}, after=timedelta(days=1))

    sql.run("UPDATE hub_job SET finished_at = now() - interval '91 days' WHERE id = %s", [job_id])
    jobs.sweep()

    assert list(Job.objects.values_list("pk", flat=True)) == [waiting]
