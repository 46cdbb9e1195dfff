"""WSGI entry: what gunicorn serves."""

import os
from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.core.management import call_command

os.environ["DJANGO_SETTINGS_MODULE"] = "hub.config.settings"


class StreamedRequest(WSGIRequest):
    """Django takes a body without Content-Length for empty; a chunked one ends by itself."""

    def __init__(self, environ: dict[str, Any]) -> None:
        super().__init__(environ)
        if environ.get("wsgi.input_terminated") and not environ.get("CONTENT_LENGTH"):
            self._stream = environ["wsgi.input"]


class Handler(WSGIHandler):
    """Django's handler with requests that stream."""

    request_class = StreamedRequest


django.setup(set_prefix=False)
application = Handler()

# Loads every route before the first request, and serves none that does not say who may use it.
call_command("check")
