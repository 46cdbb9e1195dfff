"""Begin, change and delete collections; add, change and remove their items; vote for them."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone

from hub.errors import RepoNotFound
from hub.models import Collection, CollectionItem, Repo, sql
from hub.models.collection import MAX_DESCRIPTION, MAX_NOTE, MAX_TITLE
from hub.names import RepoKind, RepoName
from hub.policies import check_can_create_in, check_can_of_collection
from hub.queries.collections import collection_called
from hub.queries.repos import repo_for
from teams.errors import Conflict, Invalid, NotFound, Unauthenticated
from teams.models import Namespace
from teams.names import number_in_id
from teams.policies import Principal
from teams.roles import Action
from teams.services import organisations

THEMES = ("orange", "blue", "green", "purple", "pink", "indigo")
MAX_ITEMS = 1000
_PAPER = re.compile(r"\d{4}\.\d{4,5}\Z")
_MAX_POSITION = 2**31 - 1

_UPVOTE = """
INSERT INTO hub_upvote (user_id, collection_id, created_at)
SELECT %s, id, now() FROM hub_collection WHERE id = %s FOR KEY SHARE
ON CONFLICT (user_id, collection_id) DO NOTHING
"""
_NO_VOTE = "DELETE FROM hub_upvote WHERE user_id = %s AND collection_id = %s"
_COUNT = "UPDATE hub_collection SET upvotes = upvotes + %s WHERE id = %s"


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionWish:
    """What a collection is to be; None leaves a thing as it is."""

    title: str | None = None
    description: str | None = None
    private: bool | None = None
    theme: str | None = None
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """A thing that may stand in a collection: its type and its name on the wire."""

    kind: str
    name: str


@transaction.atomic
def create(
    *, owner: Namespace, wish: CollectionWish, by: Principal, first: Named | None = None
) -> Collection:
    """Begin a collection, with a first item or empty.

    Raises:
        Refusal: as :func:`hub.policies.check_can_create_in`, and as :func:`add`.
        Invalid: a part of ``wish`` cannot be.
        Conflict: the owner has one of that title; its ``slug`` is in the details.
    """
    check_can_create_in(by, owner, Action.COLLECTION_CREATE)
    organisations.keep(owner)
    if wish.title is None:
        raise Invalid('"title" must be a string.')
    collection = Collection(namespace=owner, created_by=by.user)
    _apply(collection, wish)
    _save(collection, collection.save)
    if first is not None:
        add(collection=collection, named=first, note="", by=by)
    return collection


def change(*, collection: Collection, wish: CollectionWish, by: Principal) -> None:
    """Change what ``wish`` says.

    Raises:
        Refusal: as :func:`hub.policies.check_can_of_collection`.
        Invalid, Conflict: as :func:`create`.
    """
    check_can_of_collection(by, Action.COLLECTION_CHANGE, collection)
    _apply(collection, wish)
    collection.updated_at = timezone.now()
    names = ["title", "description", "private", "theme", "position", "updated_at"]
    _save(collection, lambda: collection.save(update_fields=names))


def delete(*, collection: Collection, by: Principal) -> None:
    """Delete a collection; what it holds stays.

    Raises:
        Refusal: as :func:`hub.policies.check_can_of_collection`.
    """
    check_can_of_collection(by, Action.COLLECTION_CHANGE, collection)
    collection.delete()


@transaction.atomic
def add(*, collection: Collection, named: Named, note: str, by: Principal) -> CollectionItem:
    """Put a thing at the end of a collection.

    Raises:
        Refusal: as :func:`hub.policies.check_can_of_collection`.
        NotFound: there is no such thing, or ``by`` may not know of it.
        Conflict: it is there already, or the collection is full.
        Invalid: nothing of that type can be in a collection; the note is too long.
    """
    check_can_of_collection(by, Action.COLLECTION_CHANGE, collection)
    _lock(collection)
    positions = collection.items.values_list("position", flat=True)
    if len(positions) >= MAX_ITEMS:
        raise Conflict(f"A collection holds {MAX_ITEMS:,} items at most.")
    item = CollectionItem(
        collection=collection,
        position=max(positions, default=-1) + 1,
        note=_short(note, MAX_NOTE, "note"),
        **_thing(named, collection, by),
    )
    try:
        with transaction.atomic():
            item.save()
    except IntegrityError as problem:
        if "_once_in_a_collection" not in str(problem):
            raise RepoNotFound from problem
        message = f"{named.name} is in this collection already."
        raise Conflict(message, slug=collection.slug) from None
    return item


@transaction.atomic
def change_item(
    *,
    collection: Collection,
    item_id: str,
    note: str | None,
    position: int | None,
    by: Principal,
) -> None:
    """Change an item's note, or move it to a place counted from 0.

    Raises:
        Refusal: as :func:`hub.policies.check_can_of_collection`.
        NotFound: the collection has no such item.
        Invalid: the note is too long.
    """
    check_can_of_collection(by, Action.COLLECTION_CHANGE, collection)
    _lock(collection)
    item = _item(collection, item_id)
    if note is not None:
        item.note = _short(note, MAX_NOTE, "note")
        item.save(update_fields=["note"])
    if position is not None:
        _move(item, position)


@transaction.atomic
def remove(*, collection: Collection, item_id: str, by: Principal) -> None:
    """Take an item out of a collection.

    Raises:
        Refusal: as :func:`hub.policies.check_can_of_collection`.
        NotFound: the collection has no such item.
    """
    check_can_of_collection(by, Action.COLLECTION_CHANGE, collection)
    _lock(collection)
    _item(collection, item_id).delete()


@transaction.atomic
def vote(*, collection: Collection, by: Principal, wanted: bool = True) -> int:
    """Vote for a collection, once however often it is said, or take it back; answer the count.

    Raises:
        Refusal: as :func:`hub.policies.check_can_of_collection`.
    """
    check_can_of_collection(by, Action.COLLECTION_VOTE, collection)
    if by.user is None:
        raise Unauthenticated
    statement, step = (_UPVOTE, 1) if wanted else (_NO_VOTE, -1)
    if sql.run(statement, [by.user.pk, collection.pk]):
        sql.run(_COUNT, [step, collection.pk])
    collection.refresh_from_db(fields=["upvotes"])
    return collection.upvotes


def _apply(collection: Collection, wish: CollectionWish) -> None:
    if wish.title is not None:
        collection.title = _title(wish.title)
    if wish.description is not None:
        collection.description = _short(wish.description.strip(), MAX_DESCRIPTION, "description")
    if wish.theme is not None:
        collection.theme = _theme(wish.theme)
    if wish.position is not None:
        collection.position = min(wish.position, _MAX_POSITION)
    if wish.private is not None:
        collection.private = wish.private


def _title(text: str) -> str:
    title = _short(text.strip(), MAX_TITLE, "title")
    if not title:
        raise Invalid("A collection needs a title.")
    return title


def _theme(text: str) -> str:
    if text not in THEMES:
        raise Invalid(f"The theme must be one of {', '.join(THEMES)}.")
    return text


def _short(text: str, most: int, name: str) -> str:
    if len(text) > most:
        raise Invalid(f"The {name} has {len(text):,} characters; {most} are the most.")
    return text


def _save(collection: Collection, save: Callable[[], None]) -> None:
    try:
        with transaction.atomic():
            save()
    except IntegrityError as problem:
        if "one_collection_per_title_and_owner" not in str(problem):
            raise
        there = Collection.objects.select_related("namespace").filter(
            namespace_id=collection.namespace_id, title__iexact=collection.title
        )
        slug = there[0].slug if there else ""
        message = f"{collection.namespace.name} has a collection of that title."
        raise Conflict(message, slug=slug) from None


def _thing(
    named: Named, collection: Collection, by: Principal
) -> dict[str, Repo | Collection | str]:
    if named.kind in set(RepoKind):
        repo = repo_for(by, Action.REPO_SEE, RepoKind(named.kind), RepoName.parse(named.name))
        return {"repo": repo}
    if named.kind == "paper":
        if not _PAPER.match(named.name):
            raise NotFound("Papers are named by their number at arXiv, such as 2311.12983.")
        return {"paper": named.name}
    if named.kind == "collection":
        other = collection_called(named.name, by)
        if other.pk == collection.pk:
            raise Invalid("A collection cannot hold itself.")
        return {"other": other}
    raise Invalid(f"Nothing of the type {named.kind!r} can be in a collection.")


def _lock(collection: Collection) -> None:
    """One change of the items at a time; the row also says when the last one was."""
    query = "UPDATE hub_collection SET updated_at = now() WHERE id = %s"
    if not sql.run(query, [collection.pk]):
        raise NotFound("Collection not found")
    collection.refresh_from_db(fields=["updated_at"])


def _item(collection: Collection, item_id: str) -> CollectionItem:
    found = collection.items.filter(pk=number_in_id(item_id)).first()
    if found is None:
        raise NotFound("There is no such item in this collection.")
    return found


def _move(item: CollectionItem, position: int) -> None:
    others = list(item.collection.items.exclude(pk=item.pk).order_by("position", "pk"))
    ordered = [*others[:position], item, *others[position:]]
    for place, one in enumerate(ordered):
        one.position = place
    CollectionItem.objects.bulk_update(ordered, ["position"])
