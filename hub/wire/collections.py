"""Wire: collections, as ``HfApi`` calls them.

https://huggingface.co/docs/huggingface_hub/package_reference/collections
"""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse

from hub.http.dates import iso
from hub.models import Collection, CollectionItem
from hub.queries.collections import (
    ITEMS_IN_A_LIST,
    CollectionFilter,
    CollectionSort,
    collection_called,
    find,
    items_of,
)
from hub.services import collections
from hub.services.collections import CollectionWish, Named
from teams.errors import Invalid, Unauthenticated
from teams.http.bodies import Body
from teams.http.json_answer import JsonAnswer
from teams.http.pagination import limit_of, with_next
from teams.http.views import Public, WireView
from teams.models import Namespace
from teams.queries import namespace_named
from teams.roles import Action
from teams.wire.identity import AVATAR

PAGE = 100
SEEN = Public("A collection shows only to whom it may show.")


def collection_json(collection: Collection, items: Sequence[CollectionItem]) -> dict[str, Any]:
    """What clients read of a collection; in a list they count positions themselves."""
    owner = collection.namespace
    return {
        "slug": collection.slug,
        "id": collection.public_id,
        "title": collection.title,
        "description": collection.description,
        "owner": {"name": owner.name, "fullname": owner.name, "type": _owner_type(owner)}
        | {"avatarUrl": AVATAR},
        "items": [_item_json(item) for item in items],
        "lastUpdated": iso(collection.updated_at),
        "private": collection.private,
        "gating": False,
        "theme": collection.theme,
        "upvotes": collection.upvotes,
        "shareUrl": collection.url,
    }


def _owner_type(owner: Namespace) -> str:
    return "org" if owner.kind == Namespace.Kind.ORGANISATION else "user"


def _item_json(item: CollectionItem) -> dict[str, Any]:
    told: dict[str, Any] = {
        "_id": item.public_id,
        "id": item.named,
        "type": item.kind,
        "position": item.position,
    }
    if item.other is not None:
        told |= {"id": item.other.public_id, "slug": item.other.slug, "title": item.other.title}
    return told | ({"note": {"text": item.note}} if item.note else {})


def wish_in(body: Body) -> CollectionWish:
    """Read what a collection is to be.

    Raises:
        Invalid: a value is of the wrong type, or asks for a resource group.
    """
    if body.values.get("resourceGroupId") is not None:
        raise Invalid("Resource groups are not possible here.")
    title, description, theme = (
        body.text(key) if body.values.get(key) is not None else None
        for key in ("title", "description", "theme")
    )
    return CollectionWish(
        title=title,
        description=description,
        theme=theme,
        private=body.boolean("private"),
        position=body.integer("position"),
    )


class Collections(WireView):
    """GET and POST /api/collections."""

    authz = {"get": SEEN, "post": Action.SIGN_IN_TO_WRITE}

    def get(self, request: HttpRequest) -> HttpResponse:
        asked = CollectionFilter(
            owners=request.GET.getlist("owner"),
            items=request.GET.getlist("item"),
            text=request.GET.get("q", ""),
            sort=_sort_called(request.GET.get("sort", "")),
            cursor=request.GET.get("cursor", ""),
            limit=limit_of(request, default=PAGE, most=PAGE),
        )
        page = find(asked, self.principal)
        items = items_of(page.collections, self.principal, most=ITEMS_IN_A_LIST)
        response = JsonAnswer([collection_json(one, items[one.pk]) for one in page.collections])
        if not page.next_cursor:
            return response
        return with_next(response, request, cursor=page.next_cursor)

    def post(self, request: HttpRequest) -> HttpResponse:
        body = Body.of(request)
        item = body.values.get("item")
        made = collections.create(
            owner=self._owner(body),
            wish=wish_in(body),
            first=_named(Body(item)) if isinstance(item, dict) else None,
            by=self.principal,
        )
        return _answer(self, made)

    def _owner(self, body: Body) -> Namespace:
        name = body.text("namespace", "")
        if name:
            return namespace_named(name)
        if self.principal.user is None:
            raise Unauthenticated
        return self.principal.user.namespace


