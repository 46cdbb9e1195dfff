"""What InferenceClient sends is answered in what it can read, task by task."""

import base64
import io
import json
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from huggingface_hub import HfApi, ImageToImageTargetSize, InferenceClient
from huggingface_hub.errors import HfHubHTTPError
from openai import BadRequestError, NotFoundError, OpenAI
from PIL import Image

from hub.config.children import Child
from tests.live import LiveServer, wait_until
from tests.models import models_of, push_echo
from tests.wire.conftest import OWNER, STRANGER
from tests.wire.record import Record


def picture(width: int = 20, height: int = 10) -> bytes:
    aside = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 30)).save(aside, "PNG")
    return aside.getvalue()


pytestmark = pytest.mark.wire


@pytest.fixture(scope="module")
def worker(hub: LiveServer, record: Record) -> Iterator[Child]:
    with models_of(hub) as running:
        yield running


@pytest.fixture(scope="module")
def api(hub: LiveServer, worker: Child) -> HfApi:
    return HfApi(endpoint=hub.url, token=hub.token(OWNER))


@pytest.fixture(scope="module")
def echo(api: HfApi) -> str:
    return push_echo(api)


def client_for(
    hub: LiveServer, model: str, task: str = "", token: str | None = None
) -> InferenceClient:
    url = f"{hub.url}/inference/models/{model}"
    url += f"/pipeline/{task}" if task else ""
    return InferenceClient(model=url, token=token or hub.token(OWNER))


def test_text_to_image_answers_a_picture_of_the_size_asked_for(hub: LiveServer, echo: str) -> None:
    image = client_for(hub, echo).text_to_image("a red circle", width=48, height=32, seed=1)

    assert image.size == (48, 32)
    recipe = json.loads(image.info["weighhouse"])
    assert (recipe["prompt"], recipe["seed"], recipe["model"]) == ("a red circle", 1, echo)


def test_image_to_image_takes_base64_and_a_target_size(hub: LiveServer, echo: str) -> None:
    client = client_for(hub, echo)

    image = client.image_to_image(
        picture(),
        prompt="blue",
        strength=0.5,
        target_size=ImageToImageTargetSize(width=24, height=16),
    )

    assert image.size == (24, 16)


def test_classification_takes_raw_pictures_and_those_with_parameters(
    hub: LiveServer, echo: str
) -> None:
    client = client_for(hub, echo, "image-classification")

    raw = client.image_classification(picture(20, 10))
    first = client.image_classification(picture(20, 10), top_k=1)

    assert [one.label for one in raw] == ["20x10", "other"]
    assert [one.label for one in first] == ["20x10"]


def test_zero_shot_classification_ranks_the_labels(hub: LiveServer, echo: str) -> None:
    found = client_for(hub, echo).zero_shot_image_classification(
        picture(), ["red circle", "blue square"]
    )

    assert [one.label for one in found] == ["red circle", "blue square"]
    assert sum(one.score for one in found) == pytest.approx(1)


def test_features_of_one_text_and_of_many(hub: LiveServer, echo: str) -> None:
    client = client_for(hub, echo, "feature-extraction")

    one = client.feature_extraction("a")
    many = client.feature_extraction(["a", "b"])

    assert one.shape == (8,)
    assert many.shape == (2, 8)
    assert list(one) == list(many[0])


def test_texts_are_compared_captioned_asked_and_labelled(hub: LiveServer, echo: str) -> None:
    compared = client_for(hub, echo).sentence_similarity("a", ["a", "b"])
    caption = client_for(hub, echo, "image-to-text").image_to_text(picture())
    answer = client_for(hub, echo).visual_question_answering(picture(), "what color is this?")
    labels = client_for(hub, echo, "text-classification").text_classification("fine")

    assert compared == [1.0, 0.0]
    assert caption.generated_text == "a picture of 20x10 pixels"
    assert answer[0].answer == "what color is this?"
    assert labels[0].label == "fine"


