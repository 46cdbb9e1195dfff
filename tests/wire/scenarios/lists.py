"""Lists of a thousand models, cut down in every way that the client knows; and of other kinds."""

from typing import Any

from huggingface_hub import HfApi, ModelInfo

from tests.wire.scenarios.stage import VERSION, Facts, Given, api, tell

OURS = "wader-"


def story(given: Given) -> Facts:
    return {**_found(), **_sorted(), **_shaped(), **_others(given)}


def _ids(**asked: Any) -> list[str]:
    return [model.id for model in api.list_models(**asked) if OURS in model.id]


def _found() -> Facts:
    return {
        "all": _ids(),
        "signed_out": [m.id for m in HfApi(token=False).list_models(search=OURS)],
        "search": _ids(search="wader-ibis"),
        "author": _ids(author="acme"),
        "task": _ids(pipeline_tag="fill-mask"),
        "license": _ids(filter="license:mit", search=OURS),
        "both": _ids(filter=["license:mit", "fill-mask"], author="cleo"),
        "nothing": _ids(search="no-such-wader"),
        "not_gated": len(_ids(gated=False)),
        "gated": _ids(gated=True),
    }


def _sorted() -> Facts:
    down: dict[str, Any] = {"direction": -1} if VERSION < (1, 0) else {}
    asked: dict[str, Any] = {"full": True, **down}
    return {
        "limit": _ids(search=OURS, limit=7),
        "by_creation": _ids(search=OURS, sort="created_at", limit=3, **down),
        "sorts": {
            way: _falls([getattr(m, way) for m in api.list_models(**{"sort": way, **asked})])
            for way in ("created_at", "last_modified", "likes")
        },
    }


def _falls(values: list[Any]) -> bool:
    return values == sorted(values, reverse=True)


def _shaped() -> Facts:
    full, plain = _one(full=True, cardData=True), _one()
    expanded = _one(expand=["likes", "cardData"])
    return {
        "full": [len(full.sha or ""), sorted(f.rfilename for f in full.siblings or [])],
        "card": [full.pipeline_tag, full.card_data.license if full.card_data else None],
        "plain": [plain.sha, plain.siblings],
        "expanded": [expanded.likes, expanded.card_data is not None, expanded.author],
    }


def _one(**asked: Any) -> ModelInfo:
    found = api.list_models(search="wader-tern-20", **asked)
    return next(model for model in found if model.id.endswith("-20"))


def _others(given: Given) -> Facts:
    data, space = given.repo("listed-data"), given.repo("listed-space")
    api.create_repo(data, repo_type="dataset")
    api.create_repo(space, repo_type="space", space_sdk="static")
    card = b"---\nlanguage: fr\ntask_categories: [translation]\n---\n# Data\n"
    api.upload_file(
        path_or_fileobj=card, path_in_repo="README.md", repo_id=data, repo_type="dataset"
    )
    return {
        "datasets": [one.id for one in api.list_datasets(search=data)],
        "by_language": data in [one.id for one in api.list_datasets(filter="language:fr")],
        "by_task": data
        in [one.id for one in api.list_datasets(filter="task_categories:translation")],
        "spaces": [one.id for one in api.list_spaces(author=given.me, search=space)],
        "found_spaces": _search(space),
        "tags": sorted(api.get_model_tags()),
        "dataset_tags": sorted(api.get_dataset_tags()),
    }


def _search(space: str) -> list[str]:
    """Search by meaning, as far as the client has it; spaces are kept here and do not run."""
    if not hasattr(api, "search_spaces"):
        return [space]
    return [one.id for one in api.search_spaces(space.split("/")[1], include_non_running=True)]


if __name__ == "__main__":
    tell(story)
