"""Refusals: what the product says when it will not do what was asked.

A refusal is a value with a name; anything else that is raised is a bug. There are thirteen kinds,
one per status; a package's own refusals subclass a kind. Its docstring is the default message.

    Refusal
    ├── Invalid          400  the request itself is wrong
    ├── Unauthenticated  401  we do not know who you are
    ├── Forbidden        403  we know, and you may not
    ├── NotFound         404  there is no such thing (or none that you may know of)
    ├── Conflict         409  it clashes with what is there
    ├── Stale            412  what you built on has moved
    ├── TooLarge         413  more bytes than we take
    ├── Unsatisfiable    416  no byte of that range exists
    ├── Unprocessable    422  well-formed, but it can't be done
    ├── TooMany          429  as many as we take in this time
    ├── Damaged          500  we lost what we promised to keep
    ├── Unavailable      503  a part of ours does not answer; try again
    └── OutOfSpace       507  the disk is full; nothing was changed
"""

from typing import ClassVar


class Refusal(Exception):
    """The request was refused."""

    code: ClassVar[str] = ""
    """What ``X-Error-Code`` says on the wire; empty where the wire has no word for it."""

    def __init__(self, message: str = "", **details: object) -> None:
        self.message = message or (type(self).__doc__ or "").splitlines()[0]
        self.details = details
        """Extra keys of the JSON body, such as the ``url`` of the repo that is in the way."""
        super().__init__(self.message)


class Invalid(Refusal):
    """The request is malformed."""


class Unauthenticated(Refusal):
    """Invalid username or password."""


class Forbidden(Refusal):
    """You do not have the rights for this."""


class NotFound(Refusal):
    """There is nothing here."""


class Conflict(Refusal):
    """It clashes with something that is already there."""


class Stale(Refusal):
    """What you built on has moved."""


class TooLarge(Refusal):
    """The request is larger than we accept."""


class Unsatisfiable(Refusal):
    """No byte of the requested range exists."""


class Unprocessable(Refusal):
    """The request is well-formed but cannot be carried out."""


class TooMany(Refusal):
    """There were too many requests. Wait, then go on."""


class Damaged(Refusal):
    """What was stored here is damaged and served to nobody. Uploading it again heals it."""


class Unavailable(Refusal):
    """A part of this hub does not answer. Try again in a moment."""


class OutOfSpace(Refusal):
    """The storage is full. Nothing was changed; try again when there is space."""
