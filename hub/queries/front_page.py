"""What the front page counts; remembered for a minute, since nobody needs it by the second."""

from django.core.cache import cache
from django.db.models import Count

from hub.models import Repo
from hub.names import RepoKind
from teams.models import User

_KEY = "front-page-counts"
_SECONDS = 60


def counts() -> dict[str, int]:
    """Public models and datasets, and users."""
    found: dict[str, int] | None = cache.get(_KEY)
    if found is None:
        public = Repo.objects.filter(visibility=Repo.Visibility.PUBLIC)
        by_kind = dict(public.order_by().values_list("kind").annotate(Count("pk")))
        found = {
            "models": by_kind.get(RepoKind.MODEL, 0),
            "datasets": by_kind.get(RepoKind.DATASET, 0),
            "users": User.objects.filter(is_active=True).count(),
        }
        cache.set(_KEY, found, _SECONDS)
    return found
