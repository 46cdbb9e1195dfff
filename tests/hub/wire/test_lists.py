"""Lists as clients ask for them: what each parameter does, and what a repo looks like."""

import json
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.test import Client
from huggingface_hub.hf_api import DatasetInfo, ModelInfo, SpaceInfo

from hub.http.repo_properties import PROPERTIES
from hub.models import Repo
from hub.names import EntryPath, RepoKind, RevisionName
from hub.services import commits
from hub.services.commits import Message, PutFile
from tests.cast import Cast, signed_in
from tests.factories.hub import make_repo
from tests.hub.wire.callers import caller
from tests.statements import Statements

pytestmark = pytest.mark.django_db

INFOS: dict[RepoKind, Any] = {
    RepoKind.MODEL: ModelInfo,
    RepoKind.DATASET: DatasetInfo,
    RepoKind.SPACE: SpaceInfo,
}


def listed(query: str = "", kind: str = "models", client: Client | None = None) -> list[str]:
    answer = (client or Client()).get(f"/api/{kind}?{query}")
    assert answer.status_code == 200, answer.content
    return [repo["id"] for repo in answer.json()]


def refused(query: str, kind: str = "models") -> str:
    answer = Client().get(f"/api/{kind}?{query}")
    assert answer.status_code == 400, answer.content
    return str(answer.json()["error"])


def land(cast: Cast, repo: Repo, files: dict[str, bytes]) -> str:
    return commits.commit(
        repo=repo,
        branch=RevisionName("main"),
        operations=[PutFile(EntryPath.parse(path), raw) for path, raw in files.items()],
        message=Message("a change"),
        by=signed_in(cast.root),
    ).hex()


@pytest.fixture
def three() -> None:
    gated = {"tags": ["pytorch", "en", "dataset:ada/d"], "parameters": 7 * 10**9}
    make_repo("ada/bert-gated", gated, gate="auto", likes=5, trending=1.0)
    make_repo("ada/gpt", {"tags": ["pytorch", "gguf"], "pipeline_tag": "fill-mask"}, trending=3.0)
    make_repo("ben/bert", {"parameters": 10**6}, downloads=9, trending=2.0)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", "ada/gpt ben/bert ada/bert-gated"),
        ("author=ADA", "ada/gpt ada/bert-gated"),
        ("search=BERT", "ben/bert ada/bert-gated"),
        ("search=bert&search=ada", "ada/bert-gated"),
        ("filter=pytorch&filter=en", "ada/bert-gated"),
        ("filter=dataset:ada/d", "ada/bert-gated"),
        ("pipeline_tag=fill-mask", "ada/gpt"),
        ("library=gguf", "ada/gpt"),
        ("gated=True", "ada/bert-gated"),
        ("gated=false", "ada/gpt ben/bert"),
        ("num_parameters=min:6B,max:128B", "ada/bert-gated"),
        ("num_parameters=max:1.5m", "ben/bert"),
        ("apps=ollama", "ada/gpt"),
        ("inference=warm", ""),
        ("inference_provider=all", ""),
        ("sort=likes", "ada/bert-gated ben/bert ada/gpt"),
        ("sort=downloads&direction=-1&limit=1", "ben/bert"),
        ("sort=createdAt&direction=1", "ada/bert-gated ada/gpt ben/bert"),
        ("author=&search=&limit=", "ada/gpt ben/bert ada/bert-gated"),
    ],
)
@pytest.mark.usefixtures("three")
def test_every_parameter_filters_or_sorts(query: str, names: str) -> None:
    assert listed(query) == names.split()


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("sort=size", '"trendingScore"|"downloads"|"likes"|"lastModified"|"createdAt"'),
        ("skip=3", 'no parameter "skip"'),
        ("linked=true", 'no parameter "linked"'),
        ("gated=maybe", "true or false"),
        ("gated=true&gated=false", "once"),
        ("num_parameters=6B", "min:6B"),
        ("num_parameters=min:x", "min:6B"),
        ("limit=0", "limit"),
        ("direction=up", "direction"),
        ("inference=cold", "warm"),
        ("apps=nosuch", '"ollama"'),
        ("expand=nothing", 'expected one of "author"|"cardData"'),
        ("cursor=x", "cursor"),
        ("search=%00", "NUL"),
        (f"search={'a' * 501}", "500"),
        ("&".join(["filter=a"] * 101), "100"),
    ],
)
def test_what_a_list_does_not_know_is_refused_by_name(query: str, says: str) -> None:
    assert says in refused(query)


