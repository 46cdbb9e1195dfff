from hypothesis import given
from hypothesis import strategies as st

from hub.cards.grams import gram_query, trigrams

NAMES = st.text("abAB09-_./", min_size=1, max_size=40)


def satisfies(name: str, query: str) -> bool:
    """What PostgreSQL does with the two: whole lexemes, or the beginning of one."""
    grams = trigrams(name)
    wanted = [part.replace("''", "'").strip() for part in query.split(" & ")]
    return all(
        any(gram.startswith(part[1:-3]) for gram in grams)
        if part.endswith(":*")
        else part[1:-1] in grams
        for part in wanted
    )


@given(NAMES, st.integers(0, 39), st.integers(1, 40))
def test_every_part_of_a_name_finds_it(name: str, start: int, length: int) -> None:
    term = name[start : start + length]

    assert not term or satisfies(name, gram_query(term))


def test_a_term_that_is_not_in_a_name_is_mostly_ruled_out_by_its_grams() -> None:
    assert not satisfies("acme/llama", gram_query("lama-"))
    assert not satisfies("acme/llama", gram_query("x"))


def test_quotes_and_backslashes_are_written_as_a_tsquery_needs_them() -> None:
    assert gram_query("a'b\\") == "'''b\\\\' & 'a''b'"
