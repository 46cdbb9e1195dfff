"""Text in a URL becomes a value, or the route does not match. Routes see the undecoded path."""

from urllib.parse import quote, unquote

from hub.errors import BadName
from hub.names import RepoKind, RepoName


class KindConverter:
    """``models``, ``datasets`` or ``spaces``."""

    regex = "models|datasets|spaces"

    def to_python(self, text: str) -> RepoKind:
        return RepoKind(text.removesuffix("s"))

    def to_url(self, kind: RepoKind) -> str:
        return kind.plural


class RepoConverter:
    """``namespace/name``."""

    regex = "[^/]+/[^/]+"

    def to_python(self, text: str) -> RepoName:
        try:
            return RepoName.parse(unquote(text))
        except BadName as problem:
            raise ValueError(problem.message) from None

    def to_url(self, name: RepoName) -> str:
        return str(name)


class TextConverter:
    """One segment in which ``%2F`` stands for a slash: revisions and tree paths."""

    regex = "[^/]+"

    def to_python(self, text: str) -> str:
        return unquote(text)

    def to_url(self, text: str) -> str:
        return quote(text, safe="")


class RestConverter(TextConverter):
    """All that is left of the path: the path of an entry."""

    regex = ".+"