class OfCollection(WireView):
    """What views of one collection share."""

    def collection(self) -> Collection:
        slug = f"{self.kwargs['owner']}/{self.kwargs['slug']}"
        return collection_called(slug, self.principal)


class OneCollection(OfCollection):
    """GET, PATCH and DELETE /api/collections/{namespace}/{title-id}."""

    authz = {
        "get": SEEN,
        "patch": Action.SIGN_IN_TO_WRITE,
        "delete": Action.SIGN_IN_TO_WRITE,
    }

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        return _answer(self, self.collection())

    def patch(self, request: HttpRequest, **_: object) -> HttpResponse:
        collection = self.collection()
        collections.change(collection=collection, wish=wish_in(Body.of(request)), by=self.principal)
        return JsonAnswer({"success": True, "data": _told(self, collection)})

    def delete(self, _request: HttpRequest, **_: object) -> HttpResponse:
        collections.delete(collection=self.collection(), by=self.principal)
        return JsonAnswer({"success": True})


class Items(OfCollection):
    """POST /api/collections/{namespace}/{title-id}/items."""

    authz = {"post": Action.SIGN_IN_TO_WRITE}

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        body, collection = Body.of(request), self.collection()
        item = body.values.get("item")
        if not isinstance(item, dict):
            raise Invalid('"item" must be an object.')
        collections.add(
            collection=collection,
            named=_named(Body(item)),
            note=body.text("note", ""),
            by=self.principal,
        )
        return _answer(self, collection)


class OneItem(OfCollection):
    """PATCH and DELETE /api/collections/{namespace}/{title-id}/items/{item}."""

    authz = {"patch": Action.SIGN_IN_TO_WRITE, "delete": Action.SIGN_IN_TO_WRITE}

    def patch(self, request: HttpRequest, **_: object) -> HttpResponse:
        body, collection = Body.of(request), self.collection()
        collections.change_item(
            collection=collection,
            item_id=self.kwargs["item"],
            note=body.text("note") if body.values.get("note") is not None else None,
            position=body.integer("position"),
            by=self.principal,
        )
        return JsonAnswer({"success": True, "data": _told(self, collection)})

    def delete(self, _request: HttpRequest, **_: object) -> HttpResponse:
        collections.remove(
            collection=self.collection(), item_id=self.kwargs["item"], by=self.principal
        )
        return JsonAnswer({"success": True})


class Vote(OfCollection):
    """POST and DELETE /api/collections/{namespace}/{title-id}/upvote."""

    authz = {"post": Action.SIGN_IN_TO_WRITE, "delete": Action.SIGN_IN_TO_WRITE}

    def post(self, _request: HttpRequest, **_: object) -> HttpResponse:
        return self._answer_count(wanted=True)

    def delete(self, _request: HttpRequest, **_: object) -> HttpResponse:
        return self._answer_count(wanted=False)

    def _answer_count(self, *, wanted: bool) -> HttpResponse:
        upvotes = collections.vote(collection=self.collection(), by=self.principal, wanted=wanted)
        return JsonAnswer({"upvotes": upvotes})


def _sort_called(text: str) -> CollectionSort:
    try:
        return CollectionSort(text or CollectionSort.MODIFIED)
    except ValueError:
        known = ", ".join(CollectionSort)
        raise Invalid(f"sort must be one of {known}, not {text!r}.") from None


def _named(item: Body) -> Named:
    return Named(item.text("type"), item.text("id"))


def _told(view: OfCollection | Collections, collection: Collection) -> dict[str, Any]:
    items = items_of([collection], view.principal)[collection.pk]
    return collection_json(collection, items) | {"position": collection.position}


def _answer(view: OfCollection | Collections, collection: Collection) -> HttpResponse:
    return JsonAnswer(_told(view, collection))
