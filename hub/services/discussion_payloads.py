"""What webhooks tell of discussions: https://huggingface.co/docs/hub/webhooks, version 3."""

from collections.abc import Mapping
from typing import Any

from hub.models import Event
from teams.names import public_id

SCOPES = frozenset({"discussion", "discussion.comment"})
NOBODY = 0
"""Stands for an author who was deleted: readers of version 3 want an id."""


def told_of(event: Event, urls: Mapping[str, str]) -> dict[str, Any]:
    """The discussion and the comment that an event is about; ``urls`` are those of its repo.

    Of events that are about no discussion it is nothing.
    """
    if event.scope not in SCOPES:
        return {}
    discussion, comment = event.details["discussion"], event.details["comment"]
    place = f"/discussions/{discussion['num']}"
    told = {"discussion": _discussion(discussion, {k: f"{v}{place}" for k, v in urls.items()})}
    if comment is not None:
        told["comment"] = _comment(comment, f"{urls['web']}{place}")
    return told


def _discussion(facts: Mapping[str, Any], urls: Mapping[str, str]) -> dict[str, Any]:
    changes = {"base": facts["target"]}
    if facts["merge_commit"]:
        changes["mergeCommitId"] = facts["merge_commit"]
    return {
        "id": _id(facts["id"]),
        "num": facts["num"],
        "title": facts["title"],
        "status": facts["status"],
        "isPullRequest": facts["is_pull_request"],
        "author": {"id": _id(facts["author_id"])},
        "url": dict(urls),
        "pinned": facts.get("is_pinned", False),
        **({"changes": changes} if facts["is_pull_request"] else {}),
    }


def _comment(facts: Mapping[str, Any], page: str) -> dict[str, Any]:
    told = {
        "id": _id(facts["id"]),
        "author": {"id": _id(facts["author_id"])},
        "hidden": facts["text"] is None,
        "url": {"web": f"{page}#{_id(facts['id'])}"},
    }
    # What was hidden is told to nobody.
    return told if facts["text"] is None else {**told, "content": facts["text"]}


def _id(number: int | None) -> str:
    return public_id(number or NOBODY)
