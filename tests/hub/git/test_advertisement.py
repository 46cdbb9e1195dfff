from hub.git.advertisement import AdvertisedRef, Service, abilities_v2, refs_v0, refs_v2
from hub.git.pkt_line import line

A, B, C = b"\xaa" * 20, b"\xbb" * 20, b"\xcc" * 20
MAIN = "refs/heads/main"
REFS = [AdvertisedRef(MAIN, A), AdvertisedRef("refs/tags/v1", B, C)]


def test_v0_tells_head_first_and_what_a_tag_comes_to() -> None:
    told = refs_v0(Service.UPLOAD_PACK, REFS, MAIN, version=0).decode()

    assert told.startswith("001e# service=git-upload-pack\n0000")
    assert f"{A.hex()} HEAD\0" in told
    assert f"symref=HEAD:{MAIN}" in told
    assert f"{C.hex()} refs/tags/v1^{{}}\n" in told
    assert told.endswith("0000")


def test_v1_says_so() -> None:
    told = refs_v0(Service.UPLOAD_PACK, REFS, MAIN, version=1)

    assert line("version 1") in told


def test_for_pushing_neither_head_nor_peeled_tags_are_told() -> None:
    told = refs_v0(Service.RECEIVE_PACK, REFS, MAIN, version=0).decode()

    assert "HEAD" not in told
    assert "^{}" not in told
    assert f"{A.hex()} {MAIN}\0report-status" in told


def test_an_empty_repo_still_tells_what_it_can() -> None:
    told = refs_v0(Service.UPLOAD_PACK, [], MAIN, version=0).decode()

    assert f"{'0' * 40} capabilities^{{}}\0multi_ack" in told


def test_v2_offers_ls_refs_and_fetch() -> None:
    told = abilities_v2()

    assert told.startswith(line("version 2"))
    assert line("ls-refs=unborn") in told
    assert line("fetch=shallow wait-for-done filter") in told


def test_v2_lists_what_prefixes_ask_for() -> None:
    asked = [b"peel", b"symrefs", b"ref-prefix refs/tags/", b"ref-prefix HEAD"]

    told = refs_v2(asked, REFS, MAIN)

    assert told == b"".join(
        [
            line(f"{A.hex()} HEAD symref-target:{MAIN}"),
            line(f"{B.hex()} refs/tags/v1 peeled:{C.hex()}"),
            b"0000",
        ]
    )


def test_v2_tells_where_the_first_commit_of_an_empty_repo_would_go() -> None:
    assert refs_v2([b"symrefs", b"unborn"], [], MAIN) == (
        line(f"unborn HEAD symref-target:{MAIN}") + b"0000"
    )
