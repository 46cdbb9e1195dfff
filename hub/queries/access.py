"""Who asked for access to gated repos."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Count, QuerySet

from hub.cards import front_matter
from hub.cards.gate import GateTerms, terms_in
from hub.errors import AccessRequestNotFound
from hub.models import AccessRequest, Repo
from hub.names import EntryPath, RevisionName
from hub.policies import visible_to
from hub.queries import history, trees
from teams.errors import Invalid, Refusal
from teams.models import User
from teams.names import number_in_id
from teams.policies import Principal

README = "README.md"
MAX_CARD_BYTES = 200_000


@dataclass(frozen=True, slots=True)
class AccessPage:
    """Some requests, oldest first, and the cursor of what comes after; empty at the end."""

    requests: Sequence[AccessRequest]
    next_cursor: str = ""


def requests_to(repo: Repo, status: str, *, cursor: str, limit: int) -> AccessPage:
    """The requests of one status.

    Raises:
        Invalid: the cursor is not one of ours.
    """
    if cursor and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):  # noqa: PLR2004 - of a bigint
        raise Invalid("The cursor is not one of ours.")
    found = _whole().filter(repo=repo, status=status, pk__gt=int(cursor or 0))
    rows = list(found.order_by("pk")[: limit + 1])
    page = rows[:limit]
    return AccessPage(page, str(page[-1].pk) if len(rows) > limit else "")


def all_requests_to(repo: Repo) -> Iterator[AccessRequest]:
    """All of them, oldest first, a few at a time."""
    return _whole().filter(repo=repo).order_by("pk").iterator(chunk_size=500)


def counts_of(repo: Repo) -> dict[str, int]:
    """How many requests there are of each status."""
    found = dict.fromkeys(AccessRequest.Status.values, 0)
    counted = AccessRequest.objects.filter(repo=repo).values_list("status")
    return found | dict(counted.annotate(Count("pk")).order_by())


def request_to(repo: Repo, *, user: User | None = None, request_id: str = "") -> AccessRequest:
    """Find one by its user, or by its id.

    Raises:
        AccessRequestNotFound: there is none.
    """
    named = {"user": user} if user is not None else {"pk": number_in_id(request_id)}
    found = _whole().filter(repo=repo, **named).first()
    if found is None:
        raise AccessRequestNotFound
    return found


def own_request(repo: Repo, user: User | None) -> AccessRequest | None:
    """What ``user`` asked for themselves."""
    return _whole().filter(repo=repo, user=user).first() if user else None


def own_requests(reader: Principal, limit: int) -> Sequence[AccessRequest]:
    """The repos that ``reader`` asked for, newest first, as far as they may still see them."""
    found = AccessRequest.objects.filter(user=reader.user) if reader.user else None
    if found is None:
        return []
    seen = found.filter(repo__in=Repo.objects.filter(visible_to(reader)))
    return list(seen.select_related("repo__namespace").order_by("-pk")[:limit])


def terms_of(repo: Repo) -> GateTerms:
    """What the card of ``repo`` asks those who want to be let in, in the order of the card.

    It is read out of the file: the indexed row knows no order of keys.
    """
    try:
        head = history.resolve(repo, RevisionName.parse(repo.default_branch))
        raw = trees.read_file(repo.pk, head, EntryPath(README))
    except Refusal:
        return GateTerms()
    text = (raw or b"")[:MAX_CARD_BYTES].decode(errors="replace")
    return terms_in(front_matter.split(text).metadata)


def _whole() -> QuerySet[AccessRequest]:
    return AccessRequest.objects.select_related("user__namespace", "decided_by__namespace")
