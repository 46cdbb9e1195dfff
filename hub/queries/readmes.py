"""Markdown files of a repo as safe HTML, rendered once for each content and place."""

import hashlib
from dataclasses import dataclass
from typing import Protocol

from django.core.cache import cache
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from hub.cards.front_matter import split
from hub.cards.markdown import Heading, render
from hub.queries.objects import read_raw

MAX_RENDERED_BYTES = 1024 * 1024
"""A longer text is shown as it was written, and cut here."""
_CACHED_SECONDS = 24 * 3600
_VERSION = 1
"""Goes up with every change of the renderer, so that no cache holds what an old one made."""


class Addresses(Protocol):
    """Where the relative links of one text lead."""

    @property
    def place(self) -> str:
        """Two texts at one place have the same addresses."""
        ...

    def link(self, path: str, /) -> str: ...

    def image(self, path: str, /) -> str: ...


@dataclass(frozen=True, slots=True)
class Readme:
    """A text that may stand in a page, and its table of contents."""

    html: SafeString
    headings: tuple[Heading, ...] = ()


def readme(repo_id: int, oid: bytes, addresses: Addresses) -> Readme:
    """Render the Markdown file whose git object is ``oid``; its front matter is left out."""
    place = hashlib.sha256(addresses.place.encode()).hexdigest()
    key = f"readme:{_VERSION}:{repo_id}:{oid.hex()}:{place}"
    found: tuple[str, tuple[Heading, ...]] | None = cache.get(key)
    if found is None:
        found = _render(read_raw(repo_id, oid)[1], addresses)
        cache.set(key, found, _CACHED_SECONDS)
    # Both ways of making it, nh3 and format_html, leave nothing in it that a browser would run.
    return Readme(mark_safe(found[0]), found[1])  # noqa: S308


def _render(raw: bytes, addresses: Addresses) -> tuple[str, tuple[Heading, ...]]:
    if len(raw) > MAX_RENDERED_BYTES:
        text = raw[:MAX_RENDERED_BYTES].decode(errors="replace")
        return str(format_html("<pre>{}</pre>", text)), ()
    body = split(raw.decode(errors="replace")).body
    rendered = render(body, link=addresses.link, image=addresses.image)
    return rendered.html, rendered.headings
