import pytest
from huggingface_hub import parse_eval_result_entries

from hub.cards.eval_results import entries_of

GOOD = "- dataset:\n    id: cais/hle\n    task_id: default\n  value: 20.9\n"


def test_clients_read_the_entries() -> None:
    (entry,) = parse_eval_result_entries(entries_of("hle.yaml", GOOD))

    assert (entry.dataset_id, entry.task_id, entry.value) == ("cais/hle", "default", 20.9)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "key: value",
        "- 1",
        "- dataset: x",
        "- value: 1\n  dataset: {id: a}",
        "- dataset: {id: a, task_id: b}",
        "- !!python/object:os.system []",
        "---\nevil: true",
    ],
)
def test_a_bad_file_is_told_and_skipped_by_clients(text: str) -> None:
    entries = entries_of("bad.yaml", text)

    assert [set(entry) for entry in entries] == [{"filename", "error"}]
    assert parse_eval_result_entries(entries) == []
