"""How OpenAI's clients ask, and what they read: images, embeddings, chat about pictures."""

import base64
import math
import re
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from inference.errors import InputRejected
from inference.protocols.families import Offer
from inference.protocols.tasks import Call, Task, call_of

MOST_IMAGES = 10
MOST_MIXED = 64
"""Inputs of one request of which some are pictures: each is a call of its own."""
_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})", re.ASCII)
_OURS = (
    "negative_prompt",
    "num_inference_steps",
    "guidance_scale",
    "scheduler",
    "seed",
    "adapters",
)


def images_asked(body: Mapping[str, Any]) -> list[Call]:
    """Read ``/v1/images/generations``; each picture is a call. What other tools add is taken, too.

    Raises:
        InputRejected: its values are wrong.
    """
    count = body.get("n") or 1
    if not isinstance(count, int) or not 1 <= count <= MOST_IMAGES:
        raise InputRejected(f"n must be 1 to {MOST_IMAGES}.")
    if body.get("response_format") not in (None, "b64_json"):
        raise InputRejected("response_format must be b64_json: pictures have no public address.")
    values = {name: body[name] for name in _OURS if body.get(name) is not None}
    call = call_of(
        Task.TEXT_TO_IMAGE, {"prompt": body.get("prompt"), **values, **_size(body.get("size"))}
    )
    seed = call["seed"]
    return [
        Call(call.task, {**call.values, "seed": None if seed is None else seed + place})
        for place in range(count)
    ]


def _size(told: Any) -> dict[str, int]:
    if told is None or told == "auto":
        return {}
    found = _SIZE.fullmatch(told) if isinstance(told, str) else None
    if found is None:
        raise InputRejected("size must look like 512x512.")
    return {"width": int(found[1]), "height": int(found[2])}


def embeddings_asked(body: Mapping[str, Any]) -> list[Call]:
    """Read ``/v1/embeddings``: texts together, each ``data:`` picture as a call of its own.

    Raises:
        InputRejected: its values are wrong.
    """
    given = body.get("input")
    inputs = [given] if isinstance(given, str) else given
    if not isinstance(inputs, list) or not inputs:
        raise InputRejected("input must be a text, or a list of texts or pictures.")
    if not any(_is_picture(one) for one in inputs):
        return [call_of(Task.FEATURES, {"texts": inputs})]
    if len(inputs) > MOST_MIXED:
        raise InputRejected(f"input with pictures may hold {MOST_MIXED} at most.")
    return [_one_embedded(one) for one in inputs]


def _is_picture(given: Any) -> bool:
    return isinstance(given, str) and given.startswith("data:image/")


def _one_embedded(given: Any) -> Call:
    if _is_picture(given):
        return call_of(Task.IMAGE_FEATURES, {"image": given})
    return call_of(Task.FEATURES, {"texts": [given]})


def embeddings_told(
    answers: Sequence[Sequence[Sequence[float]]], body: Mapping[str, Any]
) -> dict[str, Any]:
    """Write the answer, cut to ``dimensions`` and of unit length again."""
    vectors = [_cut(vector, body.get("dimensions")) for vectors in answers for vector in vectors]
    as_text = body.get("encoding_format") == "base64"
    return {
        "object": "list",
        "model": body["model"],
        "data": [
            {
                "object": "embedding",
                "index": index,
                "embedding": _packed(vector) if as_text else vector,
            }
            for index, vector in enumerate(vectors)
        ],
        "usage": {"prompt_tokens": 0, "total_tokens": 0},
    }


def _cut(vector: Sequence[float], dimensions: Any) -> Sequence[float]:
    if dimensions is None:
        return vector
    if not isinstance(dimensions, int) or not 1 <= dimensions <= len(vector):
        raise InputRejected(f"dimensions must be 1 to {len(vector)}.")
    part = vector[:dimensions]
    length = math.sqrt(sum(value * value for value in part)) or 1.0
    return [value / length for value in part]


def _packed(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def chat_asked(body: Mapping[str, Any], offer: Offer) -> Call:
    """Read ``/v1/chat/completions``: the last message's text about the last picture of all.

    Raises:
        InputRejected: there is no picture, or the model says nothing about pictures.
    """
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise InputRejected("messages must be a list with at least one message.")
    parts = [part for message in messages for part in _parts(message)]
    images = [_url(part) for part in parts if part.get("type") == "image_url"]
    texts = [str(part.get("text", "")) for part in _parts(messages[-1]) if "text" in part]
    if not images:
        raise InputRejected("Send a picture, as a part of type image_url with a data: URL.")
    question = " ".join(text for text in texts if text.strip())
    task = Task.QUESTION if question else Task.IMAGE_TO_TEXT
    if task not in offer.tasks:
        raise InputRejected("This model says nothing about pictures.")
    values: dict[str, Any] = {"image": images[-1]}
    if question:
        values["question"] = question
    if longest := body.get("max_tokens") or body.get("max_completion_tokens"):
        values["max_new_tokens"] = longest
    return call_of(task, values)


def _parts(message: Any) -> list[Mapping[str, Any]]:
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []


def _url(part: Mapping[str, Any]) -> Any:
    told = part.get("image_url")
    return told.get("url") if isinstance(told, dict) else told


def chat_told(answer: Any, body: Mapping[str, Any], *, made: int, id_: str) -> dict[str, Any]:
    """Write the answer as one message."""
    message = {"role": "assistant", "content": said(answer)}
    return {
        "id": id_,
        "object": "chat.completion",
        "created": made,
        "model": body.get("model", ""),
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    }


def chat_streamed(
    answer: Any, body: Mapping[str, Any], *, made: int, id_: str
) -> list[dict[str, Any]]:
    """Write the answer as the pieces of a stream: all of it, then its end."""
    pieces: list[tuple[dict[str, str], str | None]] = [
        ({"role": "assistant", "content": said(answer)}, None),
        ({}, "stop"),
    ]
    return [
        {
            "id": id_,
            "object": "chat.completion.chunk",
            "created": made,
            "model": body.get("model", ""),
            "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
        }
        for delta, reason in pieces
    ]


def said(answer: Any) -> str:
    first = answer[0]
    return str(first.get("answer") or first.get("generated_text") or "")
