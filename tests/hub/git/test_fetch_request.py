from contextlib import suppress
from datetime import UTC, datetime
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.git.fetch_reply import Agreement, before_pack
from hub.git.fetch_request import (
    INFINITE_DEPTH,
    FetchRequest,
    Filter,
    read_filter,
    read_v0,
    read_v2,
)
from hub.git.pkt_line import Mark, PacketReader, line
from teams.errors import Invalid

A, B = b"\xaa" * 20, b"\xbb" * 20


def v0(*lines: str) -> FetchRequest:
    """Read a v0 request; an empty line stands for a flush."""
    sent = b"".join(line(text) if text else Mark.FLUSH.value for text in lines)
    return read_v0(PacketReader(BytesIO(sent)))


def test_v2_arguments_become_values() -> None:
    request = read_v2(
        [
            b"want " + A.hex().encode(),
            b"have " + B.hex().encode(),
            b"shallow " + B.hex().encode(),
            b"ofs-delta",
            b"deepen-since 86400",
            b"deepen-not refs/tags/v1",
            b"filter blob:limit=2k",
        ]
    )

    assert (request.wants, request.haves, request.shallow) == ([A], [B], {B})
    assert request.flags == {"ofs-delta"}
    assert request.deepening.since == datetime(1970, 1, 2, tzinfo=UTC)
    assert request.deepening.without == ["refs/tags/v1"]
    assert request.filter == Filter(blob_limit=2048)
    assert not request.done


def test_v0_reads_abilities_behind_the_first_want() -> None:
    request = v0(f"want {A.hex()} ofs-delta agent=git/2", f"want {B.hex()}", "", "done")

    assert request.wants == [A, B]
    assert "ofs-delta" in request.flags
    assert request.done
    assert request.expects_pack(ready=False)


def test_v0_without_haves_only_asks_where_a_shallow_clone_ends() -> None:
    request = v0(f"want {A.hex()} shallow", "deepen 3", "")

    assert not request.talks
    assert (
        before_pack(request, Agreement(shallow=[B])) == b"0034shallow " + B.hex().encode() + b"0000"
    )


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (b"blob:none", Filter(blob_limit=0)),
        (b"blob:limit=0", Filter(blob_limit=0)),
        (b"blob:limit=1m", Filter(blob_limit=1 << 20)),
        (b"tree:0", Filter(trees=True)),
    ],
)
def test_filters_are_read(text: bytes, read: Filter) -> None:
    assert read_filter(text) == read


@pytest.mark.parametrize("text", [b"", b"tree:1", b"sparse:oid=main", b"blob:limit=", b"1k"])
def test_other_filters_are_refused(text: bytes) -> None:
    with pytest.raises(Invalid):
        read_filter(text)


@pytest.mark.parametrize(
    "argument",
    [b"want", b"want HEAD", b"have " + b"a" * 39, b"deepen 0", b"deepen -1", b"deepen-since 9" * 9],
)
def test_malformed_arguments_are_refused(argument: bytes) -> None:
    with pytest.raises(Invalid):
        read_v2([argument])


def test_a_depth_beyond_all_history_is_all_history() -> None:
    assert read_v2([b"deepen 99999999999"]).deepening.depth == INFINITE_DEPTH


WORDS = st.sampled_from([b"want ", b"have ", b"shallow ", b"deepen ", b"deepen-since ", b"filter "])


@given(st.lists(st.tuples(WORDS, st.binary(max_size=45)), max_size=8))
@settings(max_examples=500, deadline=None)
def test_any_arguments_are_read_or_refused(arguments: list[tuple[bytes, bytes]]) -> None:
    with suppress(Invalid):
        read_v2([word + value for word, value in arguments])


def test_v2_goes_on_asking_until_enough_is_common() -> None:
    request = read_v2([b"want " + A.hex().encode(), b"have " + B.hex().encode()])

    said = before_pack(request, Agreement(common=[]))

    assert said == line("acknowledgments") + line("NAK") + b"0000"
    assert not request.expects_pack(ready=False)


def test_v2_says_ready_and_sends_the_pack_in_one_answer() -> None:
    request = read_v2([b"want " + A.hex().encode(), b"have " + B.hex().encode()])

    said = before_pack(request, Agreement(common=[B], ready=True))

    assert said.endswith(line("ready") + b"0001" + line("packfile"))
    assert request.expects_pack(ready=True)


def test_v0_with_no_done_sends_the_pack_once_it_is_ready() -> None:
    want = f"want {A.hex()} multi_ack_detailed no-done"
    request = v0(want, "", f"have {B.hex()}", "")

    said = before_pack(request, Agreement(common=[B], ready=True))

    oid = B.hex()
    expected = [f"ACK {oid} common", f"ACK {oid} ready", "NAK", f"ACK {oid}"]
    assert said == b"".join(map(line, expected))
    assert request.expects_pack(ready=True)


def test_v0_of_old_clients_acknowledges_once() -> None:
    request = v0(f"want {A.hex()}", "", f"have {B.hex()}", f"have {A.hex()}", "done")

    assert before_pack(request, Agreement(common=[B, A])) == line(f"ACK {B.hex()}")
