"""How huggingface_hub's InferenceClient asks, and what it can read as an answer.

Given a URL it sends each task to that same URL, so the task is the model's own unless the body says
otherwise. A picture without parameters comes raw, without a content type; with parameters all is
JSON and the picture is base64. (Read of huggingface_hub 2.4.0, and seen on the wire.)
"""

import json
from collections.abc import Collection, Mapping
from typing import Any

from inference.errors import InputRejected
from inference.protocols.tasks import FIELDS, Call, Task, call_of

_FROM_IMAGE = frozenset(
    {
        Task.IMAGE_LABELS,
        Task.IMAGE_TO_TEXT,
        Task.IMAGE_TO_IMAGE,
        Task.ZERO_SHOT,
        Task.QUESTION,
        Task.IMAGE_FEATURES,
    }
)
_INPUT = {
    Task.TEXT_TO_IMAGE: "prompt",
    Task.TEXT_LABELS: "text",
    Task.FEATURES: "texts",
    **dict.fromkeys(_FROM_IMAGE, "image"),
}
"""The field that the client calls ``inputs``."""
_UNHEARD = frozenset({"function_to_apply", "truncate", "truncation_direction", "encoding_format"})
"""Said by clients by default, or of no meaning here; an answer without them is what they expect."""


def read(raw: bytes, task: Task, offered: Collection[Task]) -> Call:
    """Read a body. ``task`` is what is meant unless the body can only mean another one.

    Raises:
        InputRejected: it is none that the client sends, or its values are wrong.
    """
    if not raw:
        raise InputRejected("The body is empty.")
    body = _object_in(raw)
    if body is None:
        image_task = task if task in _FROM_IMAGE else _first(offered, _FROM_IMAGE)
        if image_task is None:
            raise InputRejected("The body is not valid JSON, and this model takes no pictures.")
        return call_of(image_task, {"image": raw})
    meant = _meant(body, task, offered)
    return call_of(meant, _values(body, meant))


def _object_in(raw: bytes) -> Mapping[str, Any] | None:
    if raw.lstrip()[:1] != b"{":
        return None
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _first(offered: Collection[Task], wanted: Collection[Task]) -> Task | None:
    return next((task for task in offered if task in wanted), None)


def _meant(body: Mapping[str, Any], task: Task, offered: Collection[Task]) -> Task:
    parameters, inputs = _parameters(body), body.get("inputs")
    named = Task.SIMILARITY if isinstance(inputs, dict) and "sentences" in inputs else None
    if "candidate_labels" in parameters:
        named = Task.ZERO_SHOT
    elif "question" in body or (isinstance(inputs, dict) and "question" in inputs):
        named = Task.QUESTION
    elif "prompt" in parameters and task is Task.TEXT_TO_IMAGE:
        named = Task.IMAGE_TO_IMAGE
    elif isinstance(inputs, str | list) and task in {Task.ZERO_SHOT, Task.SIMILARITY}:
        named = Task.FEATURES
    return named if named is not None and named in offered else task


def _parameters(body: Mapping[str, Any]) -> Mapping[str, Any]:
    given = body.get("parameters")
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise InputRejected("parameters must be an object.")
    return given


def _values(body: Mapping[str, Any], task: Task) -> dict[str, Any]:
    values = {name: value for name, value in _parameters(body).items() if value is not None}
    inputs = body.get("inputs")
    if task is Task.FEATURES:
        values |= {name: value for name, value in body.items() if name == "normalize"}
    if isinstance(inputs, dict):
        values |= inputs
    elif inputs is not None and task in _INPUT:
        values[_INPUT[task]] = inputs
    if task is Task.QUESTION:
        values.setdefault("question", body.get("question"))
        values.pop("top_k", None)
    if isinstance(values.get("target_size"), dict):
        values |= values.pop("target_size")
    known = {field.name for field in FIELDS[task]}
    return {n: v for n, v in values.items() if n in known or n not in _UNHEARD}


def written(answer: Any, call: Call) -> Any:
    """The answer as the client reads it: with a level more, or one less, of lists."""
    if call.task is Task.TEXT_LABELS:
        return [answer]
    if call.task is Task.FEATURES and len(call["texts"]) == 1:
        return answer[0] if isinstance(answer, list) else answer
    return answer
