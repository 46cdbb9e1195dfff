"""Ask a model now, over the direct line of a worker."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from threading import BoundedSemaphore
from typing import Any

from django.conf import settings
from django.utils.crypto import salted_hmac

from inference.errors import TooManyWait, WorkerFailed, WorkerGone
from inference.models import Worker
from inference.protocols.line import Asking, write_asking
from inference.protocols.tasks import Call
from inference.queries.adapters import with_adapters
from inference.queries.served import Served
from inference.queries.workers import worker_for
from inference.runtimes.ports import Answer, ModelRef, Picture
from inference.services.leave import leave_to_read
from inference.serving.line import NEEDS_TOKEN, refusal_named
from teams.policies import Principal

SECONDS = 120.0
"""How long somebody waits at most, loading included."""
_GRACE = 15.0
_AT_ONCE = 8


def predict(model: Served, call: Call, *, by: Principal) -> Answer:
    """Answer what a model says to ``call``; the caller has checked that ``by`` may read it.

    Raises:
        NoWorker: no worker is there.
        WorkerFailed: it broke off.
        Refusal: as the runtime.
    """
    model, call = with_adapters(model, call, by)
    with _waiting():
        told = _told(_asking(model, call))
        if NEEDS_TOKEN in told:
            with leave_to_read(model.repo, by.user, *model.adapters) as token:
                told = _told(_asking(model, call, token))
    return _answer(told)


def predict_all(model: Served, calls: Sequence[Call], *, by: Principal) -> list[Answer]:
    """As :func:`predict`, for calls that may share a batch."""
    first = predict(model, calls[0], by=by)
    calls = [with_adapters(model, call, by)[1] for call in calls]
    # By now the model is where it is run, so nobody of these has to read a row.
    worker = worker_for(model.ref)
    with _waiting(), ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        others = pool.map(lambda call: _answer(_ask(worker, _asking(model, call))), calls[1:])
        return [first, *others]


@contextmanager
def _waiting() -> Iterator[None]:
    """Not all threads of web may wait for models: some must be left for all that takes no time."""
    room = _room()
    if not room.acquire(blocking=False):
        raise TooManyWait
    try:
        yield
    finally:
        room.release()


@cache
def _room() -> BoundedSemaphore:
    return BoundedSemaphore(max(1, settings.WEB_THREADS // 2))


def _told(asking: Asking) -> Mapping[str, Any]:
    """What a worker says; of those that are gone without a word the next one is asked."""
    ref = ModelRef(asking.repo, asking.commit, asking.family)
    while True:
        worker = worker_for(ref)
        try:
            return _ask(worker, asking)
        except WorkerGone:
            Worker.objects.filter(pk=worker.pk).delete()


def line_token() -> str:
    """What both ends of a direct line know: made of the signing key."""
    return salted_hmac("inference.line", "1", algorithm="sha256").hexdigest()


def _asking(model: Served, call: Call, token: str = "") -> Asking:
    return Asking(
        repo=model.ref.repo,
        commit=model.ref.commit,
        family=model.ref.family,
        call=call,
        token=token,
        seconds=SECONDS,
    )


def _ask(worker: Worker, asking: Asking) -> Mapping[str, Any]:
    host, _, port = worker.address.rpartition(":")
    headers = {"Authorization": f"Bearer {line_token()}", "Content-Type": "application/json"}
    connection = HTTPConnection(host, int(port), timeout=SECONDS + _GRACE)
    try:
        connection.request("POST", "/run", write_asking(asking), headers)
        response = connection.getresponse()
        told: Mapping[str, Any] = json.loads(response.read())
    except ConnectionRefusedError as problem:
        raise WorkerGone from problem
    except (OSError, HTTPException, ValueError) as problem:
        raise WorkerFailed from problem
    finally:
        connection.close()
    if response.status != HTTPStatus.OK:
        raise refusal_named(told.get("refusal", ""), told.get("error", ""))
    return told


def _answer(told: Mapping[str, Any]) -> Answer:
    answer = told.get("answer")
    if isinstance(answer, dict) and "png" in answer:
        return Picture(base64.b64decode(answer["png"]), answer["recipe"])
    return answer
