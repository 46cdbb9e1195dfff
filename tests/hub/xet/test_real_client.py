"""What the real client library writes is what we read."""

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

import hf_xet
import numpy as np
import pytest

from hub.xet.hashing import from_text, to_text
from hub.xet.reconstruction import reconstruct
from hub.xet.shards import Shard, parse_shard, verify_file, verify_xorb_info
from hub.xet.xorbs import XorbIndex, decode_chunks, verify_xorb

FLOATS = np.random.default_rng(1).normal(0, 0.02, 400_000).astype("f4").tobytes()
NOISE = np.random.default_rng(2).bytes(1_000_000)
TEXT = b"The same sentence again and again. " * 20_000
CONTENT = FLOATS + NOISE + TEXT + NOISE


@dataclass(frozen=True)
class Upload:
    """The xorbs and the shard of one upload, as the client left them in a folder."""

    xorbs: dict[bytes, Path]
    shard: Shard

    def verify(self) -> tuple[dict[bytes, XorbIndex], dict[bytes, bytes]]:
        indexes, areas = {}, {}
        for xorb, path in self.xorbs.items():
            area = bytearray()
            with path.open("rb") as body:
                indexes[xorb] = verify_xorb(body, area.extend, expected=xorb)
            areas[xorb] = bytes(area)
        return indexes, areas


@pytest.fixture
def upload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Upload:
    monkeypatch.setenv("HF_XET_CACHE", str(tmp_path / "cache"))
    source = tmp_path / "data.bin"
    source.write_bytes(CONTENT)
    commit = hf_xet.XetSession().new_upload_commit(
        endpoint=f"local://{tmp_path}/cas", token="x", token_expiry_unix_secs=int(time.time()) + 900
    )
    commit.start_upload_file(str(source))
    commit.wait_to_finish()
    store = tmp_path / "cas" / "xet" / "xorbs"
    [shard] = (store / "shards").glob("*.mdb")
    paths = [path for path in (store / "xorbs").iterdir() if path.suffix != ".tagset"]
    return Upload(
        xorbs={from_text(path.name.removeprefix("default.")): path for path in paths},
        shard=parse_shard(shard.read_bytes()),
    )


def test_xorbs_of_the_client_are_verified_and_lose_their_footer(upload: Upload) -> None:
    indexes, areas = upload.verify()

    for xorb, path in upload.xorbs.items():
        assert indexes[xorb].stored_bytes == len(areas[xorb])
        assert path.read_bytes()[len(areas[xorb]) :].startswith(b"XETBLOB")


def test_a_shard_of_the_client_is_true_of_its_xorbs(upload: Upload) -> None:
    indexes, _ = upload.verify()
    [file] = upload.shard.files

    assert {info.hash for info in upload.shard.xorbs} == set(indexes)
    for info in upload.shard.xorbs:
        verify_xorb_info(info, indexes[info.hash])
    assert verify_file(file, indexes.__getitem__) == len(CONTENT)
    assert file.sha256 == hashlib.sha256(CONTENT).digest()


def test_a_file_of_the_client_has_the_hash_that_it_says_without_a_store(
    upload: Upload, tmp_path: Path
) -> None:
    [said] = hf_xet.hash_files([str(tmp_path / "data.bin")])

    assert to_text(upload.shard.files[0].hash) == said.hash


def test_a_file_of_the_client_comes_back_from_its_xorbs(upload: Upload) -> None:
    indexes, areas = upload.verify()
    plan = reconstruct(upload.shard.files[0].terms, indexes, 0, len(CONTENT))

    pieces: list[bytes | memoryview] = []
    for term in plan.terms:
        first, stop = indexes[term.xorb].byte_range(term.start, term.end)
        pieces += decode_chunks(areas[term.xorb][first:stop])

    assert b"".join(pieces) == CONTENT
