"""Markdown from strangers -> safe HTML; the only place where HTML is blessed.

markdown-it reads CommonMark with tables and strikethrough and lets inline HTML pass; nh3 then keeps
only what the tables below name. Whatever a browser could run, send or confuse with the page's own
elements (``id``, ``name``, ``class``, ``style``, ``hx-*``) is not among it.
"""

import html
import posixpath
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple
from urllib.parse import unquote

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from hub.cards.references import Addresses, link_words, words_in

MAX_CHARS = 128 * 1024
"""Longer text is cut: hostile nesting costs up to some seconds at this length, and grows faster."""
ANCHOR_PREFIX = "card-"
LINK_REL = "nofollow noopener ugc"

_TAGS = (
    "a abbr audio b blockquote br caption center code col colgroup dd del details dfn div dl dt em "
    "figcaption figure h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p picture pre q rp rt ruby s "
    "samp small span strike strong sub summary sup table tbody td tfoot th thead tr tt u ul var "
    "video wbr"
)
# Elements whose content is no text for readers either.
_DROPPED_WHOLE = (
    "applet base embed frame frameset iframe link math meta noembed noframes noscript object "
    "option plaintext script select style svg template textarea title xmp"
)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_SIZED = {"width", "height", "align"}
_CELL = {"align", "valign", "colspan", "rowspan", "width"}
_ATTRIBUTES: dict[str, set[str]] = {
    "*": {"title", "lang", "dir"},
    "a": {"href"},
    "img": {"src", "alt", *_SIZED},
    "video": {"src", "controls", "loop", "muted", *_SIZED},
    "audio": {"src", "controls", "loop", "muted"},
    "code": {"class"},
    "details": {"open"},
    "ol": {"start", "type", "reversed"},
    "td": _CELL,
    "th": {*_CELL, "scope"},
    "col": {"span", "width"},
    "div": {"align"},
    "p": {"align"},
    "table": {"align", "width"},
    **{heading: {"align", "id"} for heading in _HEADINGS},
}
_FORCED = {
    "img": {"loading": "lazy", "referrerpolicy": "no-referrer"},
    "video": {"controls": "", "preload": "none"},
    "audio": {"controls": "", "preload": "none"},
}
_SCHEMES = {"http", "https", "mailto"}

