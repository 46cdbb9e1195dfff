"""Columns: models out of hand-written SQL, for the look-ups that every request makes.

There the ORM's compiler takes several times as long as the query itself.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model

M = TypeVar("M", bound=Model)


class Columns(Generic[M]):
    """All columns of a model, as text for a SELECT, and the way back from its values.

    Only for models whose fields hold values as PostgreSQL gives them.
    """

    def __init__(self, model: type[M], alias: str) -> None:
        fields = model._meta.concrete_fields  # noqa: SLF001 - public in spite of its name
        self._model = model
        self._names = [field.attname for field in fields]
        self._text = ", ".join(f"{alias}.{field.column}" for field in fields)

    def __str__(self) -> str:
        return self._text

    def load(self, values: Iterator[Any]) -> M:
        """Take this model's values off ``values``; answer the instance that the ORM would make."""
        mine = list(islice(values, len(self._names)))
        return self._model.from_db(DEFAULT_DB_ALIAS, self._names, mine)
