"""Values that the pages of collections show."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hub.models import Collection, CollectionItem, RepoCard
from hub.portal.shown import ShownRepo
from hub.queries.collections import ITEMS_IN_A_LIST, items_of
from hub.queries.repo_page import short_cards_of
from teams.policies import Principal

_ARXIV = "https://arxiv.org/abs/"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownItem:
    """One thing in a collection; ``repo`` says more of it, where it is one."""

    id: str
    kind: str
    name: str
    url: str
    note: str
    position: int
    repo: ShownRepo | None = None

    @property
    def icon(self) -> str:
        return {"paper": "file", "collection": "folder"}.get(self.kind, self.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCollection:
    """A collection in a list or on its own page; with all of its items, or the first of them."""

    title: str
    description: str
    owner: str
    url: str
    theme: str
    private: bool
    upvotes: int
    updated_at: datetime
    items: Sequence[ShownItem] = field(default_factory=list)

    @classmethod
    def of(cls, collection: Collection, items: Sequence[ShownItem]) -> "ShownCollection":
        return cls(
            title=collection.title,
            description=collection.description,
            owner=collection.namespace.name,
            url=collection.url,
            theme=collection.theme,
            private=collection.private,
            upvotes=collection.upvotes,
            updated_at=collection.updated_at,
            items=items,
        )


def shown_collections(
    collections: Sequence[Collection], reader: Principal, *, most: int | None = ITEMS_IN_A_LIST
) -> list[ShownCollection]:
    """Make them ready for a page: two queries, however many there are."""
    items = items_of(collections, reader, most=most)
    cards = _cards_of(item for some in items.values() for item in some)
    return [
        ShownCollection.of(one, [_shown(item, cards) for item in items[one.pk]])
        for one in collections
    ]


def _cards_of(items: Iterable[CollectionItem]) -> Mapping[int, RepoCard]:
    return short_cards_of({item.repo_id for item in items if item.repo_id is not None})


def _shown(item: CollectionItem, cards: Mapping[int, RepoCard]) -> ShownItem:
    repo = item.repo
    name, url = item.named, f"{_ARXIV}{item.paper}"
    if item.other is not None:
        name, url = item.other.title, item.other.url
    return ShownItem(
        id=item.public_id,
        kind=item.kind,
        name=name,
        url=repo.url if repo else url,
        note=item.note,
        position=item.position,
        repo=ShownRepo.of(repo, cards.get(repo.pk) or RepoCard(repo=repo)) if repo else None,
    )