BAD = {
    "no picture": b"no picture at all",
    "empty": b"",
    "no json": b'{"inputs": ',
    "animated": b"",
    "not base64": json.dumps({"inputs": "%%%", "parameters": {}}).encode(),
    "url": json.dumps({"inputs": "http://127.0.0.1/a.png"}).encode(),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_pictures_are_refused_with_the_reason(hub: LiveServer, echo: str, what: str) -> None:
    url = f"{hub.url}/inference/models/{echo}/pipeline/image-classification"
    body = BAD[what]
    if what == "animated":
        aside = io.BytesIO()
        frames = [Image.new("RGB", (8, 8), (shade, 0, 0)) for shade in (0, 200)]
        frames[0].save(aside, "GIF", save_all=True, append_images=frames[1:])
        body = aside.getvalue()
    request = urllib.request.Request(  # noqa: S310 - our own hub
        url, body, {"Authorization": f"Bearer {hub.token(OWNER)}"}, method="POST"
    )

    with pytest.raises(HTTPError) as refused:
        urllib.request.urlopen(request)  # noqa: S310 - our own hub

    with refused.value as answer:
        assert answer.code == 400
        assert json.load(answer)["error"]


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"width": 13}, "multiple of 8"),
        ({"height": 10**6}, "height must be"),
        ({"num_inference_steps": 0}, "num_inference_steps"),
        ({"scheduler": "Nobody's"}, "scheduler must be one of"),
        ({"bogus": 1}, "knows no 'bogus'"),
    ],
)
def test_bad_values_are_refused_by_name(
    hub: LiveServer, echo: str, parameters: dict[str, object], told: str
) -> None:
    with pytest.raises(HfHubHTTPError, match=told) as refused:
        client_for(hub, echo).text_to_image("a", extra_body=parameters)

    assert refused.value.response.status_code == 400


def test_private_models_run_for_those_who_may_read_them(hub: LiveServer, api: HfApi) -> None:
    name = push_echo(api, "ada/hidden-echo", private=True)

    assert client_for(hub, name).text_to_image("a").size == (64, 64)
    with pytest.raises(HfHubHTTPError) as refused:
        client_for(hub, name, token=hub.token(STRANGER)).text_to_image("a")

    assert refused.value.response.status_code == 404


def test_files_that_lead_to_other_models_are_not_fetched(hub: LiveServer, api: HfApi) -> None:
    name = push_echo(api, "ada/leads-away")
    told = json.dumps({"base_model_name_or_path": "/etc"}).encode()
    api.upload_file(path_or_fileobj=told, path_in_repo="adapter_config.json", repo_id=name)

    assert client_for(hub, name).text_to_image("a").size == (64, 64)

    folders = Path(hub.environ["WEIGHHOUSE_DATA"], "models", "ada--leads-away").glob("*")
    assert [sorted(file.name for file in folder.iterdir()) for folder in folders] == [
        ["config.json"]
    ]


def test_adapters_are_found_allowed_and_named_by_commit(hub: LiveServer, api: HfApi) -> None:
    echo, name = push_echo(api), "ada/secret-lora"
    api.create_repo(name, private=True)
    made = api.upload_file(
        path_or_fileobj=b"weights", path_in_repo="pytorch_lora_weights.safetensors", repo_id=name
    )
    asked = {"adapters": [{"repo": name, "weight": 0.5}]}

    image = client_for(hub, echo).text_to_image("a", extra_body=asked)

    assert json.loads(image.info["weighhouse"])["adapters"] == [
        {"repo": name, "commit": made.oid, "weight": 0.5}
    ]
    stranger = client_for(hub, echo, token=hub.token(STRANGER))
    with pytest.raises(HfHubHTTPError) as hidden:
        stranger.text_to_image("a", extra_body=asked)
    assert hidden.value.response.status_code == 404
    with pytest.raises(HfHubHTTPError, match="is no adapter"):
        client_for(hub, echo).text_to_image("a", extra_body={"adapters": [{"repo": echo}]})


def test_many_who_ask_first_are_all_served(hub: LiveServer, api: HfApi) -> None:
    name = push_echo(api, "ada/asked-at-once", private=True)
    client = client_for(hub, name)

    with ThreadPoolExecutor(max_workers=6) as pool:
        drawn = list(pool.map(client.text_to_image, "abcdef"))

    assert [image.size for image in drawn] == [(64, 64)] * 6


