from typing import Any

import pytest
from django.test import Client

from hub.models import Job, Repo
from hub.services import jobs
from hub.services.jobs import Kind
from hub.services.working import Work, work_off
from teams.services import tokens
from teams.services.tokens import Wish
from tests.cast import Cast, signed_in

pytestmark = pytest.mark.django_db


def tell(work: Work) -> dict[str, str]:
    work.progress(1, 2, "half of it")
    work.log("weighed")
    return {"commit": "abc"}


@pytest.fixture
def job(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Job:
    monkeypatch.setattr(jobs, "_kinds", {})
    jobs.register(Kind(name="test.tell", run=tell))
    params = {"rank": 4}
    job_id = jobs.request("test.tell", params=params, repo=cast.repo(), by=signed_in(cast.ada))
    return Job.objects.get(pk=job_id)


def client_of(cast: Cast, name: str, role: str = "write") -> Client:
    _, secret = tokens.issue(user=getattr(cast, name), name="t", role=role)
    return Client(headers={"authorization": f"Bearer {secret}"})


def test_a_job_is_told_from_wish_to_outcome(cast: Cast, job: Job) -> None:
    client = client_of(cast, "ada", "read")
    url = f"/api/v1/jobs/{job.public_id}"
    before: dict[str, Any] = client.get(url).json()
    assert work_off("cpu")
    after: dict[str, Any] = client.get(url).json()
    story = client.get(f"{url}/events").json()["results"]

    assert (before["state"], before["params"], before["asked_by"]) == (
        "queued",
        {"rank": 4},
        "ada",
    )
    assert before["repo"] == {"type": "model", "name": "ada/tiny"}
    assert (after["state"], after["outputs"], after["step"]) == (
        "succeeded",
        {"commit": "abc"},
        "half of it",
    )
    assert [(one["type"], one["payload"]) for one in story] == [("log", {"line": "weighed"})]
    assert client.get(f"{url}/events?after={story[0]['id']}").json()["results"] == []


def test_lists_are_of_who_asks_and_of_repos_that_they_write(cast: Cast, job: Job) -> None:
    of_repo = "/api/v1/repos/models/ada/tiny/jobs"
    ada, cleo = client_of(cast, "ada"), client_of(cast, "cleo")

    assert [one["id"] for one in ada.get("/api/v1/jobs").json()["results"]] == [job.public_id]
    assert [one["id"] for one in ada.get(of_repo).json()["results"]] == [job.public_id]
    assert ada.get("/api/v1/jobs?state=failed").json()["results"] == []
    assert ada.get("/api/v1/jobs?state=sleepy").status_code == 400
    assert cleo.get("/api/v1/jobs").json()["results"] == []
    assert cleo.get(of_repo).status_code == 403


def test_strangers_hear_of_a_job_what_they_hear_of_none(cast: Cast, job: Job) -> None:
    cleo = client_of(cast, "cleo")
    answers = [
        (client.status_code, client.json()["detail"])
        for name in (job.public_id, "0" * 24, "nonsense")
        for client in (
            cleo.get(f"/api/v1/jobs/{name}"),
            cleo.get(f"/api/v1/jobs/{name}/events"),
            cleo.post(f"/api/v1/jobs/{name}/cancel"),
        )
    ]

    assert len(set(answers)) == 1
    assert answers[0][0] == 404


def test_a_token_that_is_not_for_the_repo_knows_of_no_job(cast: Cast, job: Job) -> None:
    wish = Wish(name="narrow", allowed=())
    _, secret = tokens.issue_as(wish, user=cast.ada)
    narrow = Client(headers={"authorization": f"Bearer {secret}"})
    Repo.objects.update(visibility=Repo.Visibility.PRIVATE)

    assert narrow.get(f"/api/v1/jobs/{job.public_id}").status_code == 404
    assert narrow.get("/api/v1/jobs").json()["results"] == []


def test_a_job_is_cancelled_by_who_may_change_things(cast: Cast, job: Job) -> None:
    url = f"/api/v1/jobs/{job.public_id}/cancel"

    assert client_of(cast, "ada", "read").post(url).status_code == 403
    assert client_of(cast, "ada").post(url).json()["state"] == "cancelled"
    assert client_of(cast, "ada").post(url).status_code == 202
    assert not work_off("cpu")


def test_pages_show_how_far_it_is(cast: Cast, job: Job) -> None:
    client = Client()
    client.force_login(cast.ada)
    page = f"/jobs/{job.public_id}"
    waiting = client.get(page).content.decode()
    assert work_off("cpu")
    over = client.get(page, headers={"HX-Request-Type": "partial"}).content.decode()

    assert "Waiting for a worker" in waiting
    assert f'hx-get="{page}"' in waiting
    assert "weighed" in over
    assert "hx-get" not in over
    assert "<html" not in over
    assert job.public_id in client.get("/jobs").content.decode()
    assert job.public_id not in client.get("/jobs?state=queued").content.decode()


def test_a_method_that_is_not_there_is_refused_in_the_words_of_http(cast: Cast) -> None:
    told = client_of(cast, "ada").delete("/api/v1/jobs").json()

    assert (told["title"], told["status"]) == ("Method Not Allowed", 405)
