"""Who may have what trained, what a run's pages and answers say, and where its checkpoints are."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from hub.models import Blob, Repo
from hub.names import EntryPath, RevisionName
from hub.queries.store import blob_store
from hub.services import commits, repos
from hub.services.commits import Message, PutFile
from hub.services.working import JobFailed
from hub.storage.digests import lfs_key
from inference.models import Figures, Run, Worker
from inference.services import checkpoints, runs
from inference.services.runs import Wish
from inference.services.training import check_sources
from teams.services import tokens
from tests.cast import Cast, signed_in

pytestmark = pytest.mark.django_db
EVIDENCE = {"measured": {"accuracy": 0.91}}


@pytest.fixture
def base(cast: Cast) -> Repo:
    repo = cast.repo("ada/base")
    config = json.dumps({"architectures": ["Echo"], "model_type": "echo"}).encode()
    commits.commit(
        repo=repo,
        branch=RevisionName.parse("main"),
        operations=[
            PutFile(EntryPath.parse("config.json"), config),
            PutFile(EntryPath.parse("README.md"), b"---\npipeline_tag: text-to-image\n---\n"),
        ],
        message=Message("Add it"),
        by=signed_in(cast.ada),
    )
    return repo


@pytest.fixture
def data(cast: Cast) -> Repo:
    return cast.repo("ada/data", kind="dataset")


@pytest.fixture
def run(cast: Cast, base: Repo, data: Repo) -> Run:
    return runs.request(wish(), by=signed_in(cast.ada))


def wish(**others: Any) -> Wish:
    told = {"recipe": "echo", "base_model": "ada/base", "dataset": "ada/data", "output": "ada/new"}
    return Wish(**{**told, **others})


def client_of(cast: Cast, name: str) -> Client:
    _, secret = tokens.issue(user=getattr(cast, name), name="t", role="write")
    return Client(headers={"authorization": f"Bearer {secret}"})


def published(cast: Cast, run: Run) -> Run:
    run.output, run.output_commit, run.evidence = cast.repo("ada/new"), "c" * 40, EVIDENCE
    run.save()
    return run


def output_of(run: Run) -> Repo:
    assert run.output is not None
    return run.output


def sent(client: Client, **others: Any) -> Any:
    told = {"recipe": "echo", "base_model": "ada/base", "dataset": "ada/data", "output": "ada/new"}
    return client.post("/api/v1/runs", {**told, **others}, content_type="application/json")


def test_a_run_is_asked_for_listed_measured_and_cancelled(
    cast: Cast, base: Repo, data: Repo
) -> None:
    client = client_of(cast, "ada")

    asked = sent(client, parameters={"epochs": 2}).json()
    run = Run.objects.get()
    Figures.objects.create(run=run, kind="step", step=1, values={"loss": 0.5})
    one = client.get(f"/api/v1/runs/{asked['id']}").json()
    figures = client.get(f"/api/v1/runs/{asked['id']}/figures").json()
    ended = client.post(f"/api/v1/runs/{asked['id']}/cancel").json()

    assert (asked["state"], one["base_commit"], one["parameters"]["epochs"]) == (
        "queued",
        run.base_commit,
        2,
    )
    assert figures == {"steps": [{"step": 1, "values": {"loss": 0.5}}], "measured": []}
    assert ended["state"] == "cancelled"
    assert [each["id"] for each in client.get("/api/v1/runs").json()["results"]] == [asked["id"]]


def test_who_names_no_recipe_gets_one_that_trains_such_models(
    cast: Cast, base: Repo, data: Repo
) -> None:
    assert sent(client_of(cast, "ada"), recipe="").json()["recipe"] == "echo"


@pytest.mark.parametrize(
    ("others", "status"),
    [
        ({"recipe": "alchemy"}, 400),
        ({"recipe": "image-classification"}, 400),
        ({"parameters": {"lr": "fast"}}, 400),
        ({"parameters": {"bogus": 1}}, 400),
        ({"base_model": "ada/none"}, 404),
        ({"dataset": "ada/none"}, 404),
        ({"dataset_revision": "none"}, 404),
        ({"output": "cleo/new"}, 403),
        ({"output": "no name"}, 400),
        ({"config": "a\x00b"}, 400),
    ],
)
def test_what_cannot_be_trained_is_refused_at_once(
    cast: Cast, base: Repo, data: Repo, others: dict[str, Any], status: int
) -> None:
    assert sent(client_of(cast, "ada"), **others).status_code == status
    assert not Run.objects.exists()


def test_of_what_one_may_not_read_nothing_is_trained(cast: Cast, base: Repo, data: Repo) -> None:
    repos.change_settings(
        repo=data, settings=repos.RepoSettings(visibility="private"), by=signed_in(cast.ada)
    )

    refused = sent(client_of(cast, "cleo"), output="cleo/new")

    assert refused.status_code == 404


def test_a_run_is_its_owners_alone(cast: Cast, run: Run) -> None:
    client = client_of(cast, "cleo")

    assert client.get(f"/api/v1/runs/{run.public_id}").status_code == 404
    assert client.post(f"/api/v1/runs/{run.public_id}/cancel").status_code == 404
    assert client.get("/api/v1/runs").json()["results"] == []


def test_a_model_of_closed_data_is_private_unless_one_says_otherwise(
    cast: Cast, base: Repo, data: Repo
) -> None:
    by = signed_in(cast.ada)
    repos.change_settings(repo=data, settings=repos.RepoSettings(gate="auto"), by=by)

    assert runs.request(wish(), by=by).is_private
    assert not runs.request(wish(private=False), by=by).is_private


def test_a_dataset_deleted_in_the_middle_ends_a_run_with_that_cause(
    cast: Cast, run: Run, data: Repo
) -> None:
    repos.delete(repo=data, by=signed_in(cast.ada))

    with pytest.raises(JobFailed, match="The dataset was deleted") as failed:
        check_sources(Run.objects.get(pk=run.pk))

    assert failed.value.code == "dataset_gone"
    assert Run.objects.get(pk=run.pk).dataset_name == "ada/data"


def test_checkpoints_come_back_as_they_were_and_only_the_last_are_kept(
    run: Run, tmp_path: Path
) -> None:
    for step in (1, 2, 3):
        (tmp_path / "saved").write_bytes(f"state {step}".encode())
        checkpoints.keep(run, step, tmp_path / "saved")

    assert checkpoints.bring_last(run, tmp_path / "brought") == 3
    assert (tmp_path / "brought").read_bytes() == b"state 3"
    assert sorted(run.checkpoints.values_list("step", flat=True)) == [2, 3]


def test_a_run_whose_checkpoint_was_collected_begins_at_an_earlier_one(
    run: Run, tmp_path: Path
) -> None:
    for step in (1, 2):
        (tmp_path / "saved").write_bytes(f"state {step}".encode())
        checkpoints.keep(run, step, tmp_path / "saved")
    last = bytes(run.checkpoints.get(step=2).sha256)
    Blob.objects.filter(sha256=last).delete()
    blob_store().drop(lfs_key(last))

    assert checkpoints.bring_last(run, tmp_path / "brought") == 1


def test_pages_show_the_form_the_run_and_what_was_made_from_what(
    cast: Cast, run: Run, base: Repo, data: Repo
) -> None:
    browser = Client(headers={"Accept": "text/html"})
    browser.force_login(cast.ada)
    Figures.objects.create(run=run, kind="step", step=1, values={"loss": 0.5, "lr": 0.1})
    form = browser.get("/ada/base/train").content.decode()
    refused = browser.post("/ada/base/train", {"dataset": "ada/none", "output": "ada/x"})
    going = browser.get(run.url).content.decode()
    Worker.objects.create(address="127.0.0.1:9", device="cpu")
    served = browser.get(run.url).content.decode()
    published(cast, run)

    assert 'name="checkpointing_steps"' in form
    assert refused.status_code == 422
    assert 'hx-trigger="every 2s"' in going
    assert "0.5 at step 1" in going
    assert "No inference worker is running" in going
    assert "No inference worker is running" not in served
    assert "accuracy 0.91" in browser.get("/ada/base/train").content.decode()
    assert "accuracy 0.91" in browser.get("/datasets/ada/data/trained").content.decode()
    assert "Made from" in browser.get("/ada/new/train").content.decode()
    assert "ada/new" in browser.get("/inference/runs").content.decode()


def test_pages_tell_nobody_of_a_model_that_is_hidden_from_them(
    cast: Cast, run: Run, base: Repo
) -> None:
    published(cast, run)
    hidden = repos.RepoSettings(visibility="private")
    repos.change_settings(repo=output_of(run), settings=hidden, by=signed_in(cast.ada))
    browser = Client(headers={"Accept": "text/html"})
    browser.force_login(cast.cleo)

    assert "ada/new" not in browser.get("/ada/base/train").content.decode()
