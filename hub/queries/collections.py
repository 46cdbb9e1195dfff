"""Collections as their readers may see them: lists, one by its slug, the items of some."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Q, QuerySet, Window
from django.db.models.functions import Lower, RowNumber

from hub.errors import CollectionNotFound
from hub.models import Collection, CollectionItem, Repo, Upvote
from hub.names import RepoKind, RepoName
from hub.policies import check_can_of_collection, collections_visible_to, visible_to
from hub.queries import cursors
from hub.queries.repos import find_repo
from teams.errors import Invalid, Refusal
from teams.models import User
from teams.names import number_in_id
from teams.policies import Principal
from teams.roles import Action

ITEMS_IN_A_LIST = 4
"""So many items of each collection stand in a list, as clients are told."""

MOST_WANTED = 20
"""Owners, items and words that one list may be asked by, of each."""


class CollectionSort(StrEnum):
    """Newest or highest first; a trend is what most people voted for."""

    MODIFIED = "lastModified"
    TRENDING = "trending"
    UPVOTES = "upvotes"

    @property
    def column(self) -> str:
        return "updated_at" if self is CollectionSort.MODIFIED else "upvotes"


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionFilter:
    """Which collections are wanted; owners and items are alternatives, each list of its own."""

    owners: Sequence[str] = ()
    items: Sequence[str] = ()
    """``models/namespace/name``, ``papers/2311.12983``, ``collections/slug``."""
    text: str = ""
    sort: CollectionSort = CollectionSort.MODIFIED
    cursor: str = ""
    limit: int = 100


@dataclass(frozen=True, slots=True)
class CollectionPage:
    """Some collections, and the cursor of what comes after; empty at the end."""

    collections: Sequence[Collection]
    next_cursor: str = ""


def find(asked: CollectionFilter, reader: Principal) -> CollectionPage:
    """List the collections that ``reader`` may see.

    Raises:
        Invalid: the cursor belongs to another list, or it is asked by too much.
    """
    words = asked.text.split()
    if any(len(wanted) > MOST_WANTED for wanted in (asked.owners, asked.items, words)):
        raise Invalid(f"Ask by {MOST_WANTED} owners, items and words at most.")
    found = _whole().filter(collections_visible_to(reader))
    if asked.owners:
        owner = Lower("namespace__name")
        found = found.alias(owner=owner).filter(owner__in=[one.lower() for one in asked.owners])
    if asked.items:
        found = found.filter(pk__in=_holding(asked.items, reader))
    for word in words:
        found = found.filter(Q(title__icontains=word) | Q(description__icontains=word))
    column = asked.sort.column
    if asked.cursor:
        value, last_id = cursors.decode(asked.sort, asked.cursor)
        after = Q(**{f"{column}__lt": value}) | Q(**{column: value}, pk__lt=last_id)
        found = found.filter(after)
    rows = list(found.order_by(f"-{column}", "-pk")[: asked.limit + 1])
    page, more = rows[: asked.limit], len(rows) > asked.limit
    if not more:
        return CollectionPage(page)
    last = page[-1]
    return CollectionPage(page, cursors.encode(asked.sort, getattr(last, column), last.pk))


def collection_called(slug: str, reader: Principal) -> Collection:
    """Find a collection by the id at the end of its slug; what stands before may be an old title.

    Raises:
        CollectionNotFound: there is none, or it is not for ``reader`` to know of.
    """
    text = slug.rpartition("-")[2].rpartition("/")[2]
    found = _whole().filter(pk=number_in_id(text)).first()
    if found is None:
        raise CollectionNotFound
    check_can_of_collection(reader, Action.COLLECTION_SEE, found)
    return found


def items_of(
    collections: Iterable[Collection], reader: Principal, *, most: int | None = None
) -> dict[int, list[CollectionItem]]:
    """The items that ``reader`` may know of, in order, by the collection's key; one query.

    With ``most`` only so many of each.
    """
    keys = [collection.pk for collection in collections]
    repos = Repo.objects.filter(visible_to(reader)).values("pk")
    others = Collection.objects.filter(collections_visible_to(reader)).values("pk")
    shown = (
        CollectionItem.objects.filter(collection_id__in=keys)
        .filter(Q(repo__isnull=True) | Q(repo__in=repos))
        .filter(Q(other__isnull=True) | Q(other__in=others))
        .select_related("repo__namespace", "other__namespace")
        .annotate(
            place=Window(RowNumber(), partition_by="collection_id", order_by=("position", "pk"))
        )
        .order_by("collection_id", "place")
    )
    if most is not None:
        shown = shown.filter(place__lte=most)
    found: dict[int, list[CollectionItem]] = {key: [] for key in keys}
    for item in shown:
        found[item.collection_id].append(item)
    return found


def collections_with(repo: Repo, reader: Principal, limit: int) -> Sequence[Collection]:
    """Those that hold ``repo``, most wanted first."""
    holding = CollectionItem.objects.filter(repo=repo).values("collection_id")
    visible = _whole().filter(collections_visible_to(reader), pk__in=holding)
    return list(visible.order_by("-upvotes", "-pk")[:limit])


def does_vote(user: User | None, collection: Collection) -> bool:
    return user is not None and Upvote.objects.filter(user=user, collection=collection).exists()


def _holding(items: Sequence[str], reader: Principal) -> set[int]:
    """The keys of collections with one of the items; what cannot be is in none."""
    wanted = Q(pk__in=())
    for text in items:
        kind, _, name = text.partition("/")
        if kind in {"paper", "papers"}:
            wanted |= Q(paper=name)
        elif kind in {"collection", "collections"}:
            wanted |= Q(other=_other(name, reader))
        else:
            wanted |= Q(repo=_repo(kind, name))
    named = CollectionItem.objects.filter(wanted, Q(repo__isnull=True) | Q(repo__in=_seen(reader)))
    return set(named.values_list("collection_id", flat=True))


def _seen(reader: Principal) -> QuerySet[Repo]:
    return Repo.objects.filter(visible_to(reader))


def _repo(kind: str, name: str) -> int:
    try:
        found = find_repo(RepoKind(kind.removesuffix("s")), RepoName.parse(name))
    except (ValueError, Refusal):
        return 0
    return found.pk if found else 0


def _other(slug: str, reader: Principal) -> int:
    try:
        return collection_called(slug, reader).pk
    except CollectionNotFound:
        return 0


def _whole() -> QuerySet[Collection]:
    return Collection.objects.select_related("namespace")
