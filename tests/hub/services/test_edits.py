"""Edits of trees against a plain dictionary of paths."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.errors import BadPath, EntryNotFound
from hub.git.objects import FILE_MODE, Entry
from hub.names import EntryPath
from hub.queries.objects import read_tree
from hub.services.adding import insert_objects
from hub.services.edits import TreeEdit

pytestmark = pytest.mark.django_db
REPO = 77
PATHS = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join)
STEP = st.tuples(
    st.sampled_from(["put", "delete", "delete_folder"]), PATHS, st.binary(min_size=20, max_size=20)
)


def files_below(oid: bytes, folder: str = "") -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name, entry in read_tree(REPO, oid).entries.items():
        path = folder + name.decode()
        found |= files_below(entry.oid, f"{path}/") if entry.is_tree else {path: entry.oid}
    return found


def expect(files: dict[str, bytes], verb: str, path: str, oid: bytes) -> dict[str, bytes] | None:
    """What the files are afterwards; None if it must be refused."""
    inside = {p for p in files if p.startswith(f"{path}/")}
    parts = path.split("/")
    below_a_file = any("/".join(parts[:n]) in files for n in range(1, len(parts)))
    if verb == "put":
        return None if inside or below_a_file else files | {path: oid}
    gone = inside if verb == "delete_folder" else {path} & files.keys()
    return {p: o for p, o in files.items() if p not in gone} if gone else None


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(commits=st.lists(st.lists(STEP, min_size=1, max_size=8), min_size=1, max_size=4))
def test_edits_do_what_they_would_do_to_a_dictionary(
    db: None, commits: list[list[tuple[str, str, bytes]]]
) -> None:
    files: dict[str, bytes] = {}
    root: bytes | None = None
    for steps in commits:
        edit = TreeEdit(REPO, root, [EntryPath(path) for _verb, path, _oid in steps])
        for verb, path, oid in steps:
            after = expect(files, verb, path, oid)
            arguments = [EntryPath(path), Entry(FILE_MODE, oid)][: 2 if verb == "put" else 1]
            if after is None:
                with pytest.raises((BadPath, EntryNotFound)):
                    getattr(edit, verb)(*arguments)
            else:
                getattr(edit, verb)(*arguments)
                files = after
        root, trees = edit.finish()
        insert_objects(REPO, trees)
        assert files_below(root) == files
