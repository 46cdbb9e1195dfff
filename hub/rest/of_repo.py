"""OfRepoRest: what REST views of one repo share."""

from typing import Any, TypeVar

from rest_framework import serializers
from rest_framework.request import Request

from hub.models import Repo
from hub.names import RevisionName
from hub.queries import history
from hub.queries.history import CommitRow
from hub.queries.repos import repo_for
from teams.http.rest import RestView
from teams.models import User
from teams.roles import Action

Sent = TypeVar("Sent", bound="serializers.Serializer[Any]")


class OfRepoRest(RestView):
    """Finds the repo that the URL names (``kind`` and ``name``) and asks the rule."""

    repo: Repo

    def check(self, action: Action) -> None:
        self.repo = repo_for(self.principal, action, self.kwargs["kind"], self.kwargs["name"])

    def commit(self, text: str) -> CommitRow:
        """Find the commit that a revision comes to.

        Raises:
            RevisionNotFound: nothing is called so.
            BadName: nothing can be called so.
        """
        return history.resolve(self.repo, RevisionName.parse(text))


def sent(request: Request, form: type[Sent]) -> dict[str, Any]:
    """Read a body by its serializer.

    Raises:
        ValidationError: it is not as described.
    """
    read = form(data=request.data)
    read.is_valid(raise_exception=True)
    values: dict[str, Any] = read.validated_data
    return values


def name_of(user: User | None) -> str | None:
    return user.name if user else None