_LANGUAGE_CLASS = re.compile(r"language-[A-Za-z0-9_+#.-]{1,40}", re.ASCII)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE | re.ASCII)
# Browsers drop these from within an address, and take a backslash for a slash.
_INVISIBLE = re.compile(r"[\x00-\x20\x7f-\xa0\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


@dataclass(frozen=True, slots=True)
class Heading:
    """One entry of a card's table of contents."""

    level: int
    text: str
    anchor: str


class Rendered(NamedTuple):
    """A text made safe, the headings in it, and its references if they were asked for."""

    html: str
    headings: tuple[Heading, ...]
    words: tuple[str, ...] = ()


def render(
    text: str,
    *,
    link: Callable[[str], str],
    image: Callable[[str], str],
    refer: Addresses | None = None,
) -> Rendered:
    """Render Markdown as HTML that may stand in any page of ours.

    ``link`` and ``image`` make an address of a path in the repo, which is given without quoting;
    ``refer`` says where the references in the text lead.
    """
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    tokens = parser.parse(text[:MAX_CHARS].replace("\0", "\ufffd"))
    headings = _name_headings(tokens)
    _align_cells(tokens)
    words = tuple(words_in(tokens)) if refer else ()
    if refer and words:
        link_words(tokens, refer(words))
    rendered = parser.renderer.render(tokens, parser.options, {})
    cleaner = _Cleaner(frozenset(heading.anchor for heading in headings), link, image)
    return Rendered(cleaner.clean(rendered), headings, words)


def text_of(blessed: str) -> str:
    """The bare text of rendered HTML, for search and summaries."""
    spaced = re.sub(r"(?=</?(?:p|li|h[1-6]|td|th|tr|div|br|pre|dd|dt)\b)", " ", blessed)
    return " ".join(html.unescape(nh3.clean(spaced, tags=set())).split())


def _name_headings(tokens: Sequence[Token]) -> tuple[Heading, ...]:
    """Give each heading an ``id`` of our own, in a name space that no element of a page uses."""
    headings: list[Heading] = []
    uses: dict[str, int] = {}
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            text = _plain(inline.children or [])
            slug = _slug(text)
            number = uses[slug] = uses.get(slug, -1) + 1
            anchor = f"{ANCHOR_PREFIX}{slug}-{number}" if number else ANCHOR_PREFIX + slug
            opening.attrSet("id", anchor)
            headings.append(Heading(int(opening.tag[1]), text, anchor))
    return tuple(headings)


def _plain(tokens: Sequence[Token]) -> str:
    shown = {"text", "code_inline", "image"}
    return "".join(token.content for token in tokens if token.type in shown).strip()


def _slug(text: str) -> str:
    """Lower-case words joined by dashes, as other renderers of READMEs name their anchors."""
    lowered = unicodedata.normalize("NFC", text).lower()
    return re.sub(r"[^\w\- ]", "", lowered).strip().replace(" ", "-") or "section"


def _align_cells(tokens: Sequence[Token]) -> None:
    """Say by ``align`` what markdown-it says by ``style``, which does not survive cleaning."""
    for token in tokens:
        style = token.attrs.pop("style", None) if token.type in {"th_open", "td_open"} else None
        if isinstance(style, str):
            token.attrSet("align", style.removeprefix("text-align:"))


class _Cleaner:
    """Cleans one rendered text: the tables above, and where its addresses lead."""

    def __init__(
        self,
        anchors: frozenset[str],
        link: Callable[[str], str],
        image: Callable[[str], str],
    ) -> None:
        self.anchors = anchors
        self.link = link
        self.image = image

    def clean(self, dirty: str) -> str:
        return nh3.clean(
            dirty,
            tags=set(_TAGS.split()),
            clean_content_tags=set(_DROPPED_WHOLE.split()),
            attributes=_ATTRIBUTES,
            attribute_filter=self.attribute,
            set_tag_attribute_values=_FORCED,
            url_schemes=_SCHEMES,
            link_rel=LINK_REL,
        )

    def attribute(self, tag: str, name: str, value: str) -> str | None:
        match name:
            case "href":
                return self.address(value, self.link)
            case "src":
                address = self.address(value, self.image)
                # Media of other hosts would tell them who reads; images are at least asked lazily
                # and without a referrer, which browsers do not offer for media.
                return None if tag != "img" and _is_remote(value) else address
            case "id":
                return value if value in self.anchors else None
            case "class":
                return value if _LANGUAGE_CLASS.fullmatch(value) else None
            case _:
                return value

    def address(self, value: str, rewrite: Callable[[str], str]) -> str | None:
        url = _INVISIBLE.sub("", value).replace("\\", "/")
        if scheme := _SCHEME.match(url):
            return value.strip() if scheme[0][:-1].lower() in _SCHEMES else None
        if url.startswith("//"):
            return f"https:{url}"
        if url.startswith("#"):
            return "#" + ANCHOR_PREFIX + url[1:].removeprefix(ANCHOR_PREFIX)
        if url.startswith("/"):
            return url
        return self.path_in_repo(value, rewrite)

    def path_in_repo(self, value: str, rewrite: Callable[[str], str]) -> str | None:
        path, _, fragment = value.strip().partition("#")
        # The leading slash keeps ``..`` from leaving the repo.
        path = posixpath.normpath("/" + unquote(path.partition("?")[0]).replace("\\", "/"))
        address = rewrite(path.lstrip("/"))
        # A file may be called ``javascript:x``: an address must say where it leads.
        if not address.startswith(("/", "https://", "http://")):
            return None
        return f"{address}#{fragment}" if fragment else address


def _is_remote(value: str) -> bool:
    url = _INVISIBLE.sub("", value).replace("\\", "/")
    return url.startswith("//") or _SCHEME.match(url) is not None
