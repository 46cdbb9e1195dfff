from io import BytesIO
from typing import Any

from django.test import RequestFactory

from hub.config.wsgi import StreamedRequest


def _environ(**extra: Any) -> dict[str, Any]:
    environ = RequestFactory().put("/anything").environ
    return {**environ, "wsgi.input": BytesIO(b"a chunked body"), **extra}


def test_a_chunked_body_is_read_to_its_end() -> None:
    request = StreamedRequest(_environ(CONTENT_LENGTH="", **{"wsgi.input_terminated": True}))

    assert request.read() == b"a chunked body"


def test_a_body_with_a_length_ends_there() -> None:
    request = StreamedRequest(_environ(CONTENT_LENGTH="9", **{"wsgi.input_terminated": True}))

    assert request.read() == b"a chunked"
