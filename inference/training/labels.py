"""Labels of rows: their names, and the number of each row's."""

from collections.abc import Sequence
from dataclasses import dataclass

from inference.training.ports import TrainingFailed
from inference.training.rows import Rows, names_of

MOST_LABELS = 10_000
FEWEST_LABELS = 2


@dataclass(frozen=True, slots=True)
class Labels:
    """The names of all labels in order, and of each row the number of its label."""

    names: tuple[str, ...]
    train: Sequence[int]
    valid: Sequence[int]


def labels_of(train: Rows, valid: Rows, column: str) -> Labels:
    """Read the labels of all rows.

    Raises:
        TrainingFailed: a row has none, or there are too few or too many different ones.
    """
    seen = [train.all(column), valid.all(column)]
    if any(value is None for values in seen for value in values):
        where = next(place for place, value in enumerate(seen[0] + seen[1]) if value is None)
        raise TrainingFailed("broken_rows", f"Row {where} has no label in column {column!r}.")
    named = names_of(train.schema, column)
    if named:
        _check_within(seen[0] + seen[1], len(named), column)
        names, numbers = named, {at: at for at in range(len(named))}
    else:
        kinds = sorted(set(seen[0]))
        names, numbers = [str(kind) for kind in kinds], {kind: at for at, kind in enumerate(kinds)}
    if not FEWEST_LABELS <= len(set(seen[0])) <= MOST_LABELS:
        raise TrainingFailed(
            "wrong_labels",
            f"Column {column!r} has {len(set(seen[0])):,} different labels; there must be "
            f"{FEWEST_LABELS} to {MOST_LABELS:,}.",
        )
    if strange := next((value for value in seen[1] if value not in numbers), None):
        raise TrainingFailed("wrong_labels", f"Only rows held back have the label {strange!r}.")
    return Labels(tuple(names), *([numbers[value] for value in values] for values in seen))


def _check_within(values: Sequence[int], count: int, column: str) -> None:
    if strange := next((value for value in values if not 0 <= value < count), None):
        raise TrainingFailed("wrong_labels", f"Column {column!r} has {strange}, which has no name.")
