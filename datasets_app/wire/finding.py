"""Wire: filter, search, statistics."""

from django.http import HttpRequest, HttpResponse

from datasets_app.errors import Unviewable
from datasets_app.http.addresses import asset_address
from datasets_app.http.viewer import MAX_PAGE, ViewerView
from datasets_app.models import Split
from datasets_app.queries.artifacts import artifact_of
from datasets_app.queries.rows import Condition, Found, filtered, rows_of
from datasets_app.queries.search import searched
from datasets_app.serving.cells import Page, page_json
from datasets_app.wire.viewer import paged
from teams.policies import Principal

NO_TEXT = "SearchFeatureNotAvailableError"


class Chosen(ViewerView):
    """What filter and search share: a page of rows by their numbers."""

    def page(self, split: Split, found: Found, numbers: list[int], total: int) -> HttpResponse:
        page = Page(found.take(numbers), numbers, found.features)
        address = asset_address(self.request, self.repo, split)
        return self.answer(page_json(page, address, paged(total)))


class Filter(Chosen):
    """GET /filter: the rows that fit ``where``, in the order of ``orderby``."""

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        offset, length = self.number("offset", 0), self.number("length", MAX_PAGE, MAX_PAGE)
        split = self.split()
        found = rows_of(self.repo, split)
        condition = Condition(request.GET.get("where", ""), request.GET.get("orderby", ""))
        total, numbers = filtered(found, condition, offset, length, caller_of(self.principal))
        return self.page(split, found, numbers, total)


class Search(Chosen):
    """GET /search: the rows that have a word of ``query``, the best first."""

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        offset, length = self.number("offset", 0), self.number("length", MAX_PAGE, MAX_PAGE)
        query = self.needed("query")
        split = self.split()
        found = rows_of(self.repo, split)
        artifact = artifact_of(split, "fts")
        if not artifact.columns:
            raise Unviewable(NO_TEXT, "The split has no text columns.")
        total, numbers = searched(
            self.repo, artifact, query, (offset, length), caller_of(self.principal)
        )
        return self.page(split, found, numbers, total)


class Statistics(ViewerView):
    """GET /statistics: of every column of a split."""

    def get(self, _request: HttpRequest, **_: object) -> HttpResponse:
        return self.answer(artifact_of(self.split(), "statistics").content)


def caller_of(principal: Principal) -> str:
    """Whose queries count together; strangers are held back by the queue alone."""
    return str(principal.user.pk) if principal.user else ""
