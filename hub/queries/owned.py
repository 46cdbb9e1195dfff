"""The repos of one namespace, for its owner."""

from hub.models import Repo
from hub.policies import visible_to
from teams.errors import Invalid
from teams.models import Namespace
from teams.policies import Principal


def owned_by(namespace: Namespace, *, reader: Principal, after: str, limit: int) -> list[Repo]:
    """List the repos of ``namespace`` that ``reader`` may see in the order in which they were made,
    after id ``after``.

    Raises:
        Invalid: ``after`` is no id.
    """
    if after and not (after.isascii() and after.isdigit()):
        raise Invalid("The cursor is not one of ours.")
    visible = Repo.objects.filter(visible_to(reader), namespace=namespace)
    found = visible.select_related("namespace").order_by("id")
    return list(found.filter(id__gt=int(after or 0))[:limit])
