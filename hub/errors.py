"""Hub's own refusals, each a subclass of one of the twelve kinds in ``teams.errors``."""

from teams.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Stale,
    Unavailable,
    Unprocessable,
)


class BadName(Invalid):
    """That is not a valid name."""


class BadPath(Unprocessable):
    """That is not a valid path in a repo."""


class BadObject(Unprocessable):
    """These bytes are not what they claim to be."""


class DamagedXorb(BadObject):
    """The stored bytes of a xorb are not those that its hash names."""

    def __init__(self, xorb: bytes) -> None:
        super().__init__()
        self.xorb = xorb


class BadCard(Invalid):
    """The card's metadata cannot be read."""


class RepoNotFound(NotFound):
    """Repository not found"""

    code = "RepoNotFound"


class RevisionNotFound(NotFound):
    """Invalid rev id."""

    code = "RevisionNotFound"


class EntryNotFound(NotFound):
    """Entry not found."""

    code = "EntryNotFound"


class CollectionNotFound(NotFound):
    """Collection not found"""


class DiscussionNotFound(NotFound):
    """There is no such discussion."""


class JobNotFound(NotFound):
    """There is no such job."""


class BlobNotFound(NotFound):
    """These bytes are not in the store."""


class StoreUnavailable(Unavailable):
    """The store of large files does not answer. Try again in a moment."""


class AccessRequestNotFound(NotFound):
    """There is no such access request."""


class GatedRepo(Forbidden):
    """Access to this repo is restricted and you are not in the authorized list."""

    code = "GatedRepo"


class FileWithheld(Forbidden):
    """This file is not served before scanners have found it harmless."""

    code = "FileWithheld"


class UnsafeFile(Forbidden):
    """This commit holds a file that is unsafe to load."""

    code = "UnsafeFile"


class DiscussionOver(Conflict):
    """This was closed or merged; nothing can be added to it."""


class MergeConflict(Conflict):
    """The branch changed the same files."""


class RefProtected(Forbidden):
    """A rule protects that reference."""

    def __init__(self, ref: str, reason: str) -> None:
        super().__init__(f"{ref} is protected: {reason}.")


class RefExists(Conflict):
    """That reference already exists."""


class StaleParent(Stale):
    """The branch was updated since you opened this page. Please refresh and try again."""
