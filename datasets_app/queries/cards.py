"""What the card of a commit says about configs: README.md, overlaid by .huggingface.yaml."""

from typing import Any

from datasets_app.errors import Unresolvable
from hub.cards import front_matter
from hub.models import Repo
from hub.names import EntryPath
from hub.queries.history import CommitRow
from hub.queries.trees import read_file

_README = EntryPath("README.md")
_ALONE = EntryPath(".huggingface.yaml")


def card_of(repo: Repo, commit: CommitRow) -> dict[str, Any]:
    """The metadata of the card.

    Raises:
        Unresolvable: it cannot be read.
    """
    readme = _text(repo, commit, _README)
    alone = _text(repo, commit, _ALONE)
    found = _metadata(readme) if readme else {}
    return found | (_metadata(f"---\n{alone}\n---\n") if alone.strip() else {})


def _text(repo: Repo, commit: CommitRow, path: EntryPath) -> str:
    raw = read_file(repo.pk, commit, path)
    return "" if raw is None else raw.decode(errors="replace")


def _metadata(text: str) -> dict[str, Any]:
    parsed = front_matter.split(text)
    if parsed.errors:
        raise Unresolvable("ConfigNamesError", f"The card cannot be read: {parsed.errors[0]}")
    return dict(parsed.metadata)
