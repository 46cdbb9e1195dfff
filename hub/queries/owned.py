"""The repos of one namespace, for its owner."""

from hub.models import Repo
from teams.errors import Invalid
from teams.models import Namespace


def owned_by(namespace: Namespace, *, after: str, limit: int) -> list[Repo]:
    """List all repos of ``namespace`` in the order in which they were made, after id ``after``.

    Raises:
        Invalid: ``after`` is no id.
    """
    if after and not (after.isascii() and after.isdigit()):
        raise Invalid("The cursor is not one of ours.")
    found = Repo.objects.filter(namespace=namespace).select_related("namespace").order_by("id")
    return list(found.filter(id__gt=int(after or 0))[:limit])
