"""ViewerView: how the viewer's API finds a dataset, answers, and speaks refusals."""

from collections.abc import Mapping
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from datasets_app.errors import (
    InvalidParameter,
    MissingParameter,
    NotPlanned,
    NotReady,
    UnknownConfig,
    UnknownSplit,
    Unresolvable,
    Unviewable,
)
from datasets_app.models import Snapshot, Split
from datasets_app.queries.splits import snapshot_of, split_of
from hub.errors import GatedRepo, RepoNotFound, RevisionNotFound
from hub.http.repo_views import repo_named, revision_named
from hub.models import Repo
from hub.names import RepoKind
from hub.policies import can
from hub.queries import history
from hub.queries.history import CommitRow
from hub.queries.repos import repo_for, repo_now_called
from teams.errors import NotFound, Refusal, Unauthenticated
from teams.http.refusals import say_when, status_of
from teams.http.views import WireView
from teams.roles import Action

MAX_PAGE = 100
FRESH_SECONDS = 120
MAX_NUMBER = 2**62

# The status that the viewer gives each of its codes, where it is not 500.
_STATUS: Mapping[str, int] = {
    "InvalidParameter": 422,
    "MissingRequiredParameter": 422,
    "SplitParquetSchemaMismatchError": 422,
    "ConfigNotFoundError": 404,
    "DatasetNotFoundError": 404,
    "ExternalAuthenticatedError": 404,
    "RenamedDatasetError": 404,
    "ResponseNotFound": 404,
    "SplitNotFoundError": 404,
    "ExternalUnauthenticatedError": 401,
    "ResumeMismatch": 409,
    "SnapshotGone": 410,
    "SearchFeatureNotAvailableError": 400,
    "DatasetWithScriptNotSupportedError": 501,
    "DatasetWithTooManyConfigsError": 501,
    "DatasetWithTooManySplitsError": 501,
    "NotSupportedError": 501,
}
_CODES: Mapping[type[Refusal], str] = {
    InvalidParameter: "InvalidParameter",
    MissingParameter: "MissingRequiredParameter",
    NotPlanned: "ResponseNotReady",
    NotReady: "ResponseNotReady",
    RevisionNotFound: "ResponseNotFound",
    UnknownConfig: "ConfigNotFoundError",
    UnknownSplit: "SplitNotFoundError",
}


class ViewerView(WireView):
    """GET with ``dataset``: who may read its files may see its rows."""

    authz = {"get": Action.REPO_READ}
    repo: Repo
    commit: CommitRow | None = None

    def check(self, action: Action) -> None:
        name = repo_named(self.needed("dataset"))
        try:
            self.repo = repo_for(self.principal, action, RepoKind.DATASET, name)
        except RepoNotFound:
            renamed = repo_now_called(RepoKind.DATASET, name)
            if renamed is not None and can(self.principal, Action.REPO_SEE, renamed):
                message = f"The dataset has been renamed to {renamed.full_name}."
                raise Unviewable("RenamedDatasetError", message) from None
            raise

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        response["Access-Control-Allow-Origin"] = "*"
        response["Access-Control-Expose-Headers"] = "X-Error-Code, X-Revision"
        return response

    def needed(self, name: str) -> str:
        """A parameter that must be there.

        Raises:
            MissingParameter: it is not.
        """
        value = self.request.GET.get(name, "")
        if not value:
            raise MissingParameter(f"Parameter '{name}' is required")
        return value

    def number(self, name: str, default: int, most: int = MAX_NUMBER) -> int:
        """A parameter that is a whole number from 0 to ``most``.

        Raises:
            InvalidParameter: it is not.
        """
        text = self.request.GET.get(name, "")
        if not text:
            return default
        if not (text.isascii() and text.isdigit()) or len(text) > len(str(MAX_NUMBER)):
            raise InvalidParameter(f"Parameter '{name}' must be integer")
        if int(text) > most:
            raise InvalidParameter(f"Parameter '{name}' must not be greater than {most}")
        return int(text)

    def snapshot(self) -> Snapshot:
        """What is known of the dataset at the revision that is asked for.

        Raises:
            RevisionNotFound, NotPlanned: there is none, or nothing yet.
        """
        text = self.request.GET.get("revision") or self.repo.default_branch
        self.commit = history.resolve(self.repo, revision_named(text))
        return snapshot_of(self.repo.pk, self.commit.oid)

    def split(self) -> Split:
        """The split that ``config`` and ``split`` name."""
        config, split = self.needed("config"), self.needed("split")
        return split_of(self.snapshot(), config, split)

    def answer(self, value: object) -> HttpResponse:
        """Answer JSON (or its bytes) with the headers that clients read."""
        body = value if isinstance(value, bytes) else orjson.dumps(value)
        response = HttpResponse(body, content_type="application/json")
        self._head(response, FRESH_SECONDS)
        return response

    def refuse(self, refusal: Refusal) -> HttpResponse:
        code, status = self._spoken(refusal)
        response = HttpResponse(
            orjson.dumps({"error": refusal.message}), content_type="application/json", status=status
        )
        response["X-Error-Code"] = code
        say_when(response)
        self._head(response, 0)
        return response

    def _spoken(self, refusal: Refusal) -> tuple[str, int]:
        if isinstance(refusal, Unauthenticated) or (
            self.principal.is_anonymous and isinstance(refusal, RepoNotFound | GatedRepo)
        ):
            return "ExternalUnauthenticatedError", 401
        if isinstance(refusal, RepoNotFound | GatedRepo):
            return "ExternalAuthenticatedError", 404
        if isinstance(refusal, Unviewable | Unresolvable):
            return refusal.viewer_code, _STATUS.get(refusal.viewer_code, 500)
        for kind, code in _CODES.items():
            if isinstance(refusal, kind):
                return code, _STATUS.get(code, 500)
        code = "ResponseNotFound" if isinstance(refusal, NotFound) else "UnexpectedApiError"
        return code, _STATUS.get(code, status_of(refusal))

    def _head(self, response: HttpResponse, seconds: int) -> None:
        if self.commit is not None:
            response["X-Revision"] = self.commit.oid.hex()
        is_open = hasattr(self, "repo") and not (self.repo.private or self.repo.gate)
        kept = f"max-age={seconds}" if seconds and is_open else "no-store"
        response["Cache-Control"] = kept if is_open else "private, no-store"