@pytest.mark.usefixtures("three")
def test_the_next_link_holds_every_parameter_and_ends_with_the_list() -> None:
    query, seen = "filter=pytorch&sort=likes&limit=1&expand=likes", []
    while True:
        answer = Client().get(f"/api/models?{query}")
        seen += [repo["id"] for repo in answer.json()]
        if "Link" not in answer:
            break
        url = answer["Link"].split(">")[0].removeprefix("<")
        assert url.startswith("http://testserver/api/models?")
        query = urlsplit(url).query

    assert seen == ["ada/bert-gated", "ada/gpt"]
    assert "filter=pytorch" in query
    assert "expand=likes" in query


def test_spaces_are_found_by_what_they_use() -> None:
    make_repo("ada/one", {"metadata": {"models": ["x/m", "x/n"]}}, kind="space", sdk="gradio")
    make_repo("ada/two", {"metadata": {"datasets": "x/d"}}, kind="space", sdk="static")
    make_repo("ada/none", {"metadata": {"models": []}}, kind="space")

    assert listed("models=x/m&models=x/n", "spaces") == ["ada/one"]
    assert listed("datasets=x/d", "spaces") == ["ada/two"]
    assert listed("linked=true", "spaces") == ["ada/two", "ada/one"]
    assert listed("sdk=gradio", "spaces") == ["ada/one"]


def test_private_repos_stand_in_the_lists_of_their_owners_alone(cast: Cast) -> None:
    cast.repo("ada/secret", private=True)

    assert listed() == listed(client=caller(cast.cleo)) == []
    assert listed(client=caller(cast.ada)) == ["ada/secret"]


@pytest.mark.parametrize("kind", list(RepoKind))
def test_clients_read_every_property_that_they_may_expand(cast: Cast, kind: RepoKind) -> None:
    repo = cast.repo("ada/tiny", kind=kind)
    land(cast, repo, {"README.md": b"---\nlicense: mit\nmodels: [x/m]\n---\n# Tiny"})
    query = "&".join(f"expand={name}" for name in PROPERTIES[kind])

    for path in (f"/api/{kind.plural}", f"/api/{kind.plural}/ada/tiny"):
        answer = Client().get(f"{path}?{query}")
        assert answer.status_code == 200, answer.content
        (one,) = answer.json() if isinstance(answer.json(), list) else [answer.json()]
        info = INFOS[kind](**one)
        assert info.sha == repo_head(repo)
        assert isinstance(info.last_modified, datetime)
        assert [file.rfilename for file in info.siblings or []] == [".gitattributes", "README.md"]


def repo_head(repo: Repo) -> str:
    answer = Client().get(f"/api/{repo.repo_kind.plural}/{repo}?expand=sha")
    return str(answer.json()["sha"])


def test_expand_answers_the_id_and_what_was_asked_for_alone(cast: Cast) -> None:
    cast.repo("ada/tiny")

    (told,) = Client().get("/api/models?expand=likes&expand[]=private").json()

    assert set(told) == {"_id", "id", "likes", "private"}


def test_a_plain_list_leaves_out_what_only_a_full_one_tells(cast: Cast) -> None:
    repo = cast.repo("ada/tiny")
    land(cast, repo, {"README.md": b"---\nlicense: mit\n---\n", "config.json": b"{}"})

    (plain,) = Client().get("/api/models").json()
    (full,) = Client().get("/api/models?full=True&cardData=True&config=True").json()

    assert not {"sha", "lastModified", "siblings", "cardData"} & set(plain)
    assert full["cardData"] == {"license": "mit"}
    assert {"sha", "lastModified"} < set(full)
    assert [file["rfilename"] for file in full["siblings"]] == [
        ".gitattributes",
        "README.md",
        "config.json",
    ]


def test_files_of_many_repos_are_listed_level_by_level(cast: Cast, statements: Statements) -> None:
    counts, files = [], {}
    for number in range(1, 9):
        land(cast, cast.repo(f"ada/r{number}"), {"a/b/c.txt": b"x", f"{number}.bin": b"y"})
        with statements.counted() as count:
            rows = Client().get("/api/models?full=true").json()
        counts.append(count())
        files = {row["id"]: [file["rfilename"] for file in row["siblings"]] for row in rows}

    assert files["ada/r3"] == [".gitattributes", "3.bin", "a/b/c.txt"]
    assert len(set(counts)) == 1


@pytest.mark.parametrize("query", ["", "full=true", "expand=spaces&expand=childrenModelCount"])
def test_a_list_costs_the_same_number_of_queries_for_10_and_500_repos(
    statements: Statements, query: str
) -> None:
    def cost() -> int:
        with statements.counted() as count:
            Client().get(f"/api/models?{query}")
        return count()

    for number in range(10):
        make_repo(f"ada/r{number}")
    few = cost()
    for number in range(10, 500):
        make_repo(f"ada/r{number}")

    assert cost() == few


