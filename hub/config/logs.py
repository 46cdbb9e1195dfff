"""Structured logging: one event per line with its request id, and no secret in any of them."""

import logging.config
import re
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

HIDDEN = "[hidden]"
_KEYS = "authorization|cookie|password|secret|secret_key|token|access_token|sessionid"
_ARGUMENTS = "token|password|secret|signature|sig|credential|csrfmiddlewaretoken"
_SECRETS = (
    (rf"""(\\?["'](?:{_KEYS})\\?["']\s*:\s*\\?["'])[^"'\\]*""", r"\1"),
    (r"\b((?:bearer|basic)(?:\s+|%20))[A-Za-z0-9._~+/=:-]{6,}", r"\1"),
    (rf"\b((?:[a-z-]+[_-])?(?:{_ARGUMENTS})=)[^&\s\"'\\]+", r"\1"),
    (r"(://[^/\s:@\"']*:)[^/\s@\"']+(?=@)", r"\1"),
    (r"(\b)(?:wh|whsec|hf)_[A-Za-z0-9_-]{8,}", r"\1"),
    (r"(/login/link/[^/\s]+/)[A-Za-z0-9-]+", r"\1"),
)
"""In order: a key of JSON or of a printed dict; an Authorization header; an argument of a URL;
a password in an address; our tokens and those of the hub next door; a sign-in link."""
_PATTERNS = tuple((re.compile(pattern, re.IGNORECASE), kept) for pattern, kept in _SECRETS)


def without_secrets(text: str) -> str:
    for pattern, kept in _PATTERNS:
        text = pattern.sub(kept + HIDDEN, text)
    return text


def _hide_secrets(_logger: WrappedLogger, _method: str, line: str | EventDict) -> str:
    """The last step, on the finished line: a traceback cannot slip past it either."""
    return without_secrets(str(line))


def _shared() -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
    ]


def _renderer(form: str) -> list[Any]:
    if form == "console":
        return [structlog.dev.ConsoleRenderer(colors=False)]
    return [
        structlog.processors.format_exc_info,
        structlog.processors.EventRenamer("msg"),
        structlog.processors.JSONRenderer(),
    ]


def configuration(form: str, level: str) -> dict[str, Any]:
    """A value for Django's LOGGING: everything in one stream, in one form."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    line = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": _shared(),
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *_renderer(form),
            _hide_secrets,
        ],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": line},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        # A refusal is an answer, not an incident; the access line already tells of it.
        "loggers": {"django.request": {"level": "ERROR"}},
    }


def configure(form: str, level: str) -> None:
    """For processes that log before Django is set up: the web server and the supervisor."""
    logging.config.dictConfig(configuration(form, level))
