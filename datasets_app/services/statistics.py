"""Statistics: count the columns of each split, once per snapshot."""

from collections.abc import Mapping
from typing import Any

from datasets_app.models import Split
from datasets_app.queries.rows import Found
from datasets_app.services.derived import asked, make_all
from hub.services.working import Work

KIND, PERSONAL = "statistics", "personal"
VERSION = 1
SECONDS = 1800
GIBIBYTES = 4


def count(work: Work) -> dict[str, Any]:
    """Count the splits of the snapshot that the job names."""
    return make_all(work, KIND, VERSION, _count)


def _count(_work: Work, _split: Split, found: Found) -> Mapping[str, Mapping[str, Any]]:
    question = {
        "ask": "statistics",
        "tables": found.tables(),
        "features": found.features,
    }
    head = asked(question, seconds=SECONDS, gibibytes=GIBIBYTES)
    return {KIND: {"content": head["statistics"]}, PERSONAL: {"content": head["personal"]}}
