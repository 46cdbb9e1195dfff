"""Read JSON bodies: bounded, an object, and every value of the type that is asked for."""

import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.request import RawPostDataException

from teams.errors import Invalid, TooLarge


class Body:
    """A JSON object whose values are fetched by type; what is wrong is said by name."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    @classmethod
    def of(cls, request: HttpRequest) -> "Body":
        """Read the body of ``request``; an empty one, or null, is an empty object.

        Raises:
            TooLarge: it is larger than JSON may be here.
            Invalid: it is not a JSON object.
        """
        most: int = settings.MAX_JSON_BYTES
        try:
            raw = request.read(most + 1)
        except RawPostDataException as problem:
            raise Invalid("The body was cut off.") from problem
        if len(raw) > most:
            raise TooLarge(f"The body has more than {most:,} bytes.")
        return cls.parse(b"{}" if raw.strip() in {b"", b"null"} else raw)

    @classmethod
    def parse(cls, raw: bytes) -> "Body":
        """Read one JSON object.

        Raises:
            Invalid: it is something else.
        """
        try:
            values = json.loads(raw)
        except (ValueError, RecursionError) as problem:
            raise Invalid(f"The body is not valid JSON: {problem}") from None
        if not isinstance(values, dict):
            raise Invalid("The body must be a JSON object.")
        return cls(values)

    def text(self, key: str, default: str | None = None) -> str:
        """Answer a string; without ``default`` it must be there.

        Raises:
            Invalid: it is missing, or no string.
        """
        value = self.values.get(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            raise Invalid(f'"{key}" must be a string.')
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Invalid(f'"{key}" is not valid Unicode.') from None
        if "\0" in value:
            raise Invalid(f'"{key}" must not hold NUL characters.')
        return value

    def boolean(self, key: str) -> bool | None:
        """Answer a boolean, None if it is not there.

        Raises:
            Invalid: it is something else.
        """
        value = self.values.get(key)
        if value is not None and not isinstance(value, bool):
            raise Invalid(f'"{key}" must be true or false.')
        return value

    def integer(self, key: str) -> int | None:
        """Answer a whole number of at least 0, None if it is not there.

        Raises:
            Invalid: it is something else.
        """
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 62:
            raise Invalid(f'"{key}" must be a whole number.')
        return value

    def objects(self, key: str) -> list["Body"]:
        """Answer a list of objects, empty if it is not there.

        Raises:
            Invalid: it is something else.
        """
        value = self.values.get(key) or []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise Invalid(f'"{key}" must be a list of objects.')
        return [Body(item) for item in value]

    def texts(self, key: str) -> list[str]:
        """Answer a list of strings, empty if it is not there.

        Raises:
            Invalid: it is something else.
        """
        value = self.values.get(key) or []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise Invalid(f'"{key}" must be a list of strings.')
        return value
