"""Reads of discussions: a page of a repo's, one by its number, what happened in it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Lower

from hub.errors import DiscussionNotFound
from hub.models import CommentVersion, Discussion, DiscussionEvent, Reaction, Repo, sql
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
"""Of one discussion, the newest, that are answered at once."""
MAX_TEXT = 8 << 20
"""Bytes of text, and HTML, in what is answered of one discussion at once; of what its comments
said before, as many again."""
_MAX_NUM = 2**31 - 1


@dataclass(frozen=True, slots=True)
class DiscussionFilter:
    """Which discussions of a repo are wanted."""

    type: str = "all"
    status: str = "all"
    author: str = ""
    pinned_first: bool = False

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
    order = ("-is_pinned", "-num") if wanted.pinned_first else ("-num",)
    rows = found.filter(STATUSES[wanted.status]).order_by(*order)[start : start + limit]
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


@dataclass(frozen=True, slots=True)
class Story:
    """What happened in a discussion, oldest first."""

    events: Sequence[DiscussionEvent]
    n_earlier: int = 0
    """How many stand between the first, which is always among them, and the others."""


# How long a text is PostgreSQL knows without unpacking it. What happened last is always told.
_NEWEST = """
SELECT id FROM (
    SELECT id, row_number() OVER newest AS place,
        sum(octet_length(text) + octet_length(html)) OVER newest AS nbytes
    FROM hub_discussionevent
    WHERE discussion_id = %(discussion)s AND (%(before)s::bigint IS NULL OR id < %(before)s)
    WINDOW newest AS (ORDER BY id DESC)
) e WHERE place = 1 OR (place <= %(limit)s AND nbytes <= %(bytes)s)
ORDER BY id
"""
_BETWEEN = """
SELECT count(*) FROM hub_discussionevent WHERE discussion_id = %s AND id > %s AND id < %s
"""


def story_of(
    discussion: Discussion, *, before: int | None = None, limit: int = MAX_EVENTS
) -> Story:
    """The first that happened in a discussion, and the newest; or those ``before`` a key."""
    values = {"discussion": discussion.pk, "before": before, "limit": limit, "bytes": MAX_TEXT}
    newest = [pk for (pk,) in sql.rows(_NEWEST, values)]
    if not newest:
        return Story([])
    first = discussion.events.order_by("pk").values_list("pk", flat=True)[0]
    between = sql.row(_BETWEEN, [discussion.pk, first, newest[0]])
    rows = discussion.events.select_related("author__namespace", "edited_by__namespace")
    events = list(rows.filter(pk__in={first, *newest}).order_by("pk"))
    return Story(events, between[0] if between else 0)


def events_of(discussion: Discussion) -> Sequence[DiscussionEvent]:
    """What happened in a discussion, oldest first; of very many the first and the newest."""
    return story_of(discussion).events


_VERSIONS = """
SELECT id FROM (
    SELECT id, sum(octet_length(text) + octet_length(html)) OVER (ORDER BY id DESC) AS nbytes
    FROM hub_commentversion WHERE comment_id = ANY(%s)
) v WHERE nbytes <= %s
"""


def versions_of(events: Iterable[DiscussionEvent]) -> Mapping[int, Sequence[CommentVersion]]:
    """What comments said before, by their keys, oldest first; of very much the newest."""
    edited = [event.pk for event in events if event.edited_at]
    kept = [pk for (pk,) in sql.rows(_VERSIONS, [edited, MAX_TEXT])] if edited else []
    found: dict[int, list[CommentVersion]] = {}
    rows = CommentVersion.objects.select_related("author__namespace").filter(pk__in=kept)
    for version in rows.order_by("pk"):
        found.setdefault(version.comment_id, []).append(version)
    return found


Reacted = Mapping[str, Sequence[str]]
"""Who reacted to a comment with which sign, by name."""
MAX_REACTORS = 20_000
"""Reactions that are read at once."""


def reactions_to(events: Iterable[DiscussionEvent]) -> Mapping[int, Reacted]:
    """Reactions by the keys of comments; signs and names in the order in which they first came."""
    rows = Reaction.objects.filter(comment__in=[event.pk for event in events]).order_by("pk")
    found: dict[int, dict[str, list[str]]] = {}
    columns = rows.values_list("comment_id", "sign", "user__namespace__name")
    for comment, sign, name in columns[:MAX_REACTORS]:
        found.setdefault(comment, {}).setdefault(sign, []).append(name)
    return found


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