def test_pickles_and_code_of_repos_are_refused_before_a_worker_is_asked(
    hub: LiveServer, api: HfApi
) -> None:
    name = "ada/pickled"
    api.create_repo(name)
    config = json.dumps({"architectures": ["BertForSequenceClassification"]}).encode()
    api.upload_file(path_or_fileobj=config, path_in_repo="config.json", repo_id=name)
    api.upload_file(path_or_fileobj=b"\x80\x04N.", path_in_repo="pytorch_model.bin", repo_id=name)

    with pytest.raises(HfHubHTTPError, match="safetensors") as refused:
        client_for(hub, name).text_classification("a")

    assert refused.value.response.status_code == 403


def test_jobs_make_pictures_that_only_who_asked_may_see(hub: LiveServer, echo: str) -> None:
    inputs = {"prompt": "a green ring", "seed": 7}
    job = call(hub, "POST", f"repos/models/{echo}/generations", {"inputs": inputs, "count": 2})

    wait_until(lambda: call(hub, "GET", f"jobs/{job['id']}")["state"] == "succeeded", 60, "job")
    outputs = call(hub, "GET", f"jobs/{job['id']}")["outputs"]["outputs"]

    seeds = [call(hub, "GET", f"outputs/{one['id']}")["recipe"]["seed"] for one in outputs]
    assert seeds == [7, 8]
    content = f"{hub.url}/api/v1/outputs/{outputs[0]['id']}/content"
    assert get(content, hub.token(OWNER))[:4] == b"\x89PNG"
    with pytest.raises(HTTPError) as refused:
        get(content, hub.token(STRANGER))
    with refused.value as answer:
        assert answer.code == 404


def call(hub: LiveServer, method: str, path: str, body: object = None) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {hub.token(OWNER)}", "Content-Type": "application/json"}
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(  # noqa: S310 - our own hub
        f"{hub.url}/api/v1/{path}", data, headers, method=method
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - our own hub
        told: dict[str, Any] = json.load(answer)
    return told


def get(url: str, token: str) -> bytes:
    request = urllib.request.Request(  # noqa: S310 - our own hub
        url, headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - our own hub
        read: bytes = answer.read()
    return read


def openai(hub: LiveServer, user: str) -> OpenAI:
    return OpenAI(base_url=f"{hub.url}/v1", api_key=hub.token(user), max_retries=0)


def test_openai_clients_draw_embed_and_chat(hub: LiveServer, echo: str) -> None:
    parts: Any = [
        {"type": "text", "text": "what color is this?"},
        {"type": "image_url", "image_url": {"url": data_url()}},
    ]
    with openai(hub, OWNER) as client:
        drawn = client.images.generate(model=echo, prompt="a ring", n=2, size="32x16")
        vectors = client.embeddings.create(model=echo, input=["a", "b", data_url()])
        said = client.chat.completions.create(
            model=echo, messages=[{"role": "user", "content": parts}]
        )

    pictures = [base64.b64decode(one.b64_json or "") for one in drawn.data or ()]
    assert [Image.open(io.BytesIO(one)).size for one in pictures] == [(32, 16), (32, 16)]
    assert [len(one.embedding) for one in vectors.data] == [8, 8, 8]
    assert said.choices[0].message.content == "what color is this?"


def test_openai_clients_hear_why_a_model_is_refused(hub: LiveServer, echo: str) -> None:
    with openai(hub, STRANGER) as client:
        with pytest.raises(NotFoundError):
            client.images.generate(model="ada/none-such", prompt="a ring")
        with pytest.raises(BadRequestError, match="size must look like"):
            client.images.generate(model=echo, prompt="a ring", size="wide")


def test_chat_streams_from_the_url_of_a_model(hub: LiveServer, echo: str) -> None:
    messages: Any = [
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": data_url()}}]}
    ]

    client = client_for(hub, echo)
    pieces = list(client.chat_completion(messages, stream=True))

    said = "".join(piece.choices[0].delta.content or "" for piece in pieces)
    assert said == "a picture of 20x10 pixels"


def test_a_model_tells_what_it_can_be_asked(hub: LiveServer, echo: str) -> None:
    told = json.loads(get(f"{hub.url}/inference/models/{echo}", hub.token(OWNER)))
    health = get(f"{hub.url}/inference/models/{echo}/health", hub.token(OWNER))

    assert told["pipeline_tag"] == "text-to-image"
    assert "visual-question-answering" in told["tasks"]
    assert health == b""


def data_url() -> str:
    return f"data:image/png;base64,{base64.b64encode(picture()).decode()}"
