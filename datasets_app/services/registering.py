"""Make the kinds of jobs known; what does them is loaded by the worker that does the first."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from datasets_app.services.kinds import EXPORT, INDEX, PLAN, PREVIEW, PUBLISH, STATISTICS
from hub.services import jobs
from hub.services.jobs import Kind
from hub.services.working import Work

_MOST_FAILURES = 1000
"""What could kill its worker is done in children: one that died was killed, and is not to blame."""
_DONE_BY = {
    PLAN: ("planning", "plan", "cpu"),
    PREVIEW: ("previews", "preview", "cpu"),
    EXPORT: ("exporting", "export", "heavy"),
    PUBLISH: ("publishing", "publish", "cpu"),
    STATISTICS: ("statistics", "count", "heavy"),
    INDEX: ("indexing", "index", "heavy"),
}


def register() -> None:
    """Make them known to hub."""
    for name, (module, verb, queue) in _DONE_BY.items():
        run = _by_name(module, verb)
        jobs.register(Kind(name=name, run=run, queue=queue, most_failures=_MOST_FAILURES))


def _by_name(module: str, verb: str) -> Callable[[Work], Mapping[str, Any] | None]:
    def run(work: Work) -> Mapping[str, Any] | None:
        found: Callable[[Work], Mapping[str, Any] | None] = getattr(
            import_module(f"datasets_app.services.{module}"), verb
        )
        return found(work)

    return run
