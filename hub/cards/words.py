"""Text as search takes it: the same for what is stored and for what is asked."""

import re

# PostgreSQL's parser reads "llama-3.2" as a word and a negative number, and "a/b" as a path.
_BETWEEN_WORDS = re.compile(r"(?<=\w)[-_/.:@+](?=\w)")


def plain_words(text: str) -> str:
    """Put spaces where a name joins its words, so that each is found by itself.

    A hyphen after a space stays: in a query it excludes the word behind it.
    """
    return _BETWEEN_WORDS.sub(" ", text.replace("\0", " "))
