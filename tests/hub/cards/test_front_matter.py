import pytest

from hub.cards.front_matter import MAX_BYTES, split


@pytest.mark.parametrize(
    ("text", "metadata", "body"),
    [
        ("---\nlicense: mit\n---\n# Hi\n", {"license": "mit"}, "# Hi\n"),
        ("---\r\nlicense: mit\r\n---\r\n# Hi\r\n", {"license": "mit"}, "# Hi\r\n"),
        ("\ufeff---\nlicense: mit\n---\nHi", {"license": "mit"}, "Hi"),
        ("\n\n---\nlicense: mit\n---  \nHi", {"license": "mit"}, "Hi"),
        ("---\nlicense: mit\n---", {"license": "mit"}, ""),
        ("---\n---\nHi", {}, "Hi"),
        ("---\n\n---\nHi", {}, "Hi"),
        ("---\n{}\n---\nHi", {}, "Hi"),
        ("---\n# only a comment\n---\nHi", {}, "Hi"),
        ("---\na: b\n---\nx\n---\ny\n", {"a": "b"}, "x\n---\ny\n"),
    ],
)
def test_readme_is_split_at_its_dashes(text: str, metadata: object, body: str) -> None:
    front_matter = split(text)

    assert (front_matter.metadata, front_matter.body) == (metadata, body)
    assert front_matter.present
    assert not front_matter.errors


@pytest.mark.parametrize(
    "text",
    ["", "# Hi", "---", "---\n", "---\nlicense: mit\n", "----\na: b\n----\n", "a\n---\nb\n---\n"],
)
def test_text_without_front_matter_is_all_body(text: str) -> None:
    front_matter = split(text)

    assert front_matter.body == text
    assert not front_matter.present
    assert not front_matter.errors


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("true", True),
        ("2020-01-01", "2020-01-01"),
        ("2020-01-01 10:00:00", "2020-01-01 10:00:00"),
        ("1:30", "1:30"),
        ("007", "007"),
        ("0x1f", "0x1f"),
        (".nan", ".nan"),
        (".inf", ".inf"),
        ("1e999", "inf"),
        ("12", 12),
        ("-1.5", -1.5),
        ("1" * 5000, "1" * 5000),
        ("null", None),
        ("~", None),
        ("!!str 12", "12"),
        ('"a\\0b"', "a\ufffdb"),
        ("=", "="),
    ],
)
def test_values_are_told_apart_as_json_can_hold_them(written: str, value: object) -> None:
    assert split(f"---\nkey: {written}\n---\n").metadata == {"key": value}


def test_keys_stay_as_written() -> None:
    assert split("---\n1: a\ntrue: b\n---\n").metadata == {"1": "a", "true": "b"}


def test_merge_keys_are_plain_keys() -> None:
    front_matter = split("---\nbase: &b {x: 1}\nmore:\n  <<: *b\n---\n")

    assert front_matter.metadata["more"] == {"<<": {"x": 1}}


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ("a: [", "Invalid YAML"),
        ("a: b: c", "Invalid YAML"),
        ("\ta: b", "Invalid YAML"),
        ("- a\n- b", "must be a mapping"),
        ("just text", "must be a mapping"),
        ("a: 1\na: 2", "duplicated mapping key 'a'"),
        ("? [a]\n: b", "a key in the metadata is not text"),
        ("a: !!python/object/apply:os.system [id]", "is not allowed"),
        ("a: !!binary aGk=", "is not allowed"),
        ("a: !!timestamp 2020-01-01", "is not allowed"),
        ("a: !local x", "is not allowed"),
        ("a: *nowhere", "undefined alias"),
        ("a: &a [*a]", "too large"),
        ("a: \x01", "Invalid YAML"),
        ("a: \ud800", "Invalid YAML"),
        ("%YAML 1.1", "Invalid YAML"),
        ("a: " + "[" * 11 + "]" * 11, "deeper than"),
        ("a: " + "[" * 30_000, "deeper than"),
        ("a: " + "{b: " * 12 + "}" * 12, "deeper than"),
        ("a: &a x\nb: [" + "*a, " * 21 + "]", "more than 20 aliases"),
        ("a: " + "x" * MAX_BYTES, "larger than 64 KiB"),
        ("a: " + "ü" * (MAX_BYTES // 2), "larger than 64 KiB"),
    ],
)
def test_bad_front_matter_is_told_and_leaves_the_body(block: str, problem: str) -> None:
    front_matter = split(f"---\n{block}\n---\nbody")

    assert front_matter.metadata == {}
    assert front_matter.body == "body"
    assert problem in front_matter.errors[0]


def test_error_names_the_line_of_the_readme() -> None:
    assert "line 3" in split("---\na: b\nc: d: e\n---\n").errors[0]


def test_billion_laughs_stay_small() -> None:
    lines = ["a0: &a0 [" + ",".join(["lol"] * 500) + "]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 3)}]" for n in range(1, 7)]

    front_matter = split("---\n" + "\n".join(lines) + "\n---\n")

    assert "too large" in front_matter.errors[0]


def test_few_aliases_are_written_out() -> None:
    assert split("---\na: &x [1]\nb: *x\n---\n").metadata == {"a": [1], "b": [1]}
