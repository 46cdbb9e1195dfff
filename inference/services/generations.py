"""Pictures as jobs: asked for now, made by the worker of the queue `gpu`, kept for who asked."""

import base64
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from hub.models import Job, Repo, sql
from hub.names import RevisionName
from hub.policies import check_can
from hub.queries import history
from hub.services import jobs
from hub.services.working import JobFailed, TryAgain, Work
from inference.errors import InputRejected, StillFetching, TooLate, WorkerFailed
from inference.models import Output
from inference.protocols.tasks import FIELDS, Call, FieldKind, Task, call_of
from inference.queries.adapters import with_adapters
from inference.queries.served import Served, served
from inference.runtimes.ports import ModelRef, Picture, refs_of
from inference.services import serving
from inference.services.leave import leave_to_read
from inference.serving.line import ANYBODY, Rooms
from inference.serving.tickets import Priority, Ticket
from teams.errors import TooMany
from teams.models import User
from teams.policies import Principal
from teams.roles import Action

KIND = "inference.generate"
MOST = 16
"""Pictures of one job."""
KEPT = 1000
"""Outputs of one user; older ones go."""
KEPT_BYTES = 2**30
"""What the outputs of one user may hold together."""
MOST_WAITING = 100
"""Jobs of one user that have not ended: each may hold pictures."""
_LOOK_SECONDS = 0.1
PICTURES = frozenset({Task.TEXT_TO_IMAGE, Task.IMAGE_TO_IMAGE})


@transaction.atomic
def request(*, model: Served, call: Call, count: int, by: Principal) -> int:
    """Ask for ``count`` pictures; answer the job's id. The caller has checked that ``by`` may.

    Raises:
        InputRejected: the task makes no pictures, or not so many.
        TooMany: as many are waited for already.
    """
    if call.task not in PICTURES:
        raise InputRejected(f"{call.task} makes no pictures; it is answered at once.")
    if not 1 <= count <= MOST:
        raise InputRejected(f"count must be 1 to {MOST}.")
    open_ = Job.objects.filter(by=by.user, kind=KIND, state__in=("queued", "running"))
    if open_.count() >= MOST_WAITING:
        raise TooMany(f"{MOST_WAITING} of your jobs are not done yet. Wait for them, or cancel.")
    model, call = with_adapters(model, call, by)
    params = {
        "commit": model.ref.commit,
        "task": call.task,
        "values": _stored(call),
        "count": count,
    }
    return jobs.request(KIND, params=params, repo=model.repo, by=by)


def run(work: Work) -> Mapping[str, Any]:
    """Make the pictures of a job; a second attempt goes on where the first was lost."""
    repo, by = work.job.repo, work.job.by
    if repo is None or by is None:
        raise JobFailed("gone", "The model, or who asked for it, is gone.")
    check_can(Principal(user=by), Action.REPO_READ, repo)
    model = served(repo, history.resolve(repo, RevisionName.parse(work.params["commit"])))
    call = call_of(Task(work.params["task"]), work.params["values"])
    model, call = with_adapters(model, call, Principal(user=by))
    count = int(work.params["count"])
    _fetch(work, model, call)
    made = set(Output.objects.filter(job=work.job).values_list("place", flat=True))
    for place in range(count):
        if place not in made:
            picture = _made(work, model, _seeded(call, place), (place, count))
            keep(picture, repo=repo, by=by, job=work.job, place=place)
    work.progress(count, count, "done")
    found = Output.objects.filter(job=work.job).defer("png").order_by("place")
    return {"outputs": [{"id": one.public_id, "url": one.url} for one in found]}


def _fetch(work: Work, model: Served, call: Call) -> None:
    rooms = serving.rooms()
    missing = [ref for ref in refs_of(model.ref, call) if not rooms.has(ref)]
    if not missing:
        return
    with leave_to_read(model.repo, work.job.by, *model.adapters) as token:
        for ref in missing:
            while not _fetched(rooms, ref, "" if token == ANYBODY else token):
                work.progress(0, 0, f"fetching {ref}")


def _fetched(rooms: Rooms, ref: ModelRef, token: str) -> bool:
    try:
        rooms.fetches.wait(ref, token, _LOOK_SECONDS)
    except StillFetching:
        return False
    except WorkerFailed as passing:
        raise TryAgain("worker_failed", passing.message) from None
    return True


def _made(work: Work, model: Served, call: Call, which: tuple[int, int]) -> Picture:
    """Make one picture, and tell of its steps; whoever cancels is heard at the next one."""
    place, count = which
    ticket = Ticket(model.ref, call, Priority.BATCH)
    try:
        serving.rooms().batcher.submit(ticket)
        while not ticket.wait(_LOOK_SECONDS):
            steps = ticket.total or 1
            work.progress(
                place * steps + ticket.done,
                count * steps,
                f"picture {place + 1} of {count}",
            )
        work.check()
        picture: Picture = ticket.result()
    except (WorkerFailed, TooLate) as passing:
        raise TryAgain("worker_failed", passing.message) from None
    finally:
        ticket.give_up()
    return picture


def keep(
    picture: Picture, *, repo: Repo, by: User, job: Job | None = None, place: int = 0
) -> Output:
    """Keep a picture for who asked for it; the oldest of very many goes."""
    output = Output.objects.create(
        by=by,
        repo=repo,
        job=job,
        place=place,
        recipe=dict(picture.recipe),
        png=picture.png,
    )
    sql.run(_FORGET, [by.pk, KEPT, KEPT_BYTES])
    return output


# The length of what is stored aside is known without reading it.
_FORGET = """
DELETE FROM inference_output WHERE id IN (
    SELECT id FROM (
        SELECT id, row_number() OVER newest AS place, sum(octet_length(png)) OVER newest AS held
        FROM inference_output WHERE by_id = %s WINDOW newest AS (ORDER BY id DESC)
    ) kept WHERE place > %s OR (place > 1 AND held > %s)
)
"""


def _seeded(call: Call, place: int) -> Call:
    """Of several pictures each has a seed of its own, which follows from the one given."""
    seed = call["seed"]
    return call if seed is None else Call(call.task, {**call.values, "seed": seed + place})


def _stored(call: Call) -> dict[str, Any]:
    images = {field.name for field in FIELDS[call.task] if field.kind is FieldKind.IMAGE}
    return {
        name: base64.b64encode(value).decode() if name in images else value
        for name, value in call.values.items()
        if value is not None
    }
