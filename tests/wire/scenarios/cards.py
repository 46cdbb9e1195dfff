"""Cards: validate, push, read back, change one value.

Before its release 2 the client asks huggingface.co whether a card is valid, wherever it uploads to;
there the card goes up as a plain file.
"""

from huggingface_hub import DatasetCard, ModelCard, ModelCardData, metadata_load, metadata_update

from tests.wire.scenarios.stage import VERSION, Facts, Given, api, refusal, tell

VALIDATES_HERE = VERSION >= (2, 0)
BAD = ModelCard("---\nlicense: no-such-license\n---\n\n# Bad\n")
GOOD = DatasetCard("---\nlicense: mit\n---\n\n# Data\n")


def story(given: Given) -> Facts:
    repo = given.repo("card")
    api.create_repo(repo)
    data = ModelCardData(license="mit", language="en", library_name="timm", tags=["ours"])
    _push(repo, ModelCard(f"---\n{data.to_yaml()}\n---\n\n# Ours\n"))
    loaded = ModelCard.load(repo)
    _update(repo, loaded)
    info = api.model_info(repo)
    return {
        "loaded": [loaded.data.license, loaded.data.tags, "# Ours" in loaded.text],
        "updated": [info.pipeline_tag, info.library_name, "license:mit" in (info.tags or [])],
        "front_matter": metadata_load(api.hf_hub_download(repo, "README.md")),
        "bad": refusal(BAD.validate) if VALIDATES_HERE else None,
        "good": refusal(GOOD.validate) if VALIDATES_HERE else None,
        "bad_push": refusal(_upload, repo, BAD),
    }


def _push(repo: str, card: ModelCard) -> None:
    if VALIDATES_HERE:
        card.push_to_hub(repo)
    else:
        _upload(repo, card)


def _upload(repo: str, card: ModelCard) -> None:
    api.upload_file(path_or_fileobj=str(card).encode(), path_in_repo="README.md", repo_id=repo)


def _update(repo: str, card: ModelCard) -> None:
    if VALIDATES_HERE:
        metadata_update(repo, {"pipeline_tag": "image-classification"})
    else:
        card.data["pipeline_tag"] = "image-classification"
        _upload(repo, card)


if __name__ == "__main__":
    tell(story)
