"""Grams of names: substring search by a text vector, which needs no extension.

A vector knows only whole lexemes and their beginnings. So we file, for each position of a name, the
three characters that stand there (fewer at its end): a term of three or more characters is then a
set of whole lexemes, and a shorter one is the beginning of a lexeme. Both only narrow down; whoever
asks compares the name itself afterwards.
"""

WIDTH = 3


def trigrams(text: str) -> list[str]:
    """The characters that stand at each position of ``text``, in lower case, each once, sorted."""
    lower = text.lower()
    return sorted({lower[i : i + WIDTH] for i in range(len(lower))})


def gram_query(term: str) -> str:
    """The ``tsquery`` that every name holding ``term`` satisfies."""
    lower = term.lower()
    if len(lower) < WIDTH:
        return f"{_quoted(lower)}:*"
    grams = sorted({lower[i : i + WIDTH] for i in range(len(lower) - WIDTH + 1)})
    return " & ".join(map(_quoted, grams))


def _quoted(lexeme: str) -> str:
    escaped = lexeme.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
