"""A training that is killed, stopped or given bad rows ends as it should, and nowhere else."""

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from inference.training.ports import TrainingFailed
from inference.training.process import Child
from inference.training.run import run
from tests.inference.training.folders import asked, digest, losses, shades, trained, write_rows

PARAMETERS = {"epochs": 8, "batch_size": 4, "checkpointing_steps": 5}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[int, float], str]:
    """The losses and the weights of a training that nothing came between."""
    folder = asked(tmp_path_factory.mktemp("unbroken"), "echo", PARAMETERS)
    told = trained(folder)
    return losses(told), digest(folder)


def broken_off(folder: Path, how: signal.Signals, after: int) -> dict[int, float]:
    """Train in ``folder`` until step ``after`` was told; then end it. The last save stays."""
    child, seen = Child(folder), {}
    try:
        for line in child.lines(lambda: None):
            if "step" in line:
                seen[line["step"]] = line["figures"]["loss"]
            if "checkpoint" in line:
                Path(line["file"]).replace(folder / "resume.tar")
            if seen.get(after) is not None and how is signal.SIGKILL:
                break
            if line.get("step") == after:
                child.ask_to_end()
    finally:
        child.end()
    return seen


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_training_broken_off_goes_on_to_the_same_weights(
    tmp_path: Path, unbroken: tuple[dict[int, float], str], how: signal.Signals
) -> None:
    before = broken_off(asked(tmp_path, "echo", PARAMETERS), how, after=12)

    after = losses(trained(tmp_path))

    assert min(after) > 1
    assert before | after == unbroken[0]
    assert digest(tmp_path) == unbroken[1]


def test_another_seed_gives_other_weights(
    tmp_path: Path, unbroken: tuple[dict[int, float], str]
) -> None:
    trained(asked(tmp_path, "echo", {**PARAMETERS, "seed": 7}))

    assert digest(tmp_path) != unbroken[1]


def test_a_loss_that_is_no_number_ends_it_and_says_where(tmp_path: Path) -> None:
    asked(tmp_path, "echo", {**PARAMETERS, "lr": 1000.0, "epochs": 400})

    with pytest.raises(TrainingFailed, match=r"At step \d+ loss is no number") as failed:
        trained(tmp_path)

    assert failed.value.code == "loss_not_finite"
    assert "the checkpoint of step" in failed.value.message
    assert not (tmp_path / "made").exists()


def test_a_few_broken_images_are_left_out_and_told_of(tmp_path: Path) -> None:
    write_rows(tmp_path, [*shades(30), (b"no picture", 0), (None, 1)])

    told: list[Mapping[str, Any]] = []
    run(asked(tmp_path, "echo", {"epochs": 1}), told.append)

    assert [line["log"][:8] for line in told if "log" in line] == ["Left out", "Left out"]
    [plan] = [line["plan"] for line in told if "plan" in line]
    assert plan["train"] + plan["valid"] == 30


@pytest.mark.parametrize(
    ("rows", "parameters", "code"),
    [
        ([*shades(4), (b"no picture", 0), (b"", 1)], {}, "broken_rows"),
        ([*shades(4), (shades(1)[0][0], None)], {}, "broken_rows"),
        (shades(2), {"valid_share": 0.5}, "too_few_rows"),
        (shades(4), {"image_column": "pixels"}, "missing_column"),
        (shades(4), {"image_column": "label"}, "wrong_column"),
        ([(raw, 0) for raw, _ in shades(4)], {}, "wrong_labels"),
        ([(raw, 7) for raw, _ in shades(4)], {}, "wrong_labels"),
    ],
)
def test_rows_that_cannot_be_learned_from_are_refused_by_name(
    tmp_path: Path,
    rows: list[tuple[bytes | None, int | None]],
    parameters: dict[str, object],
    code: str,
) -> None:
    write_rows(tmp_path, rows)

    with pytest.raises(TrainingFailed) as failed:
        run(asked(tmp_path, "echo", parameters), print)

    assert failed.value.code == code


def test_too_few_rows_are_refused_with_their_number(tmp_path: Path) -> None:
    write_rows(tmp_path, shades(1))

    with pytest.raises(TrainingFailed, match="There are 1 rows"):
        run(asked(tmp_path, "echo", {"valid_share": 0.0}), print)
