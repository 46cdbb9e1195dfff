"""Reads of trusted publishers."""

from collections.abc import Sequence

from hub.models import Repo, TrustedPublisher


def publishers_of(repo: Repo) -> Sequence[TrustedPublisher]:
    """Those that ``repo`` trusts, in the order in which it began to."""
    found = repo.publishers.select_related("created_by__namespace").order_by("pk")
    return list(found)
