"""The card of a trained model: written from what is known of its run, and from nothing else."""

from collections.abc import Mapping
from typing import Any

import yaml

from inference.training.recipes import About

_HIGHER = {"accuracy": "Accuracy", "mean_absolute_error": "Mean absolute error"}


def card_of(recipe: About, model: str, evidence: Mapping[str, Any], *, address: str = "") -> str:
    """Write the README of ``model``. ``evidence`` is what a run keeps once it has trained."""
    head = yaml.safe_dump(
        _metadata(recipe, model, evidence), sort_keys=False, allow_unicode=True, width=100
    )
    return f"---\n{head}---\n{_body(recipe, model, evidence, address)}"


def _metadata(recipe: About, model: str, evidence: Mapping[str, Any]) -> dict[str, Any]:
    data, measured = evidence["dataset"], evidence["measured"]
    told: dict[str, Any] = {
        "library_name": recipe.library,
        "pipeline_tag": evidence["task"],
        "base_model": evidence["base"]["name"],
        "base_model_relation": recipe.relation,
        "datasets": [data["name"]],
        "tags": ["trained-here", recipe.name],
    }
    if evidence.get("license"):
        told["license"] = evidence["license"]
    if not told["pipeline_tag"]:
        del told["pipeline_tag"]
    if measured:
        told["model-index"] = [{"name": model.rpartition("/")[2], "results": [_result(evidence)]}]
    return told


def _result(evidence: Mapping[str, Any]) -> dict[str, Any]:
    data = evidence["dataset"]
    return {
        "task": {"type": evidence["task"] or "other"},
        "dataset": {
            "name": data["name"],
            "type": data["name"],
            "config": data["config"],
            "split": data["valid_split"] or data["train_split"],
            "revision": data["commit"],
        },
        "metrics": [
            {"type": name, "name": _HIGHER.get(name, name), "value": round(value, 6)}
            for name, value in evidence["measured"].items()
        ],
    }


def _body(recipe: About, model: str, evidence: Mapping[str, Any], address: str) -> str:
    base, data = evidence["base"], evidence["dataset"]
    parts = [
        f"# {model.rpartition('/')[2]}",
        (
            f"{recipe.title} on [{data['name']}]({address}/datasets/{data['name']}), begun from "
            f"[{base['name']}]({address}/{base['name']}). This card was written by the "
            "hub from what it recorded of the run."
        ),
    ]
    if recipe.usage:
        code = recipe.usage.replace("{model}", model).replace("{base}", base["name"])
        parts.append(f"```python\n{code}\n```")
    parts += [
        "## Made from",
        (
            f"| | | commit |\n|---|---|---|\n"
            f"| base model | {base['name']} | `{base['commit']}` |\n"
            f"| dataset | {data['name']}, config `{data['config']}`, split "
            f"`{data['train_split']}` | `{data['commit']}` |"
        ),
        f"It learned from {data['rows']:,} rows{_measured_on(data)}. Columns: "
        + ", ".join(f"{name} `{column}`" for name, column in evidence["columns"].items())
        + ".",
    ]
    if evidence["measured"]:
        parts += ["## Results", _table("metric", evidence["measured"])]
    parts += [
        "## How it was trained",
        _table("parameter", {field.name: evidence["values"][field.name] for field in recipe.own}),
        f"{evidence['steps']:,} steps in {evidence['seconds']:,.1f} seconds on "
        f"{evidence['device']}; loss {evidence['first_loss']:.4g} at first, "
        f"{evidence['last_loss']:.4g} at last. Run `{evidence['run']}`; "
        + ", ".join(f"{name} {version}" for name, version in evidence["versions"].items())
        + ".",
    ]
    return "\n\n".join(parts) + "\n"


def _measured_on(data: Mapping[str, Any]) -> str:
    if data["valid_split"]:
        return f" and was measured on split `{data['valid_split']}`"
    if data["rows_held_back"]:
        return f" and was measured on {data['rows_held_back']:,} rows of it that were held back"
    return ""


def _table(what: str, values: Mapping[str, Any]) -> str:
    rows = [
        f"| {name} | {_shown(value)} |" for name, value in values.items() if value not in {"", None}
    ]
    return "\n".join([f"| {what} | value |", "|---|---|", *rows])


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"`{value:.6g}`"
    return "`" + str(value).replace("|", "\\|").replace("`", "'").replace("\n", " ") + "`"
