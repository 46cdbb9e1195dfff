"""Words in a text that lead somewhere: ``@name``, ``#12``, the id of a commit.

They are looked for where it is text, not in code and not in links. What they lead to is for the
caller to say; a word without an address stays a word.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from markdown_it.token import Token

MAX_REFERENCES = 50
"""Of one kind in one text; who names more wants to reach them in another way."""

Addresses = Callable[[Sequence[str]], Mapping[str, str]]
"""Says where those of some words lead that lead anywhere."""

_WORD = re.compile(
    r"(?<![\w@#&./-])(?:"
    r"(?P<name>@[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?)"
    r"|(?P<number>#[1-9][0-9]{0,8})(?![\w-])"
    r"|(?P<commit>[0-9a-f]{7,40})(?![\w-])"
    r")",
    re.ASCII,
)


def words_in(tokens: Sequence[Token]) -> list[str]:
    """The references in a text, each once, in the order in which they come."""
    found: dict[str, dict[str, None]] = {"name": {}, "number": {}, "commit": {}}
    for inline in tokens:
        for child in _free(inline):
            for match in _WORD.finditer(child.content):
                kind = found[match.lastgroup or "name"]
                if len(kind) < MAX_REFERENCES:
                    kind[match[0]] = None
    return [word for kind in found.values() for word in kind]


def names_in(words: Sequence[str]) -> list[str]:
    """Who is mentioned among references, in lower case, each once."""
    return list(dict.fromkeys(word[1:].lower() for word in words if word.startswith("@")))


def numbers_in(words: Sequence[str]) -> list[int]:
    """Which discussions are."""
    return [int(word[1:]) for word in words if word.startswith("#")]


def commits_in(words: Sequence[str]) -> list[str]:
    """What may be the id of a commit, or how one begins."""
    return [word for word in words if word[0] not in "@#"]


def link_words(tokens: Sequence[Token], addresses: Mapping[str, str]) -> None:
    """Make links of the references that have an address."""
    for inline in tokens:
        free = {id(child) for child in _free(inline)}
        if free:
            inline.children = [
                piece
                for child in inline.children or ()
                for piece in (_pieces(child, addresses) if id(child) in free else [child])
            ]


def _free(inline: Token) -> Iterator[Token]:
    """The parts of a text that are neither code nor within a link."""
    in_link = 0
    for child in inline.children or ():
        in_link += child.nesting if child.type.startswith("link_") else 0
        if child.type == "text" and not in_link:
            yield child


def _pieces(text: Token, addresses: Mapping[str, str]) -> Iterator[Token]:
    end = 0
    for match in _WORD.finditer(text.content):
        if address := addresses.get(match[0]):
            yield _text(text.content[end : match.start()])
            yield Token("link_open", "a", 1, attrs={"href": address})
            yield _text(match[0])
            yield Token("link_close", "a", -1)
            end = match.end()
    yield _text(text.content[end:])


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)
