"""A model as people load it: its configuration and tokenizer by name, its weights as tensors."""

import json
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file
from transformers import AutoConfig

from tests.wire.scenarios.stage import Facts, Given, api, refusal, tell

CONFIG = {
    "model_type": "bert",
    "architectures": ["BertModel"],
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "vocab_size": 100,
}


def story(given: Given) -> Facts:
    repo = given.repo("bert")
    api.create_repo(repo, private=True)
    (given.folder / "config.json").write_text(json.dumps(CONFIG))
    weights = {"embeddings.weight": np.ones((100, 32), dtype=np.float32)}
    save_file(weights, given.folder / "model.safetensors", metadata={"format": "pt"})
    api.upload_folder(repo_id=repo, folder_path=given.folder)
    config = AutoConfig.from_pretrained(repo)
    loaded = load_file(api.hf_hub_download(repo, "model.safetensors"))
    table = loaded["embeddings.weight"]
    info: Any = api.model_info(repo, expand=["safetensors", "library_name", "config"])
    metadata = api.get_safetensors_metadata(repo)
    return {
        "config": [config.model_type, config.hidden_size, config.architectures],
        "weights": [list(table.shape), float(table.sum())],
        "safetensors": [info.safetensors.total, info.safetensors.parameters],
        "read_at_commit": [info.library_name, info.config["model_type"]],
        "metadata": [metadata.sharded, metadata.parameter_count],
        "never": refusal(AutoConfig.from_pretrained, repo, revision="never")["is"][:1],
        "sharded": _sharded(given),
    }


def _sharded(given: Given) -> Facts:
    """The headers of a model in two files, read by the hub for the client (release 2)."""
    repo, folder = given.repo("sharded"), given.folder / "sharded"
    folder.mkdir()
    names = {
        "a.weight": "model-00001-of-00002.safetensors",
        "b.weight": "model-00002-of-00002.safetensors",
    }
    for tensor, name in names.items():
        save_file({tensor: np.zeros((4, 4), dtype=np.float32)}, folder / name)
    index = {"metadata": {"total_size": 128}, "weight_map": names}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    api.create_repo(repo)
    api.upload_folder(repo_id=repo, folder_path=folder)
    metadata = api.get_safetensors_metadata(repo)
    by_hub = getattr(api, "get_sharded_safetensors_metadata", api.get_safetensors_metadata)(repo)
    return {
        "sharded": [metadata.sharded, by_hub.sharded],
        "count": [metadata.parameter_count, by_hub.parameter_count],
    }


if __name__ == "__main__":
    tell(story)
