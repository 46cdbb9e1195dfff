"""What annotated tags come to: each names a commit, or another tag that does."""

from collections.abc import Iterable
from typing import NamedTuple

from hub.errors import BadObject
from hub.git.objects import Kind, tagged
from hub.models import sql
from hub.queries.objects import read_many


class Chain(NamedTuple):
    """Annotated tags, each of the next, and what the last one names."""

    tags: tuple[bytes, ...]
    target: bytes
    kind: Kind


def chains(repo_id: int, tags: Iterable[bytes]) -> dict[bytes, Chain]:
    """Follow annotated tags to what they name in the end, one query for each tag of a tag.

    Raises:
        BadObject: a tag is malformed, or not there.
    """
    found = {oid: Chain((), oid, Kind.TAG) for oid in tags}
    while open_ends := {chain.target for chain in found.values() if chain.kind is Kind.TAG}:
        named = {oid: tagged(raw) for oid, raw in read_many(repo_id, open_ends).items()}
        if lost := open_ends - named.keys():
            raise BadObject(f"The tag {lost.pop().hex()} is not there.")
        for oid, chain in found.items():
            if chain.kind is Kind.TAG:
                found[oid] = Chain((*chain.tags, chain.target), *named[chain.target])
    return found


def known_chains(repo_id: int, oids: Iterable[bytes]) -> dict[bytes, Chain]:
    """Those of ``oids`` that are annotated tags of the repo, and what they come to."""
    rows = sql.rows(
        "SELECT oid FROM git_object WHERE repo_id = %s AND oid = ANY(%s) AND kind = %s",
        [repo_id, list(oids), int(Kind.TAG)],
    )
    return chains(repo_id, (oid for (oid,) in rows))
