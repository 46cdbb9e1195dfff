import hashlib
from pathlib import Path

import hf_xet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.xet.hashing import (
    Node,
    chunk_hash,
    file_hash,
    from_text,
    keyed_chunk_hash,
    range_hash,
    swap_words,
    to_text,
    xorb_hash,
)
from teams.errors import Invalid
from tests.hub.xet.samples import HELLO, cut, lcg, nodes_of

SIZES_300K = [18687, 31280, 131072, 32482, 37293, 49186]
SIZES_1M = [64662, 131072, 23091, 131072, 32553, 131072, 31896, 10763, 80309]
SIZES_1M += [84001, 14949, 59885, 39598, 24612, 8209, 65611, 45996, 69225]

KNOWN = {
    "hello": (
        HELLO,
        [12],
        "d8d408e608fb9ca213b9909a65d86d725f2de4d8d540324be8a363e7a6e228cb",
        "d8d408e608fb9ca213b9909a65d86d725f2de4d8d540324be8a363e7a6e228cb",
        "a9dae0ad88b060bdd7e7c87abdcf95b132c95a0414b06d4f6beb68d287b87165",
    ),
    "one chunk": (
        lcg(8192, 2),
        [8192],
        "98a62577e4f114ab814ba4de205682655a7e9deaf8ac6c6dc0ab33203a81f665",
        "98a62577e4f114ab814ba4de205682655a7e9deaf8ac6c6dc0ab33203a81f665",
        "c2b367cd851992351b97149ca21cf660e2ba183ca8718af98c4434c4ef06d0a2",
    ),
    "six chunks": (
        lcg(300000, 7),
        SIZES_300K,
        "2a26dd65fa81c8d277113048f21cadc8d42795b4ebb22c05d90fc6ebcb1bab9b",
        "c57f64bd62526b8b4615a539877b1a6ec23541636547d00ec9f1e8773036a209",
        "6a20e5f38f0b87bb35905e260ed38daf59afe95f6523597b16cd2b0713faf8bc",
    ),
    "eighteen chunks": (
        lcg(1048576, 1),
        SIZES_1M,
        "d268e73ccad507db1e32904cbbb76cf651682582a09bb5a2a494e6b5fec61ca8",
        "df222b10719b3780e02fc489c65c01a0c408130ecceb0b28d0bab645b8d598dd",
        "46cc8e67a6c0ced4008d75931263aca51a291132458d226958c1b0715b12f465",
    ),
    "zeros": (
        bytes(1048576),
        [131072] * 8,
        "2e39f13c248013b27e22913ba2893a654120ed0ad8eb7ecbf3f05b9d708634fc",
        "8c15d5bfe292d5f8f3b992149581636a5c4078ce9c4349d43f1a762ba0609839",
        "1e671fe124cea35586b1d1c30b9d4fc6b4e05ee60c93406986444f7c23d54056",
    ),
}
each_known = pytest.mark.parametrize(
    ("data", "sizes", "first", "xorb", "file"), KNOWN.values(), ids=list(KNOWN)
)


def counted(count: int) -> list[Node]:
    return [(chunk_hash(bytes([i])), i + 1) for i in range(count)]


def test_the_noise_of_the_samples_is_the_noise_of_the_vectors() -> None:
    digest = hashlib.sha256(lcg(1048576, 1)).hexdigest()

    assert digest.startswith("bd2cbebd6861d7be")
    assert digest.endswith("a32d88b")


@each_known
def test_known_data_has_its_known_hashes(
    data: bytes, sizes: list[int], first: str, xorb: str, file: str
) -> None:
    nodes = nodes_of(cut(data, sizes))

    assert to_text(nodes[0][0]) == first
    assert to_text(xorb_hash(nodes)) == xorb
    assert to_text(file_hash(nodes)) == file


@each_known
def test_the_client_library_hashes_files_as_we_do(
    data: bytes, sizes: list[int], first: str, xorb: str, file: str, tmp_path: Path
) -> None:
    path = tmp_path / "data.bin"
    path.write_bytes(data)

    assert hf_xet.hash_files([str(path)])[0].hash == to_text(file_hash(nodes_of(cut(data, sizes))))


def test_the_hash_of_nothing_is_zeros() -> None:
    assert file_hash([]) == xorb_hash([]) == bytes(32)


@pytest.mark.parametrize(
    ("count", "head", "tail"),
    [
        (2, "7fe2b588", "e7104e"),
        (4, "1446ebcf", "2ae7804"),
        (9, "0638d2a5", "7fd358"),
        (10, "bde546a2bcbf91e68076ea606378ce75739486aadf46d45954c7eb8fbab40e92", ""),
        (20, "6fc638597ced84ac82bcbfcdeb3c6b1ec1e02921a52faaf5cfcfa175edda58ae", ""),
    ],
)
def test_trees_of_any_size_have_their_known_roots(count: int, head: str, tail: str) -> None:
    root = to_text(xorb_hash(counted(count)))

    assert root.startswith(head)
    assert root.endswith(tail)


def test_a_file_hash_is_a_hash_of_the_root() -> None:
    known = "e23347935f08ae3f833860c0d39dc6080d1b4e16ebff64fa1bb01036a8133365"

    assert to_text(file_hash(counted(10))) == known


@pytest.mark.parametrize(
    ("data", "sizes", "known"),
    [
        (
            lcg(300000, 7),
            SIZES_300K,
            "3c8b64abb0fc4568f284c1ac3c49fdc0ddca7a77ed2770d401a5ff62befe289a",
        ),
        (
            lcg(1048576, 1),
            SIZES_1M,
            "da8246c26ba7efc9f274578eb7241f1631a3ee3d55c6c639590afdadb81aeae9",
        ),
    ],
)
def test_a_range_has_its_known_hash_whether_joined_or_not(
    data: bytes, sizes: list[int], known: str
) -> None:
    hashes = [digest for digest, _ in nodes_of(cut(data, sizes))]

    assert to_text(range_hash(hashes)) == to_text(range_hash(b"".join(hashes))) == known


def test_a_keyed_chunk_hash_hides_the_chunk_hash() -> None:
    chunk = from_text("df93298cdbf67cd507aed28d6290c0cf7f9aa0aa88dfa629cffcf98680659410")
    known = "fb413bf1844039e064a7302458c7298d3394eb82cae859ab85afa0654675a187"

    assert chunk == chunk_hash(b"\0")
    assert to_text(keyed_chunk_hash(bytes(range(32)), chunk)) == known


def test_text_reverses_each_group_of_eight_bytes() -> None:
    known = "07060504030201000f0e0d0c0b0a090817161514131211101f1e1d1c1b1a1918"

    assert to_text(bytes(range(32))) == known
    assert swap_words(bytes(range(32))).hex() == known


@given(st.binary(min_size=32, max_size=32))
def test_text_comes_back_as_the_same_hash(raw: bytes) -> None:
    assert from_text(to_text(raw)) == raw
    assert swap_words(swap_words(raw)) == raw


@pytest.mark.parametrize(
    "text", ["", "0" * 63, "0" * 65, "A" * 64, "0" * 63 + "g", "0" * 64 + "\n", "\u0660" * 64]
)
def test_text_that_is_no_hash_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        from_text(text)