def test_values_of_a_model_come_from_its_card_and_its_files(cast: Cast) -> None:
    base = cast.repo("ada/base")
    card = {
        "base_model": "ada/base",
        "widget": [{"text": "Paris is [MASK]."}],
        "model-index": [{"name": "tiny", "results": []}],
        "pipeline_tag": "fill-mask",
    }
    result = b"- dataset:\n    id: cais/hle\n    task_id: default\n  value: 20.9\n"
    tiny = cast.repo("ada/tiny")
    land(
        cast,
        tiny,
        {
            "README.md": f"---\n{json.dumps(card)}\n---\n".encode(),
            "tokenizer_config.json": b'{"mask_token": {"content": "[MASK]"}}',
            ".eval_results/hle.yaml": result,
        },
    )
    cast.repo("ada/hidden", private=True)
    space = cast.repo("ada/demo", kind="space")
    land(cast, space, {"README.md": b"---\nmodels: [ada/base, ada/tiny]\n---\n"})

    asked = ["baseModels", "mask_token", "evalResults", "widgetData", "model-index", "spaces"]
    told = info(tiny, asked)

    assert told["baseModels"] == ["ada/base"]
    assert told["mask_token"] == "[MASK]"
    assert told["evalResults"][0]["data"]["value"] == 20.9
    assert told["widgetData"] == card["widget"]
    assert told["model-index"] == card["model-index"]
    assert told["spaces"] == ["ada/demo"]
    assert info(base, ["childrenModelCount"])["childrenModelCount"] == 1


def info(repo: Repo, properties: list[str]) -> dict[str, Any]:
    query = "&".join(f"expand={name}" for name in properties)
    told: dict[str, Any] = Client().get(f"/api/{repo.repo_kind.plural}/{repo}?{query}").json()
    return told


def test_what_hides_in_private_repos_is_neither_counted_nor_named(cast: Cast) -> None:
    base = cast.repo("ada/base")
    child = cast.repo("ada/child", private=True)
    land(cast, child, {"README.md": b"---\nbase_model: ada/base\n---\n"})
    space = cast.repo("ada/demo", kind="space", private=True)
    land(cast, space, {"README.md": b"---\nmodels: ada/base\n---\n"})
    path = "/api/models/ada/base?expand=spaces&expand=childrenModelCount"

    stranger, owner = Client().get(path).json(), caller(cast.ada).get(path).json()

    assert (stranger["spaces"], stranger["childrenModelCount"]) == ([], 0)
    assert (owner["spaces"], owner["childrenModelCount"]) == (["ada/demo"], 1)
    assert base.full_name == stranger["id"]


def test_a_dataset_tells_its_citation_and_size(cast: Cast) -> None:
    repo = cast.repo("ada/data", kind="dataset")
    body = "# Data\n```bibtex\n@misc{data, year={2026}}\n```\n"
    land(cast, repo, {"README.md": body.encode(), "a.csv": b"x" * 100})

    told = info(repo, ["citation", "mainSize", "description"])

    (files,) = [Client().get("/api/datasets/ada/data?blobs=true").json()["siblings"]]
    assert told["citation"] == "@misc{data, year={2026}}"
    assert told["mainSize"] == sum(file["size"] for file in files)


def test_tags_by_type_hold_vocabularies_and_what_public_repos_use(cast: Cast) -> None:
    cache.clear()
    make_repo("ada/one", {"tags": ["license:mit", "quokka", "dataset:ada/d"]})
    make_repo("ada/two", {"tags": ["secret-word"]}, visibility="private")

    by_type = Client().get("/api/models-tags-by-type").json()

    ids = {type_: [tag["id"] for tag in tags] for type_, tags in by_type.items()}
    assert "quokka" in ids["other"]
    assert ids["dataset"] == ["dataset:ada/d"]
    assert {"id": "license:mit", "label": "MIT", "type": "license"} in by_type["license"]
    assert "text-generation" in ids["pipeline_tag"]
    assert "secret-word" not in str(by_type)


def test_spaces_are_searched_by_text_unless_only_running_ones_are_wanted() -> None:
    card = {"body": "Draws a quokka", "metadata": {"title": "Quokka maker", "emoji": "Q"}}
    make_repo("ada/demo", card, kind="space", sdk="gradio")
    path = "/api/spaces/semantic-search?q=quokka"

    (found,) = Client().get(f"{path}&includeNonRunning=true&sdk=gradio").json()

    assert found["title"] == "Quokka maker"
    assert found["semanticRelevancyScore"] == 1
    assert Client().get(path).json() == []
    assert Client().get("/api/spaces/semantic-search?q=").status_code == 400
