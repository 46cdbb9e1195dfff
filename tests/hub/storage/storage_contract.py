"""What every BlobStore promises; each implementation inherits it."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.errors import BlobNotFound
from hub.storage.digests import CHUNK_BYTES, chunks_of, digest_of, lfs_key
from hub.storage.ports import BlobStore, Staged
from teams.errors import OutOfSpace

KEY = "lfs/ab/cd/abcd"
MIB = 1 << 20
SMALL_STORE_BYTES = 4 * MIB
BAD_NAMES = ["", "/", "a/", "/a", "a//b", "..", "a/../b", "a/./b", ".a", "a/.b", "A", "a b", "a\0"]
BAD_NAMES += ["a\n", "a\\b", "é", "a,b", "a" * 201]
BAD_KEYS = [*BAD_NAMES, "staging", "staging/a"]

chunk_lists = st.lists(st.binary(max_size=300), max_size=6)
many = settings(
    deadline=None,
    max_examples=25,
    # One store may see all examples, and each store must stand the examples of the others.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)


def later() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)


def staged_names(store: BlobStore) -> list[str]:
    return list(store.stale(later()))


def read(store: BlobStore, key: str, *, start: int = 0, length: int | None = None) -> bytes:
    with store.open(key, start=start, length=length) as file:
        return b"".join(chunks_of(file))


def put(store: BlobStore, content: bytes, key: str = KEY) -> bool:
    return store.publish(store.stage([content]), key)


class BlobStoreContract:
    @pytest.fixture
    def store(self) -> BlobStore:
        raise NotImplementedError

    # Staging

    @many
    @given(chunks=chunk_lists)
    def test_stage_hashes_and_counts_what_it_takes(
        self, store: BlobStore, chunks: list[bytes]
    ) -> None:
        whole = b"".join(chunks)

        staged = store.stage(chunks)

        assert (staged.size, staged.sha256) == (len(whole), hashlib.sha256(whole).digest())

    @pytest.mark.parametrize("size", [CHUNK_BYTES - 1, CHUNK_BYTES, 3 * CHUNK_BYTES + 5])
    def test_stage_takes_chunks_of_any_size_in_order(self, store: BlobStore, size: int) -> None:
        chunks = [b"head", bytes(range(256)) * (size // 256), b"", b"tail"]

        staged = store.stage(chunks)
        store.publish(staged, KEY)

        assert staged.sha256 == digest_of(chunks).sha256
        assert read(store, KEY) == b"".join(chunks)

    def test_staged_bytes_are_under_no_key(self, store: BlobStore) -> None:
        store.stage([b"aside"])

        assert list(store.keys()) == []

    def test_stage_that_is_cut_off_leaves_nothing(self, store: BlobStore) -> None:
        def cut_off() -> Iterator[bytes]:
            yield b"x" * CHUNK_BYTES
            raise ConnectionResetError

        with pytest.raises(ConnectionResetError):
            store.stage(cut_off())

        assert staged_names(store) == []

    def test_writer_that_is_left_unfinished_leaves_nothing(self, store: BlobStore) -> None:
        with store.open_stage() as writer:
            writer.write(b"x" * 2 * CHUNK_BYTES)

        assert staged_names(store) == []

    def test_writer_that_is_finished_keeps_its_bytes(self, store: BlobStore) -> None:
        with store.open_stage() as writer:
            writer.write(b"a")
            writer.write(b"b")
            staged = writer.finish()

        assert store.publish(staged, KEY)
        assert read(store, KEY) == b"ab"

    def test_writer_takes_nothing_once_it_is_finished(self, store: BlobStore) -> None:
        writer = store.open_stage()
        writer.finish()
        writer.abandon()

        with pytest.raises(ValueError, match="finished"):
            writer.write(b"more")
        with pytest.raises(ValueError, match="finished"):
            writer.finish()
        assert len(staged_names(store)) == 1

    def test_stage_under_a_name_replaces_what_had_it(self, store: BlobStore) -> None:
        store.stage([b"first attempt"], name="upload/1")

        staged = store.stage([b"second"], name="upload/1")

        assert staged == Staged("upload/1", 6, hashlib.sha256(b"second").digest())
        assert staged_names(store) == ["upload/1"]

    def test_part_stays_when_its_replacement_is_abandoned(self, store: BlobStore) -> None:
        store.stage([b"whole"], name="upload/1")

        with store.open_stage(name="upload/1") as writer:
            writer.write(b"half")

        store.publish("upload/1", KEY)
        assert read(store, KEY) == b"whole"

    def test_abandon_drops_staged_bytes_and_may_come_twice(self, store: BlobStore) -> None:
        staged = store.stage([b"never mind"])

        store.abandon(staged.name)
        store.abandon(staged.name)

        assert staged_names(store) == []

    def test_stale_names_what_was_staged_before_a_moment(self, store: BlobStore) -> None:
        store.stage([b"x"], name="upload/1")

        assert list(store.stale(later())) == ["upload/1"]
        assert list(store.stale(datetime.now(UTC) - timedelta(hours=1))) == []

    def test_staged_bytes_can_be_read(self, store: BlobStore) -> None:
        store.stage([b"staged"], name="upload/1")

        with store.open_staged("upload/1") as file:
            assert file.read() == b"staged"

    def test_nothing_staged_cannot_be_read(self, store: BlobStore) -> None:
        with pytest.raises(BlobNotFound):
            store.open_staged("upload/1")

    def test_withdrawn_bytes_can_be_published(self, store: BlobStore) -> None:
        store.stage([b"sent to the store"], name="upload/1")

        name = store.withdraw("upload/1")
        store.publish(name, KEY)

        assert read(store, KEY) == b"sent to the store"
        assert staged_names(store) == []

    def test_parts_that_nobody_was_given_links_for_never_came(self, store: BlobStore) -> None:
        with pytest.raises(BlobNotFound):
            store.end_parts("upload/1", "some upload", parts=1)

    # Joining

    @many
    @given(parts=st.lists(st.binary(max_size=300), max_size=5))
    def test_join_chains_parts_in_order_and_leaves_them(
        self, store: BlobStore, parts: list[bytes]
    ) -> None:
        names = [store.stage([part], name=f"upload/{n}").name for n, part in enumerate(parts)]

        joined = store.join(names)

        assert joined.sha256 == hashlib.sha256(b"".join(parts)).digest()
        assert sorted(staged_names(store)) == sorted([*names, joined.name])
        for name in [*names, joined.name]:
            store.abandon(name)

    def test_join_of_a_missing_part_is_refused_and_keeps_the_others(self, store: BlobStore) -> None:
        store.stage([b"x"], name="upload/1")

        with pytest.raises(BlobNotFound):
            store.join(["upload/1", "upload/2"])

        assert staged_names(store) == ["upload/1"]

    # Publishing

    @many
    @given(chunks=chunk_lists)
    def test_published_bytes_come_back_whole(self, store: BlobStore, chunks: list[bytes]) -> None:
        staged = store.stage(chunks)
        key = lfs_key(staged.sha256)

        store.publish(staged, key)

        assert read(store, key) == b"".join(chunks)
        assert store.size(key) == staged.size
        assert staged_names(store) == []

    def test_publish_to_a_taken_key_changes_nothing(self, store: BlobStore) -> None:
        assert put(store, b"first")

        assert not put(store, b"second")

        assert read(store, KEY) == b"first"
        assert staged_names(store) == []

    def test_publish_may_be_repeated(self, store: BlobStore) -> None:
        staged = store.stage([b"x"])
        store.publish(staged, KEY)

        assert not store.publish(staged, KEY)

    def test_publish_of_what_is_not_staged_is_refused(self, store: BlobStore) -> None:
        with pytest.raises(BlobNotFound):
            store.publish("upload/1", KEY)

        assert store.size(KEY) is None

    def test_one_of_many_publishers_of_a_key_is_first(self, store: BlobStore) -> None:
        for round_ in range(20):
            staged = [store.stage([b"the same"]) for _ in range(8)]
            with ThreadPoolExecutor(8) as threads:
                first = list(threads.map(lambda s, n=round_: store.publish(s, f"{KEY}{n}"), staged))

            assert first.count(True) == 1

    def test_one_of_many_publishers_of_the_same_staged_bytes_is_first(
        self, store: BlobStore
    ) -> None:
        for round_ in range(20):
            staged = store.stage([b"retried"])
            with ThreadPoolExecutor(8) as threads:
                first = list(threads.map(store.publish, [staged] * 8, [f"{KEY}{round_}"] * 8))

            assert first.count(True) == 1

    def test_reader_sees_all_of_a_blob_or_none_of_it(self, store: BlobStore) -> None:
        staged = store.stage([b"x" * 2 * MIB])
        with ThreadPoolExecutor(1) as thread:
            publishing = thread.submit(store.publish, staged, KEY)
            seen = [store.size(KEY)]
            while not publishing.done():
                seen.append(store.size(KEY))

        assert set(seen) <= {None, 2 * MIB}

    # Reading

    @many
    @given(start=st.integers(0, 40), length=st.none() | st.integers(0, 40))
    def test_open_gives_exactly_the_range(
        self, store: BlobStore, start: int, length: int | None
    ) -> None:
        content = bytes(range(30))
        put(store, content)

        found = read(store, KEY, start=start, length=length)

        assert found == content[start:][:length]

    def test_open_reads_as_much_as_it_is_asked_for(self, store: BlobStore) -> None:
        put(store, bytes(3 * MIB))

        with store.open(KEY, start=1, length=2 * MIB) as file:
            assert len(file.read(10)) == 10
            assert len(file.read(MIB)) == MIB
            assert len(file.read()) == MIB - 10

    @pytest.mark.parametrize(("start", "length"), [(-1, None), (0, -1)])
    def test_open_of_no_range_is_a_bug(
        self, store: BlobStore, start: int, length: int | None
    ) -> None:
        put(store, b"x")

        with pytest.raises(ValueError, match="range"):
            store.open(KEY, start=start, length=length)

    def test_unknown_key_has_no_bytes(self, store: BlobStore) -> None:
        with pytest.raises(BlobNotFound):
            store.open(KEY)
        assert store.size(KEY) is None
        assert store.path(KEY) is None

    @pytest.mark.parametrize("length", [None, 2])
    def test_start_of_a_key_is_not_a_key(self, store: BlobStore, length: int | None) -> None:
        put(store, b"x")

        with pytest.raises(BlobNotFound):
            store.open("lfs/ab", length=length)
        assert store.size("lfs/ab") is None

    def test_reader_keeps_what_it_opened_when_the_key_is_dropped(self, store: BlobStore) -> None:
        put(store, b"still here")

        with store.open(KEY) as file:
            store.drop(KEY)
            assert file.read() == b"still here"

    def test_moment_of_publishing_is_known(self, store: BlobStore) -> None:
        before = datetime.now(UTC) - timedelta(seconds=2)
        put(store, b"x")

        assert store.published_at("lfs/nothing") is None
        assert before < (store.published_at(KEY) or before) < later()

    # Keeping house

    def test_drop_forgets_a_key_and_may_come_twice(self, store: BlobStore) -> None:
        put(store, b"x")

        store.drop(KEY)
        store.drop(KEY)

        assert store.size(KEY) is None
        assert put(store, b"y")

    def test_keys_come_in_order_of_their_text(self, store: BlobStore) -> None:
        names = ["b/a", "a-b", "a.b", "a/b/c", "a/b-c", "a/ba", "a0"]
        for name in names:
            put(store, b"x", key=f"xet/{name}")

        assert list(store.keys()) == sorted(f"xet/{name}" for name in names)

    @pytest.mark.parametrize(
        "prefix", ["", "lfs", "lfs/", "lfs/a", "lfs/ab/cd", "xet/", "nothing/x"]
    )
    def test_keys_begin_as_asked(self, store: BlobStore, prefix: str) -> None:
        keys = ["lfs/aa/aa/aa", "lfs/ab/cd/ef", "lfs/ab/ce/ef", "xet/aa"]
        for key in keys:
            put(store, b"x", key=key)

        assert list(store.keys(prefix)) == [key for key in keys if key.startswith(prefix)]

    @pytest.mark.parametrize("key", BAD_KEYS)
    def test_bad_key_is_refused_everywhere(self, store: BlobStore, key: str) -> None:
        staged = store.stage([b"x"])

        for attempt in (store.open, store.size, store.path, store.drop):
            with pytest.raises(ValueError, match="is not a key"):
                attempt(key)
        with pytest.raises(ValueError, match="is not a key"):
            store.publish(staged, key)

    @pytest.mark.parametrize("prefix", ["/", "..", "../", "a/../b", "staging/", "a//"])
    def test_bad_prefix_is_refused(self, store: BlobStore, prefix: str) -> None:
        with pytest.raises(ValueError, match="is not a key"):
            list(store.keys(prefix))

    @pytest.mark.parametrize("name", BAD_NAMES)
    def test_bad_staged_name_is_refused_everywhere(self, store: BlobStore, name: str) -> None:
        with pytest.raises(ValueError, match="is not a name"):
            store.stage([b"x"], name=name)
        with pytest.raises(ValueError, match="is not a name"):
            store.publish(name, KEY)
        with pytest.raises(ValueError, match="is not a name"):
            store.join([name])
        with pytest.raises(ValueError, match="is not a name"):
            store.abandon(name)


class FullStoreContract:
    """What a store with an end promises when it is reached."""

    @pytest.fixture
    def small_store(self) -> Iterator[BlobStore]:
        """One with room for SMALL_STORE_BYTES, more or less."""
        raise NotImplementedError

    def test_full_store_refuses_and_keeps_nothing_of_it(self, small_store: BlobStore) -> None:
        with pytest.raises(OutOfSpace):
            small_store.stage([b"x" * MIB] * 8)

        assert staged_names(small_store) == []
        assert list(small_store.keys()) == []

    def test_writer_on_a_full_store_cleans_up_by_itself(self, small_store: BlobStore) -> None:
        writer = small_store.open_stage()

        with pytest.raises(OutOfSpace):
            writer.write(b"x" * 2 * SMALL_STORE_BYTES)

        assert staged_names(small_store) == []

    def test_full_store_still_serves_what_it_has(self, small_store: BlobStore) -> None:
        put(small_store, b"x" * MIB)
        small_store.stage([b"kept"], name="upload/1")

        with pytest.raises(OutOfSpace):
            small_store.stage([b"y" * MIB] * 8, name="upload/1")

        assert read(small_store, KEY) == b"x" * MIB
        assert staged_names(small_store) == ["upload/1"]

    def test_full_store_takes_bytes_again_when_there_is_room(self, small_store: BlobStore) -> None:
        put(small_store, b"x" * 3 * MIB)
        with pytest.raises(OutOfSpace):
            small_store.stage([b"y" * 2 * MIB])

        small_store.drop(KEY)

        assert put(small_store, b"y" * 2 * MIB)

    def test_join_without_room_keeps_the_parts(self, small_store: BlobStore) -> None:
        parts = [small_store.stage([b"x" * MIB], name=f"upload/{n}").name for n in range(3)]

        with pytest.raises(OutOfSpace):
            small_store.join(parts)

        assert sorted(staged_names(small_store)) == parts

    def test_free_bytes_shrink_and_grow(self, small_store: BlobStore) -> None:
        empty = small_store.free_bytes()
        put(small_store, b"x" * 2 * MIB)
        filled = small_store.free_bytes()
        small_store.drop(KEY)

        assert empty is not None
        assert filled is not None
        assert empty - filled >= 2 * MIB
        assert (small_store.free_bytes() or 0) > filled
