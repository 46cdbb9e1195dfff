"""Discussions: opened, commented, renamed, closed and opened again, listed."""

import warnings
from typing import Any

from tests.wire.scenarios.stage import Facts, Given, api, refusal, tell


def story(given: Given) -> Facts:
    repo: str = given.values["repo"]
    kind = given.values["kind"]
    made: Any = api.create_discussion(
        repo, "A question", description="Does it **run**?", repo_type=kind
    )
    num = made.discussion_num if hasattr(made, "discussion_num") else made.num
    return {
        "num": num,
        "made": [made.title, made.status, made.author, made.is_pull_request, made.repo_id],
        "url": made.url.removeprefix(api.endpoint),
        "first": [made.events[0].content, made.events[0].rendered, made.events[0].type],
        **_talk(repo, kind, num),
        **_end(repo, kind, num),
        **_listed(repo, kind),
        **_refused(repo, kind, num),
    }


def _talk(repo: str, kind: str, num: int) -> Facts:
    said = api.comment_discussion(repo, num, "Yes.", repo_type=kind)
    edited: Any = api.edit_discussion_comment(repo, num, said.id, "No.", repo_type=kind)
    renamed: Any = api.rename_discussion(repo, num, "A better question", repo_type=kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hidden: Any = api.hide_discussion_comment(repo, num, said.id, repo_type=kind)
    return {
        "said": [said.content, said.edited, said.hidden, said.author],
        "edited": [edited.content, edited.edited, edited.number_of_edits, edited.id == said.id],
        "before": edited.edit_history[0]["raw"],
        "renamed": [renamed.old_title, renamed.new_title],
        "hidden": [hidden.hidden, hidden.content],
    }


def _end(repo: str, kind: str, num: int) -> Facts:
    closed: Any = api.change_discussion_status(
        repo, num, "closed", comment="Answered.", repo_type=kind
    )
    found = api.get_discussion_details(repo, num, repo_type=kind)
    again: Any = api.change_discussion_status(repo, num, "open", repo_type=kind)
    return {
        "ended": [closed.new_status, found.status, found.title],
        "opened": again.new_status,
        "types": [event.type for event in found.events],
        "no_changes": [found.diff, found.target_branch, found.conflicting_files],
    }


def _listed(repo: str, kind: str) -> Facts:
    for at in range(55):
        api.create_discussion(repo, f"Number {at}", repo_type=kind)
    listed = list(api.get_repo_discussions(repo, repo_type=kind))
    last = listed[0].num
    api.change_discussion_status(repo, last, "closed", repo_type=kind)

    def count(**wanted: Any) -> int:
        return len(list(api.get_repo_discussions(repo, repo_type=kind, **wanted)))

    return {
        "all": [len(listed), last - listed[-1].num, listed[0].title],
        "open": count(discussion_status="open"),
        "closed": count(discussion_status="closed"),
        "pull_requests": count(discussion_type="pull_request"),
        "of_me": count(author=api.whoami()["name"]),
        "of_nobody": count(author="nobody"),
    }


def _refused(repo: str, kind: str, num: int) -> Facts:
    return {
        "missing": refusal(api.get_discussion_details, repo, 9999, repo_type=kind),
        "empty": refusal(api.comment_discussion, repo, num, "  ", repo_type=kind),
        "long": refusal(api.rename_discussion, repo, num, "x" * 201, repo_type=kind),
        "comment": refusal(api.edit_discussion_comment, repo, num, "0" * 24, "x", repo_type=kind),
        "same": refusal(api.change_discussion_status, repo, num, "open", repo_type=kind),
        "merge": refusal(api.merge_pull_request, repo, num, repo_type=kind),
    }


if __name__ == "__main__":
    tell(story)
