"""Take large files in, whole or in parts: staged, hashed by us, and only then a repo's own."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from hub.crashpoints import Point, reach
from hub.errors import BadObject, BlobNotFound
from hub.models import Repo
from hub.queries.blobs import held
from hub.queries.store import blob_store
from hub.services import blobs, passes
from hub.services.passes import Redeemed
from teams.errors import Unprocessable
from teams.models import User
from teams.policies import Principal
from teams.roles import Action

LINK_LIFE = timedelta(hours=24)
"""As long as staged bytes are kept."""

Verb = Literal["upload", "part", "download", "verify"]


@dataclass(frozen=True, slots=True)
class Announced:
    """A large file as its uploader announces it."""

    sha256: bytes
    size: int


def sign(
    verb: Verb, announced: Announced, *, repo: Repo, by: Principal, **claims: str | int
) -> str:
    """Write a pass to upload, or download, exactly this file."""
    return passes.issue(
        f"lfs.{verb}",
        repo=repo,
        by=by,
        action=Action.REPO_READ if verb == "download" else Action.REPO_PROPOSE,
        oid=announced.sha256.hex(),
        size=announced.size,
        **claims,
    )


def signed(verb: Verb, text: str) -> tuple[Announced, Redeemed]:
    """Answer what a pass is for.

    Raises:
        Refusal: it is not valid, or its bearer may no longer use the repo.
    """
    shown = passes.redeem(f"lfs.{verb}", text, lasts=LINK_LIFE)
    return Announced(bytes.fromhex(shown.claims["oid"]), shown.claims["size"]), shown


def receive(*, repo: Repo, announced: Announced, pieces: Iterable[bytes], by: User | None) -> None:
    """Take in the bytes of a large file.

    Raises:
        BadObject: they are not what was announced. Nothing of them is kept.
    """
    store = blob_store()
    blobs.accept(
        repo=repo,
        store=store,
        staged=store.stage(pieces),
        sha256=announced.sha256,
        size=announced.size,
        by=by,
    )


def receive_part(*, upload: str, number: int, size: int, pieces: Iterable[bytes]) -> str:
    """Put one part aside; answer its digest. A part that comes again replaces the first.

    Raises:
        BadObject: it has another size than this part must have.
    """
    store = blob_store()
    name = _part_name(upload, number)
    staged = store.stage(pieces, name=name)
    reach(Point.PART_STAGED)
    if staged.size != size:
        store.abandon(name)
        raise BadObject(f"Part {number} has {staged.size:,} bytes; announced were {size:,}.")
    return staged.sha256.hex()


def join_parts(
    *, repo: Repo, announced: Announced, upload: str, parts: int, by: User | None
) -> None:
    """Make one large file of its parts. To ask again once it stands is no error.

    The parts stay until the repo holds the file: who dies on the way is asked again, and begins to
    join anew.

    Raises:
        Unprocessable: a part is missing.
        BadObject: the whole is not what was announced. Nothing of it is kept.
    """
    store = blob_store()
    names = [_part_name(upload, number) for number in range(1, parts + 1)]
    try:
        staged = store.join(names)
    except BlobNotFound:
        if announced.sha256 in held(repo.pk, [announced.sha256]):
            return
        raise Unprocessable("A part of the upload is missing. Upload the file again.") from None
    reach(Point.PARTS_JOINED)
    try:
        blobs.accept(
            repo=repo,
            store=store,
            staged=staged,
            sha256=announced.sha256,
            size=announced.size,
            by=by,
        )
    except BadObject:
        _drop(names)
        raise
    _drop(names)


def _drop(names: Iterable[str]) -> None:
    for name in names:
        blob_store().abandon(name)


def _part_name(upload: str, number: int) -> str:
    return f"parts/{upload}/{number:06}"
