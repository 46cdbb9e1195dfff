"""Who is named in a text: ``@name`` where it is text, not code and not a link."""

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

MAX_MENTIONS = 50
"""Of one text; who names more wants to reach them in another way."""

_MENTION = re.compile(r"(?<![\w@./-])@([A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?)", re.ASCII)


def mentioned(text: str) -> list[str]:
    """The names in ``text``, in lower case, each once, in the order in which they come."""
    if "@" not in text:
        return []
    tokens = MarkdownIt("commonmark").parse(text)
    found = dict.fromkeys(
        name.lower() for words in _words(tokens) for name in _MENTION.findall(words)
    )
    return list(found)[:MAX_MENTIONS]


def _words(tokens: list[Token]) -> Iterator[str]:
    for token in tokens:
        in_link = 0
        for child in token.children or ():
            in_link += child.nesting if child.type.startswith("link_") else 0
            if child.type == "text" and not in_link:
                yield child.content
