"""Which attachment an address names, and for whom it is."""

import re
from collections.abc import Iterable

from hub.models import Attachment, Repo
from hub.policies import can
from hub.storage.media import EXTENSIONS
from teams.errors import NotFound
from teams.policies import Principal
from teams.roles import Action

PLACE = "/uploads/"
ADDRESS = PLACE + r"[0-9a-f]{32}\.[a-z0-9]{3,4}"
_KEY = re.compile(PLACE + r"([0-9a-f]{32})\.[a-z0-9]{3,4}\b", re.ASCII)
_MOST_REPOS = 50


def address_of(attachment: Attachment) -> str:
    """Where it is shown, as a path."""
    return f"{PLACE}{attachment.key}.{EXTENSIONS[attachment.media_type]}"


def keys_in(text: str) -> list[str]:
    """The attachments that a text names by their addresses, be they whole or paths."""
    return list(dict.fromkeys(_KEY.findall(text)))


def existing(keys: Iterable[str]) -> set[str]:
    """The addresses of those of ``keys`` that there are."""
    found = Attachment.objects.filter(key__in=list(keys))
    return {address_of(one) for one in found}


def attachment_for(reader: Principal, address: str) -> Attachment:
    """Find what an address names; what is hidden from ``reader`` is not there.

    Raises:
        NotFound: nothing is there.
    """
    key = _KEY.fullmatch(address)
    rows = Attachment.objects.select_related("blob").filter(blob__damaged_at=None)
    found = rows.filter(key=key[1]).first() if key else None
    if found is None or address_of(found) != address or not _may_see(reader, found):
        raise NotFound("There is no such file.")
    return found


def _may_see(reader: Principal, attachment: Attachment) -> bool:
    if reader.user is not None and reader.user.pk == attachment.uploaded_by_id:
        return True
    shown = Repo.objects.filter(discussions__events__attachment_uses__attachment=attachment)
    repos = shown.select_related("namespace").distinct().order_by("pk")[:_MOST_REPOS]
    return any(can(reader, Action.REPO_SEE, repo) for repo in repos)
