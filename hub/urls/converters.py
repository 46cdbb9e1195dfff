"""Text in a URL becomes a value, or the route does not match. Routes see the undecoded path."""

from collections.abc import Mapping
from urllib.parse import quote, unquote

from django.urls import URLPattern, URLResolver, include, path, register_converter

from hub.errors import BadName
from hub.names import RepoKind, RepoName
from teams.names import RESERVED


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
            name = RepoName.parse(unquote(text))
        except BadName as problem:
            raise ValueError(problem.message) from None
        if name.namespace.lower() in RESERVED:
            raise ValueError(f"{name.namespace} is the first word of other URLs")
        return name

    def to_url(self, name: RepoName) -> str:
        return str(name)


class GitConverter(RepoConverter):
    """``namespace/name`` or ``namespace/name.git``: the address of a git remote."""

    def to_python(self, text: str) -> RepoName:
        return super().to_python(text.removesuffix(".git"))

    def to_url(self, name: RepoName) -> str:
        return f"{name}.git"


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


register_converter(KindConverter, "kind")
register_converter(RepoConverter, "repo")
register_converter(GitConverter, "git")
register_converter(TextConverter, "text")
register_converter(RestConverter, "rest")

API = "api/<kind:kind>/<repo:name>"


def of_every_kind(routes: list[URLPattern | URLResolver]) -> list[URLResolver]:
    """Mount routes for models at the root and for the other kinds below their prefix."""
    kinds: Mapping[str, RepoKind] = {
        kind.prefix: kind for kind in sorted(RepoKind, key=lambda kind: -len(kind.prefix))
    }
    return [path(prefix, include(routes), {"kind": kind}) for prefix, kind in kinds.items()]
