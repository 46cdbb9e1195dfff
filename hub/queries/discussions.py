"""Reads of discussions: a page of a repo's, one by its number, what happened in it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Lower

from hub.errors import DiscussionNotFound
from hub.models import Discussion, DiscussionEvent, Repo
from teams.errors import Invalid, NotFound
from teams.names import number_in_id

STATUSES = {
    "all": Q(),
    "open": Q(status__in=[Discussion.Status.DRAFT, Discussion.Status.OPEN]),
    "closed": Q(status__in=[Discussion.Status.CLOSED, Discussion.Status.MERGED]),
}
TYPES = {
    "all": Q(),
    "discussion": Q(is_pull_request=False),
    "pull_request": Q(is_pull_request=True),
}
MAX_EVENTS = 2000
"""Of one discussion, the oldest, that are shown."""
_MAX_NUM = 2**31 - 1


@dataclass(frozen=True, slots=True)
class DiscussionFilter:
    """Which discussions of a repo are wanted."""

    type: str = "all"
    status: str = "all"
    author: str = ""

    def __post_init__(self) -> None:
        """Check the words.

        Raises:
            Invalid: there is no such type or status.
        """
        for key, text, known in (("type", self.type, TYPES), ("status", self.status, STATUSES)):
            if text not in known:
                raise Invalid(f"{key} must be one of {', '.join(known)}; not {text!r}.")


@dataclass(frozen=True, slots=True)
class DiscussionPage:
    """Some discussions, newest first, and how many there are."""

    discussions: Sequence[Discussion]
    count: int
    start: int
    """How many came before these."""
    n_open: int
    n_closed: int

    @property
    def end(self) -> int:
        return self.start + len(self.discussions)


def page_of(repo: Repo, wanted: DiscussionFilter, *, start: int, limit: int) -> DiscussionPage:
    """A page of the discussions of ``repo``; the counts of open and closed are of all pages."""
    found = whole().filter(TYPES[wanted.type], repo=repo)
    if wanted.author:
        lower = Lower("author__namespace__name")
        found = found.alias(by=lower).filter(by=wanted.author.lower())
    counts = found.aggregate(
        all=Count("pk"),
        open=Count("pk", filter=STATUSES["open"]),
        closed=Count("pk", filter=STATUSES["closed"]),
    )
    rows = found.filter(STATUSES[wanted.status]).order_by("-num")[start : start + limit]
    return DiscussionPage(
        _with_comments(list(rows)), counts[wanted.status], start, counts["open"], counts["closed"]
    )


def _with_comments(rows: list[Discussion]) -> list[Discussion]:
    """Give each row its ``n_comments``."""
    counted = dict(
        DiscussionEvent.objects.filter(discussion__in=rows, kind=DiscussionEvent.Kind.COMMENT)
        .values_list("discussion_id")
        .annotate(n=Count("pk"))
    )
    for row in rows:
        row.n_comments = counted.get(row.pk, 0)
    return rows


def open_count(repo: Repo) -> int:
    """How many discussions and pull requests of ``repo`` are open."""
    return Discussion.objects.filter(STATUSES["open"], repo=repo).count()


def whole() -> QuerySet[Discussion]:
    """Discussions with what is shown of each."""
    return Discussion.objects.select_related("repo__namespace", "author__namespace")


def discussion_of(repo: Repo, num: int) -> Discussion:
    """Find a discussion or pull request by its number.

    Raises:
        DiscussionNotFound: the repo has none of that number.
    """
    found = whole().filter(repo=repo, num=num).first() if 0 < num <= _MAX_NUM else None
    if found is None:
        raise DiscussionNotFound(f"{repo} has no discussion {num}.")
    return _with_comments([found])[0]


def events_of(discussion: Discussion) -> list[DiscussionEvent]:
    """What happened in a discussion, oldest first."""
    return list(
        discussion.events.select_related("author__namespace", "edited_by__namespace")
        .prefetch_related("versions__author__namespace")
        .order_by("pk")[:MAX_EVENTS]
    )


def comment_of(discussion: Discussion, text: str) -> DiscussionEvent:
    """Find a comment by its public id.

    Raises:
        NotFound: the discussion has no such comment.
    """
    comments = discussion.events.filter(kind=DiscussionEvent.Kind.COMMENT)
    with_authors = comments.select_related("author__namespace")
    found = with_authors.filter(pk=number_in_id(text)).first()
    if found is None:
        raise NotFound("There is no such comment.")
    found.discussion = discussion
    return found
