"""JsonAnswer: any value as JSON, ten times as fast as the standard library writes it.

Lists have a thousand repos, folders a thousand entries: writing them took longer than reading them.
"""

import json
from typing import Any

import orjson
from django.http import HttpResponse


class JsonAnswer(HttpResponse):
    """An answer that holds one JSON value."""

    def __init__(
        self, value: Any, *, status: int = 200, content_type: str = "application/json"
    ) -> None:
        super().__init__(_written(value), status=status, content_type=content_type)


def _written(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:
        # Numbers of more than 64 bits and halves of surrogate pairs, which cards may hold.
        return json.dumps(value).encode()
