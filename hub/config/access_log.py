"""One structured line for each answer of the web server."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog
from gunicorn.glogging import Logger

log = structlog.get_logger("access")

_QUIET = frozenset({"/healthz", "/readyz"})
"""Asked every few seconds by machines; a line for each would drown the others."""


class AccessLog(Logger):  # type: ignore[misc]
    """gunicorn's logger, speaking through ours."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for logger in (self.error_log, self.access_log):
            logger.handlers.clear()
            logger.propagate = True

    def access(
        self, resp: Any, req: Any, environ: Mapping[str, Any], request_time: timedelta
    ) -> None:
        if req.path in _QUIET and resp.status_code < 400:  # noqa: PLR2004
            return
        headers = {name.lower(): value for name, value in resp.headers}
        log.info(
            "request",
            method=req.method,
            target=environ.get("RAW_URI"),
            status=resp.status_code,
            ms=round(request_time.total_seconds() * 1000, 1),
            bytes=resp.sent or resp.response_length,
            client=environ.get("HTTP_X_FORWARDED_FOR") or environ.get("REMOTE_ADDR"),
            agent=environ.get("HTTP_USER_AGENT"),
            request_id=headers.get("x-request-id"),
        )
