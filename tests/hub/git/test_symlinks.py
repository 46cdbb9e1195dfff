import pytest

from hub.errors import BadObject
from hub.git.symlinks import MAX_TARGET_BYTES, check_link


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("link", b"file"),
        ("link", b"./folder/file"),
        ("a/link", b"../file"),
        ("a/b/link", b"../../c/d"),
        ("a/link", b".."),
        ("link", b"...."),
        ("link", b".gitignore"),
        ("link", "süß".encode()),
    ],
)
def test_a_link_that_stays_inside_is_taken(path: str, target: bytes) -> None:
    check_link(path, target)


@pytest.mark.parametrize(
    ("path", "target", "why"),
    [
        ("link", b"..", "out of the repo"),
        ("link", b"../other", "out of the repo"),
        ("a/link", b"../../etc/passwd", "out of the repo"),
        ("a/link", b"./../.././x", "out of the repo"),
        ("a/link", b"..\\..\\x", "out of the repo"),
        ("a/b/link", b"c/../../../x", "behind a name"),
        ("link", b"/etc/passwd", "absolute"),
        ("link", b"\\\\server\\share", "absolute"),
        ("link", b"C:\\Windows", "absolute"),
        ("link", b"", "empty"),
        ("link", b"a\0b", "NUL"),
        ("link", b"x" * (MAX_TARGET_BYTES + 1), "longer"),
        ("link", b".git/hooks/post-checkout", "'.git'"),
        ("link", b".GIT/config", "'.git'"),
        ("link", b"a/GIT~1", "'.git'"),
        ("link", ".g\u200cit/config".encode(), "'.git'"),
        ("link", b".git::$INDEX_ALLOCATION/config", "'.git'"),
    ],
)
def test_a_link_that_leads_astray_is_refused(path: str, target: bytes, why: str) -> None:
    with pytest.raises(BadObject, match=why):
        check_link(path, target)
