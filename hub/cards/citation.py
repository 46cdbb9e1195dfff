"""The citation that a dataset's card asks for."""

import re

_BIBTEX = re.compile(r"^```[ \t]*bib(?:tex|latex)?[ \t]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_BARE = re.compile(r"^```[ \t]*\n(@\w+\{.*?)^```", re.MULTILINE | re.DOTALL)


def citation_of(body: str) -> str | None:
    """Answer the first BibTeX block of a card, None if it has none."""
    found = _BIBTEX.search(body) or _BARE.search(body)
    return found[1].strip() if found else None
