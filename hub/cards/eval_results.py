"""Evaluation results in ``.eval_results/*.yaml``.

Source: the Hub's ``eval_results.yaml`` specification: a list of entries, each with a dataset
(``id``, ``task_id``) and a value.
"""

from collections.abc import Mapping

from hub.cards import front_matter

FOLDER = ".eval_results"


def entries_of(filename: str, text: str) -> list[dict[str, object]]:
    """Read one file; a bad one gives one entry that says what is wrong with it."""
    # The reader of cards has the limits that a stranger's YAML needs, and takes mappings only.
    read = front_matter.split(f"---\nentries:\n{text.rstrip()}\n---\n")
    entries = read.metadata.get("entries")
    if not isinstance(entries, list):
        reason = read.errors[0] if read.errors else "it is not a list of results"
        return [{"filename": filename, "error": reason}]
    return [_entry(filename, entry) for entry in entries]


def _entry(filename: str, entry: object) -> dict[str, object]:
    dataset = entry.get("dataset") if isinstance(entry, Mapping) else None
    if not isinstance(entry, Mapping) or not isinstance(dataset, Mapping):
        return {"filename": filename, "error": "an entry names no dataset"}
    missing = [f"dataset.{key}" for key in ("id", "task_id") if key not in dataset]
    missing += [] if "value" in entry else ["value"]
    if missing:
        return {"filename": filename, "error": f"an entry has no {missing[0]}"}
    return {"filename": filename, "data": dict(entry)}
