"""What the refs and the ids that a client of git names stand for."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from hub.git.advertisement import AdvertisedRef
from hub.git.objects import Kind
from hub.git.refs import BRANCHES, TAGS
from hub.models import Repo, sql
from hub.queries.tags import chains
from teams.errors import Invalid, NotFound


def advertised(repo: Repo) -> list[AdvertisedRef]:
    """All refs by name, annotated tags with what they come to."""
    rows = sql.rows(
        "SELECT r.name, r.oid, o.kind FROM git_ref r LEFT JOIN git_object o "
        "ON o.repo_id = r.repo_id AND o.oid = r.oid WHERE r.repo_id = %s ORDER BY r.name",
        [repo.pk],
    )
    peeled = chains(repo.pk, (oid for _name, oid, kind in rows if kind == Kind.TAG))
    return [
        AdvertisedRef(name, oid, peeled[oid].target if oid in peeled else None)
        for name, oid, _kind in rows
    ]


def kinds_of(repo_id: int, oids: Iterable[bytes]) -> dict[bytes, Kind]:
    """The kinds of those objects that the repo has."""
    asked = list(set(oids))
    if not asked:
        return {}
    rows = sql.rows(
        "SELECT oid, kind FROM git_object WHERE repo_id = %s AND oid = ANY(%s)", [repo_id, asked]
    )
    return {oid: Kind(kind) for oid, kind in rows}


@dataclass(slots=True)
class Wanted:
    """What a client asked for, by kind; a tag brings what it names."""

    commits: set[bytes] = field(default_factory=set)
    trees: set[bytes] = field(default_factory=set)
    blobs: set[bytes] = field(default_factory=set)
    tags: set[bytes] = field(default_factory=set)


def wanted(repo_id: int, oids: Collection[bytes]) -> Wanted:
    """Sort what is wanted by kind. Any object of the repo may be wanted, not only what refs name.

    Raises:
        NotFound: the repo has no such object.
    """
    kinds = kinds_of(repo_id, oids)
    for oid in oids:
        if oid not in kinds:
            raise NotFound(f"upload-pack: not our ref {oid.hex()}")
    found = Wanted()
    homes = {Kind.COMMIT: found.commits, Kind.TREE: found.trees, Kind.BLOB: found.blobs}
    for oid, kind in kinds.items():
        if kind is not Kind.TAG:
            homes[kind].add(oid)
    for chain in chains(repo_id, (o for o, kind in kinds.items() if kind is Kind.TAG)).values():
        found.tags.update(chain.tags)
        homes[chain.kind].add(chain.target)
    return found


def tags_of(repo_id: int, commits: Collection[bytes]) -> set[bytes]:
    """The annotated tags that have a ref and come to one of ``commits``."""
    rows = sql.rows(
        "SELECT r.oid FROM git_ref r JOIN git_object o ON o.repo_id = r.repo_id AND o.oid = r.oid "
        "WHERE r.repo_id = %s AND o.kind = %s",
        [repo_id, int(Kind.TAG)],
    )
    found = chains(repo_id, (oid for (oid,) in rows)).values()
    return {tag for chain in found if chain.target in commits for tag in chain.tags}


def commits_called(repo_id: int, names: Iterable[str]) -> set[bytes]:
    """The commits that refs come to, each called by its whole name or as people shorten it.

    Raises:
        Invalid: there is no such ref.
    """
    asked = {name: (name, f"refs/{name}", TAGS + name, BRANCHES + name) for name in names}
    rows = sql.rows(
        "SELECT name, oid FROM git_ref WHERE repo_id = %s AND name = ANY(%s)",
        [repo_id, [full for fulls in asked.values() for full in fulls]],
    )
    refs: dict[str, bytes] = dict(rows)
    oids: list[bytes] = []
    for name, fulls in asked.items():
        oid = next((refs[full] for full in fulls if full in refs), None)
        if oid is None:
            raise Invalid(f"There is no ref {name[:60]!r} to stop at.")
        oids.append(oid)
    return wanted(repo_id, oids).commits
