"""Create a repo with a licence from its first minute."""

from django.db import transaction

from hub.models import Repo
from hub.names import EntryPath, RepoKind, RepoName, RevisionName
from hub.services import commits, repos
from hub.services.commits import Message, PutFile
from teams.policies import Principal


def create_with_licence(
    *, kind: RepoKind, name: RepoName, visibility: str, licence: str, by: Principal
) -> Repo:
    """Create a repo whose card names ``licence``; without one it has no card yet.

    Raises:
        Refusal: as :func:`hub.services.repos.create`.
    """
    with transaction.atomic():
        repo = repos.create(kind=kind, name=name, by=by, visibility=visibility)
        if licence:
            card = f"---\nlicense: {licence}\n---\n\n# {name.name}\n"
            commits.commit(
                repo=repo,
                branch=RevisionName(repo.default_branch),
                operations=[PutFile(EntryPath("README.md"), card.encode())],
                message=Message("Name the licence"),
                by=by,
            )
    return repo
