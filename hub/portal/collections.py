"""HTML: lists of collections, one collection, and the forms that change it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from hub.http import links
from hub.models import Collection
from hub.policies import collection_is_for
from hub.portal.collection_forms import CollectionForm, ItemForm
from hub.portal.list_filter import clean
from hub.portal.repo_page import Tab
from hub.portal.repos import owners_for
from hub.portal.shown_collection import shown_collections
from hub.queries.collections import (
    CollectionFilter,
    CollectionSort,
    collection_called,
    does_vote,
    find,
)
from hub.services import collections
from hub.services.collections import Named
from teams.errors import Invalid
from teams.http.forms import REFUSED, ServiceForm
from teams.http.views import PortalView, Public
from teams.queries import namespace_named
from teams.roles import Action

A_PAGE = 20
FILTERED = Public("It shows only what its reader may see.")
SORTS = {"Updated": CollectionSort.MODIFIED, "Votes": CollectionSort.UPVOTES}


class Collections(PortalView):
    """GET /collections?q=…&owner=…&sort=…"""

    authz = {"get": FILTERED}

    def get(self, request: HttpRequest) -> HttpResponse:
        query, owner = clean(request.GET.get("q", "")), clean(request.GET.get("owner", ""))
        sort = _sort(request.GET.get("sort", ""))
        asked = CollectionFilter(
            owners=[owner] if owner else [],
            text=query,
            sort=sort,
            cursor=request.GET.get("cursor", ""),
            limit=A_PAGE,
        )
        page = find(asked, self.principal)
        here = {"q": query, "owner": owner}
        following = {**here, "sort": sort.value, "cursor": page.next_cursor}
        context = {
            "section": "collections",
            "query": query,
            "owner": owner,
            "sort": sort.value,
            "sorts": [
                Tab(label, links.with_query("/collections", {**here, "sort": one}), one is sort)
                for label, one in SORTS.items()
            ],
            "collections": shown_collections(page.collections, self.principal),
            "next_url": links.with_query("/collections", following) if page.next_cursor else "",
        }
        return render(request, "hub/collections.html", context)


class NewCollection(PortalView):
    """GET, POST /collections/new?item=model/namespace/name: begin one, with its first item."""

    authz = {"get": Action.SIGN_IN, "post": Action.SIGN_IN_TO_WRITE}

    def get(self, request: HttpRequest) -> HttpResponse:
        wanted = {name: request.GET[name] for name in ("owner", "item") if name in request.GET}
        return self._page(CollectionForm(owners=owners_for(self.principal), initial=wanted))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = CollectionForm(request.POST, owners=owners_for(self.principal))
        if form.is_valid():
            with form.showing_refusals("title"):
                made = collections.create(
                    owner=namespace_named(form.cleaned_data["owner"]),
                    wish=form.wish,
                    first=form.first,
                    by=self.principal,
                )
                return redirect(made.url)
        return self._page(form, status=REFUSED)

    def _page(self, form: CollectionForm, status: int = 200) -> HttpResponse:
        context = {"section": "collections", "form": form}
        return render(self.request, "hub/new_collection.html", context, status=status)


class OneCollection(PortalView):
    """GET, POST /collections/{namespace}/{title-id}; the form says by ``action`` what to do."""

    authz = {"get": FILTERED, "post": Action.SIGN_IN_TO_WRITE}

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        collection = self._collection()
        if f"/collections/{self.kwargs['owner']}/{self.kwargs['slug']}" != collection.url:
            return redirect(collection.url)
        return self._page(collection)

    def post(self, request: HttpRequest, **_: object) -> HttpResponse:
        collection, action = self._collection(), request.POST.get("action", "")
        verbs = {
            "vote": self._vote,
            "note": self._change_item,
            "up": self._change_item,
            "remove": self._remove,
            "delete": self._delete,
        }
        if action in verbs:
            return redirect(verbs[action](collection))
        if action == "change":
            return self._change(collection)
        if action == "add":
            return self._add(collection)
        raise Invalid("The form does not say what to do.")

    def _collection(self) -> Collection:
        slug = f"{self.kwargs['owner']}/{self.kwargs['slug']}"
        return collection_called(slug, self.principal)

    def _vote(self, collection: Collection) -> str:
        wanted = self.request.POST.get("voted") != "no"
        collections.vote(collection=collection, by=self.principal, wanted=wanted)
        return collection.url

    def _change_item(self, collection: Collection) -> str:
        sent = self.request.POST
        position = sent.get("position", "")
        is_move = sent.get("action") == "up"
        collections.change_item(
            collection=collection,
            item_id=sent.get("item", ""),
            note=None if is_move else sent.get("note", ""),
            position=int(position) if is_move and position.isdecimal() else None,
            by=self.principal,
        )
        return collection.url

    def _remove(self, collection: Collection) -> str:
        item = self.request.POST.get("item", "")
        collections.remove(collection=collection, item_id=item, by=self.principal)
        return collection.url

    def _delete(self, collection: Collection) -> str:
        collections.delete(collection=collection, by=self.principal)
        messages.success(self.request, f"{collection.title} is deleted; what it held is not.")
        return f"/collections?owner={collection.namespace.name}"

    def _change(self, collection: Collection) -> HttpResponse:
        form = CollectionForm(self.request.POST)
        if form.is_valid():
            with form.showing_refusals("title"):
                collections.change(collection=collection, wish=form.wish, by=self.principal)
                return redirect(collection.url)
            collection.refresh_from_db()
        return self._page(collection, change_form=form, status=REFUSED)

    def _add(self, collection: Collection) -> HttpResponse:
        form = ItemForm(self.request.POST)
        if form.is_valid():
            with form.showing_refusals("name"):
                named = Named(form.cleaned_data["kind"], form.cleaned_data["name"])
                note = form.cleaned_data["note"]
                collections.add(collection=collection, named=named, note=note, by=self.principal)
                return redirect(collection.url)
        return self._page(collection, item_form=form, status=REFUSED)

    def _page(
        self, collection: Collection, *, status: int = 200, **forms: ServiceForm
    ) -> HttpResponse:
        shown = shown_collections([collection], self.principal, most=None)[0]
        may_change = collection_is_for(self.principal, Action.COLLECTION_CHANGE, collection)
        context = {
            "section": "collections",
            "collection": shown,
            "voted": does_vote(self.principal.user, collection),
            "may_change": may_change,
            "change_form": CollectionForm(initial=_as_form(collection)),
            "item_form": ItemForm(),
            **forms,
        }
        return render(self.request, "hub/collection.html", context, status=status)


def _sort(text: str) -> CollectionSort:
    return CollectionSort(text) if text in set(CollectionSort) else CollectionSort.MODIFIED


def _as_form(collection: Collection) -> dict[str, str]:
    return {
        "title": collection.title,
        "description": collection.description,
        "theme": collection.theme,
        "visibility": "private" if collection.private else "public",
    }
