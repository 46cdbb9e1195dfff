"""What a run is given is checked by one table, which also makes forms and schemas."""

import pyarrow as pa
import pytest

from inference.errors import InputRejected
from inference.training import order
from inference.training.card import card_of
from inference.training.recipes import RECIPES, about

EVIDENCE = {
    "run": "0" * 24,
    "base": {"name": "ada/base", "commit": "a" * 40},
    "dataset": {
        "name": "ada/data",
        "commit": "b" * 40,
        "config": "default",
        "train_split": "train",
        "valid_split": "",
        "rows": 80,
        "rows_held_back": 20,
    },
    "columns": {"image_column": "image"},
    "values": about("image-classification").values({"lr": 0.001}),
    "steps": 10,
    "seconds": 1.5,
    "first_loss": 2.0,
    "last_loss": 0.5,
    "measured": {"accuracy": 0.9},
    "device": "a processor",
    "versions": {"python": "3.11"},
    "task": "image-classification",
    "license": "mit",
}


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_recipe_takes_its_own_defaults_and_tells_of_each_in_its_schema(name: str) -> None:
    recipe = about(name)
    needed = {field.name: "some text" for field in recipe.fields if field.required}

    values = recipe.values(needed)

    assert set(values) == set(recipe.schema["properties"])
    assert {need.parameter for need in recipe.needs} <= set(values)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"lr": 0}, "lr must be"),
        ({"lr": "fast"}, "lr must be a number"),
        ({"epochs": 0}, "epochs must be"),
        ({"train": "nothing"}, "train must be one of"),
        ({"bogus": 1}, "knows no 'bogus'"),
    ],
)
def test_parameters_that_cannot_be_are_refused_by_name(given: dict[str, object], told: str) -> None:
    with pytest.raises(InputRejected, match=told):
        about("image-classification").values(given)


def test_columns_are_found_by_what_they_hold() -> None:
    told = (
        '{"info": {"features": {"picture": {"_type": "Image"}, "kind": {"_type": "ClassLabel"}}}}'
    )
    columns = [("note", pa.string()), ("picture", pa.struct([])), ("kind", pa.int64())]
    schema = pa.schema(columns, metadata={"huggingface": told})

    found = about("image-classification").columns(schema, {})

    assert found == {"image_column": "picture", "target_column": "kind"}


def test_a_card_is_written_from_evidence_alone() -> None:
    card = card_of(about("image-classification"), "ada/new", EVIDENCE)

    assert card.startswith("---\nlibrary_name: transformers\n")
    assert "base_model: ada/base\n" in card
    assert "- ada/data\n" in card
    assert "value: 0.9\n" in card
    assert f"`{'b' * 40}`" in card
    assert "| lr | `0.001` |\n" in card
    assert "| image_column |" not in card


def test_every_epoch_shows_each_row_once_in_another_order() -> None:
    seen = [row for step in range(1, 11) for row in order.batch_at(step, count=25, batch=5, seed=3)]

    assert sorted(seen[:25]) == sorted(seen[25:]) == list(range(25))
    assert seen[:25] != seen[25:]
    assert order.batch_at(9, count=25, batch=5, seed=3) == seen[40:45]


def test_a_batch_may_be_larger_than_all_rows() -> None:
    rows = order.batch_at(1, count=3, batch=7, seed=1)

    assert len(rows) == 7
    assert sorted(rows[:3]) == [0, 1, 2]
