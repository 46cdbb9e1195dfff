"""Repos as access tokens name them; offered to ``teams``, which knows of no repos."""

from collections.abc import Iterable, Mapping, Sequence

from hub.errors import RepoNotFound
from hub.models import Repo
from hub.names import RepoKind, RepoName
from hub.policies import visible_to
from hub.queries.repos import repo_for
from teams.errors import Refusal
from teams.policies import Principal
from teams.queries.token_scopes import RepoLabel
from teams.roles import Action


class RepoLabels:
    """``teams.queries.token_scopes.RepoDirectory`` of this package."""

    def labels(self, keys: Iterable[int]) -> Mapping[int, RepoLabel]:
        found = Repo.objects.select_related("namespace").in_bulk(list(keys))
        return {pk: _label(repo) for pk, repo in found.items()}

    def of(self, principal: Principal, limit: int) -> Sequence[RepoLabel]:
        mine = Repo.objects.filter(visible_to(principal), namespace_id__in=list(principal.roles))
        return [_label(repo) for repo in mine.select_related("namespace").order_by("-pk")[:limit]]

    def called(self, text: str, principal: Principal) -> RepoLabel:
        words = text.strip().strip("/")
        kind, name = RepoKind.MODEL, words
        for one in RepoKind:
            if words.startswith(f"{one.plural}/"):
                kind, name = one, words.removeprefix(f"{one.plural}/")
        try:
            return _label(repo_for(principal, Action.REPO_SEE, kind, RepoName.parse(name)))
        except Refusal:
            raise RepoNotFound(f"There is no repo {text!r} that you may see.") from None


def _label(repo: Repo) -> RepoLabel:
    return RepoLabel(repo.pk, repo.namespace_id, repo.kind, repo.full_name)
