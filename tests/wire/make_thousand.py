"""Makes the thousand by the product's own services: ``manage.py shell`` imports it and calls it."""

from django.db import transaction

from hub.names import EntryPath, RepoKind, RepoName, RevisionName
from hub.services import commits, repos
from hub.services.commits import Message, PutFile
from teams.models import User
from teams.policies import Principal
from tests.wire.thousand import MODELS, Model


@transaction.atomic
def make() -> None:
    """Create the repos and commit the cards."""
    people = {user.name: Principal(user=user, may_change=True) for user in User.objects.all()}
    for model in MODELS:
        _create(model, people.get(model.author, people["ada"]))


def _create(model: Model, by: Principal) -> None:
    repo = repos.create(
        kind=RepoKind.MODEL,
        name=RepoName.parse(model.id),
        by=by,
        visibility="private" if model.is_hidden else "public",
    )
    if model.has_card:
        commits.commit(
            repo=repo,
            branch=RevisionName("main"),
            operations=[PutFile(EntryPath("README.md"), model.readme)],
            message=Message("Add card", ""),
            by=by,
            parent="",
        )
