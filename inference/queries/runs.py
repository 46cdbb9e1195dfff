"""Runs: somebody's own, one of them with its figures, and what came of what."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from hub.models import Job, Repo
from hub.policies import visible_to
from hub.queries import cursors
from inference.errors import RunNotFound
from inference.models import Figures, Run
from teams.names import number_in_id
from teams.policies import Principal

_SORT = "runs"
MOST_FIGURES = 2000
"""Of one answer; more are thinned out evenly."""
MOST_RELATED = 50


@dataclass(frozen=True, slots=True)
class RunPage:
    """Some runs, newest first, and the cursor of what comes after."""

    runs: Sequence[Run]
    next_cursor: str = ""


def runs_of(reader: Principal, *, state: str = "", cursor: str, limit: int) -> RunPage:
    """Those that ``reader`` asked for.

    Raises:
        Invalid: the cursor is not one of ours.
    """
    found = _own(reader).order_by("-pk")
    if state:
        found = found.filter(_in_state(state))
    if cursor:
        _, last_id = cursors.decode(_SORT, cursor)
        found = found.filter(pk__lt=last_id)
    rows = list(found[: limit + 1])
    page = rows[:limit]
    more = len(rows) > limit
    return RunPage(page, cursors.encode(_SORT, 0, page[-1].pk) if more else "")


def run_of(reader: Principal, text: str) -> Run:
    """Find the run that ``text`` is the id of.

    Raises:
        RunNotFound: there is none, or it is another's.
    """
    run = _own(reader).filter(pk=number_in_id(text)).first()
    if run is None:
        raise RunNotFound
    return run


def figures_of(run: Run, kind: str) -> list[Figures]:
    """What was measured, in order: all of it, or of very much every so-many-th and the last."""
    rows = run.figures.filter(kind=kind).order_by("step")
    every = rows.count() // MOST_FIGURES + 1
    if every == 1:
        return list(rows)
    last = rows.last()
    kept = list(rows.extra(where=["step %% %s = 0"], params=[every]))
    return kept if last is None or (kept and kept[-1].pk == last.pk) else [*kept, last]


def made_from(repo: Repo, reader: Principal) -> list[Run]:
    """The runs that this repo is a base or a dataset of, whose models ``reader`` may know of."""
    seen = Repo.objects.filter(visible_to(reader))
    found = _with_names().filter(Q(base=repo) | Q(dataset=repo)).exclude(output_commit="")
    return list(found.filter(output__in=seen).order_by("-pk")[:MOST_RELATED])


def makers_of(repo: Repo, reader: Principal) -> list[Run]:
    """The runs that made this model, whose base and dataset ``reader`` may know of."""
    seen = Repo.objects.filter(visible_to(reader))
    found = _with_names().filter(output=repo).exclude(output_commit="")
    return list(found.filter(base__in=seen, dataset__in=seen).order_by("-pk")[:MOST_RELATED])


def _own(reader: Principal) -> QuerySet[Run]:
    if reader.user is None:
        return Run.objects.none()
    mine = _with_names().filter(by=reader.user)
    if not reader.is_narrowed:
        return mine
    # A narrow token knows of runs of what it is for.
    seen = Repo.objects.filter(visible_to(reader))
    return mine.filter(base__in=seen, dataset__in=seen)


def _with_names() -> QuerySet[Run]:
    return Run.objects.select_related(
        "job", "by__namespace", "base__namespace", "dataset__namespace", "output__namespace"
    )


def _in_state(state: str) -> Q:
    if state == Job.State.SUCCEEDED:
        return ~Q(output_commit="")
    return Q(job__state=state)
