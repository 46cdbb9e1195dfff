import hashlib
import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.storage import digests

SHA256 = hashlib.sha256(b"").digest()
TEXT = "07060504030201000f0e0d0c0b0a090817161514131211101f1e1d1c1b1a1918"


def test_lfs_key_spreads_over_two_levels_of_folders() -> None:
    assert digests.lfs_key(SHA256) == f"lfs/e3/b0/{SHA256.hex()}"


def test_xorb_keys_use_the_text_form_of_the_hash() -> None:
    assert digests.xorb_key(TEXT) == f"xet/xorbs/07/06/{TEXT}"
    assert digests.xorb_index_key(TEXT) == f"xet/xorbs/07/06/{TEXT}.idx"


def test_shard_key_begins_with_the_day() -> None:
    key = digests.shard_key(date(2025, 3, 9), SHA256)

    assert key == f"xet/shards/20250309/{SHA256.hex()}.mdb"


@pytest.mark.parametrize("text", ["", TEXT[:-1], TEXT.upper(), "../" + TEXT[3:], TEXT + "\n"])
def test_xorb_key_takes_nothing_but_a_hash(text: str) -> None:
    with pytest.raises(ValueError, match="Xet hash"):
        digests.xorb_key(text)


@pytest.mark.parametrize("sha256", [b"", SHA256[:-1], SHA256 + b"x", SHA256.hex().encode()])
def test_keys_of_a_sha256_take_nothing_else(sha256: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        digests.lfs_key(sha256)


@given(st.binary(min_size=32, max_size=32))
def test_every_key_that_is_built_is_a_key(hash32: bytes) -> None:
    text = hash32.hex()
    built = [
        digests.lfs_key(hash32),
        digests.xorb_key(text),
        digests.xorb_index_key(text),
        digests.shard_key(date(2025, 3, 9), hash32),
    ]

    assert all(digests.is_key(key) for key in built)


@given(st.lists(st.binary(max_size=100)))
def test_digest_of_chunks_is_the_digest_of_their_chain(chunks: list[bytes]) -> None:
    whole = b"".join(chunks)

    digest = digests.digest_of(chunks)

    assert digest == digests.Digest(hashlib.sha256(whole).digest(), len(whole))
    assert digest.hex == hashlib.sha256(whole).hexdigest()


def test_chunks_of_a_file_are_its_rest() -> None:
    content = bytes(2 * digests.CHUNK_BYTES + 3)
    file = io.BytesIO(content)
    file.seek(1)

    chunks = list(digests.chunks_of(file))

    assert b"".join(chunks) == content[1:]
    assert max(map(len, chunks)) == digests.CHUNK_BYTES
