"""A dataset and a base model become a published model, asked for by one request."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi, ModelCard
from safetensors.numpy import load

from tests.live import LiveServer, wait_until
from tests.models import models_of, push_echo
from tests.pictures import push_pictures
from tests.wire.conftest import OWNER, populated

pytestmark = pytest.mark.wire
BASE, DATA = "ada/echo-to-train", "ada/shades"
SECONDS = 240


@pytest.fixture(scope="module")
def working() -> Iterator[LiveServer]:
    """A hub of its own: at that of all tests, workers would first do what those left undone."""
    with LiveServer(workers=True) as server, models_of(server):
        yield populated(server)


@pytest.fixture(scope="module")
def api(working: LiveServer) -> HfApi:
    return HfApi(endpoint=working.url, token=working.token(OWNER))


@pytest.fixture(scope="module")
def sources(api: HfApi) -> None:
    push_echo(api, BASE)
    push_pictures(api, DATA)


def call(hub: LiveServer, path: str, body: object = None) -> Any:
    """Ask our own API: GET without a body, POST with one."""
    request = urllib.request.Request(  # noqa: S310 - our own hub
        f"{hub.url}/api/v1/{path}",
        json.dumps(body).encode() if body is not None else None,
        {"Authorization": f"Bearer {hub.token(OWNER)}", "Content-Type": "application/json"},
        method="GET" if body is None else "POST",
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - our own hub
        return json.load(answer)


def train(hub: LiveServer, output: str, **parameters: Any) -> Any:
    wish = {"recipe": "echo", "base_model": BASE, "dataset": DATA, "output": output}
    return call(hub, "runs", wish | {"parameters": parameters})


def over(hub: LiveServer, run: Any) -> Any:
    found: dict[str, Any] = {}

    def is_over() -> bool:
        found.update(call(hub, f"runs/{run['id']}"))
        return found["state"] in {"succeeded", "failed", "cancelled"}

    wait_until(is_over, SECONDS, "the end of a run")
    return found


def test_a_run_becomes_one_commit_whose_card_tells_of_it(
    working: LiveServer, api: HfApi, sources: None
) -> None:
    asked = train(working, "ada/brightness", epochs=50, batch_size=8)

    run = over(working, asked)

    assert run["error"] == ""
    info = api.model_info("ada/brightness")
    assert info.sha == run["output_commit"]
    commits = api.list_repo_commits("ada/brightness")
    assert [one.title for one in commits] == ["Train it: Echo", "initial commit"]
    file = Path(api.hf_hub_download("ada/brightness", "model.safetensors"))
    dark, light = load(file.read_bytes())["brightness"]
    assert dark == pytest.approx(60 / 255, abs=0.05)
    assert light == pytest.approx(200 / 255, abs=0.05)
    metadata = ModelCard.load(api.hf_hub_download("ada/brightness", "README.md")).data
    assert (metadata.base_model, metadata.datasets) == (BASE, [DATA])
    assert [result.metric_type for result in metadata.eval_results or []] == ["mean_absolute_error"]
    assert working.fsck() == []
