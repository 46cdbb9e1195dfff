"""Everything that a repo says of itself: each property alone, files with sizes, all kinds."""

from typing import Any, get_args

from huggingface_hub import hf_api

from tests.wire.scenarios.stage import Facts, Given, api, noise, refusal, tell

CARD = """---
license: mit
language: [en, de]
tags: [weights, our-own]
pipeline_tag: text-classification
library_name: transformers
datasets: [ada/corpus]
base_model: ada/base
---
# A card
"""


def story(given: Given) -> Facts:
    repo = given.repo("info")
    api.create_repo(repo)
    files = {"README.md": CARD.encode(), "w.bin": noise(given.label, 1000), "d/e.txt": b"e"}
    for path, content in files.items():
        api.upload_file(path_or_fileobj=content, path_in_repo=path, repo_id=repo)
    return {**_model(repo), **_expanded(repo), **_others(given)}


def _model(repo: str) -> Facts:
    info: Any = api.model_info(repo, files_metadata=True)
    sizes = {sibling.rfilename: sibling.size for sibling in info.siblings}
    large = next(sibling for sibling in info.siblings if sibling.rfilename == "w.bin")
    return {
        "id": info.id,
        "author": info.author,
        "sha": info.sha == api.list_repo_commits(repo)[0].commit_id,
        "created": info.created_at.tzinfo is not None,
        "order": info.created_at <= info.last_modified,
        "counts": [info.downloads, info.likes],
        "flags": [info.private, info.gated, info.disabled],
        "pipeline_tag": info.pipeline_tag,
        "library": info.library_name,
        "tags": sorted(info.tags),
        "card": info.card_data.to_dict(),
        "sizes": sizes,
        "lfs": [large.lfs.size, len(large.lfs.sha256), large.lfs.pointer_size > 100],
        "security": api.model_info(repo, securityStatus=True).id == info.id,
    }


def _expanded(repo: str) -> Facts:
    """Ask for each property that this release of the client knows, alone and all together."""
    names = get_args(hf_api.ExpandModelProperty_T)
    alone = {name: refusal(api.model_info, repo, expand=[name])["status"] for name in names}
    together: Any = api.model_info(repo, expand=list(names))
    unknown: Any = ["nothing"]
    return {
        "alone": sorted(name for name, status in alone.items() if status != 200),
        "asked": len(names),
        "together": [together.id, together.author, together.pipeline_tag, together.private],
        "only": api.model_info(repo, expand=["likes"]).author,
        "unknown": refusal(api.model_info, repo, expand=unknown),
    }


def _others(given: Given) -> Facts:
    data, space = given.repo("info-data"), given.repo("info-space")
    api.create_repo(data, repo_type="dataset", private=True)
    api.create_repo(space, repo_type="space", space_sdk="gradio")
    data_names = get_args(hf_api.ExpandDatasetProperty_T)
    space_names = get_args(hf_api.ExpandSpaceProperty_T)
    return {
        "dataset": api.dataset_info(data, expand=list(data_names)).private,
        "space": api.space_info(space, expand=list(space_names)).sdk,
        "by_kind": refusal(api.model_info, data),
    }


if __name__ == "__main__":
    tell(story)
