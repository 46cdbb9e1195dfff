"""What a card's metadata says, as rows of a page: licence, languages, what it was made from."""

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from hub.cards.architectures import texts
from hub.cards.languages import LANGUAGES
from hub.cards.vocabularies import LICENSES
from hub.http import links
from hub.names import RepoKind

MAX_VALUES = 12

Metadata = Mapping[str, object] | None


class Value(NamedTuple):
    """One value, and the list or page that it leads to."""

    text: str
    url: str


class Fact(NamedTuple):
    """A label and its values."""

    label: str
    values: list[Value]


class NamedRepo(NamedTuple):
    """A repo that a card names; whether there is one is another question."""

    kind: RepoKind
    name: str


Known = Collection[NamedRepo]
Writer = Callable[[RepoKind, str, Known], Value]


def named_in(metadata: Metadata) -> list[NamedRepo]:
    """The repos that the metadata names, in lower case."""
    return [
        NamedRepo(kind, text.lower())
        for key, kind in (("base_model", RepoKind.MODEL), ("datasets", RepoKind.DATASET))
        for text in _texts(metadata, key)
    ]


def facts_of(kind: RepoKind, metadata: Metadata, known: Known) -> list[Fact]:
    """Those of the keys of the table that the metadata holds; only ``known`` repos are links."""
    found: list[Fact] = []
    for label, key, write in _ROWS:
        values = [write(kind, text, known) for text in _texts(metadata, key)]
        if values:
            found.append(Fact(label, values))
    return found


def _texts(metadata: Metadata, key: str) -> list[str]:
    return texts((metadata or {}).get(key))[:MAX_VALUES]


def _license(kind: RepoKind, text: str, _known: Known) -> Value:
    return Value(LICENSES.get(text, text), links.list_url(kind, license=text))


def _language(kind: RepoKind, text: str, _known: Known) -> Value:
    return Value(LANGUAGES.get(text, text), links.list_url(kind, language=text))


def _model(_kind: RepoKind, text: str, known: Known) -> Value:
    return _repo(RepoKind.MODEL, text, known)


def _dataset(_kind: RepoKind, text: str, known: Known) -> Value:
    return _repo(RepoKind.DATASET, text, known)


def _repo(kind: RepoKind, text: str, known: Known) -> Value:
    """Cards name repos of other hubs too: a link to a page that isn't here helps nobody."""
    is_here = NamedRepo(kind, text.lower()) in known
    return Value(text, links.repo_url(kind, text) if is_here else "")


def _plain(_kind: RepoKind, text: str, _known: Known) -> Value:
    return Value(text, "")


_ROWS: tuple[tuple[str, str, Writer], ...] = (
    ("Licence", "license", _license),
    ("Languages", "language", _language),
    ("Base model", "base_model", _model),
    ("Trained on", "datasets", _dataset),
    ("Metrics", "metrics", _plain),
    ("Size", "size_categories", _plain),
)
