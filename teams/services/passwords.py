"""Sign in by password: slowly for guessers; and change the password."""

import hashlib

from django.contrib.auth import authenticate
from django.contrib.auth.password_validation import validate_password
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import transaction

from teams.errors import Invalid, Unauthenticated
from teams.models import User
from teams.services.audit import record

MAX_FAILURES = 10
WINDOW_SECONDS = 300


class TooManyAttempts(Unauthenticated):
    """Too many attempts failed. Wait five minutes, then try again."""


def user_by_password(*, name: str, password: str, address: str) -> User:
    """Answer the user who has this name and password.

    An unknown name costs the same hashing as a wrong password. Failures are counted for each name
    and ``address``, so nobody can lock a user out from elsewhere.

    Raises:
        TooManyAttempts: so many failed lately that even the right password isn't looked at.
        Unauthenticated: name or password is wrong.
    """
    counter = _counter(address, name)
    cache.add(counter, 0, WINDOW_SECONDS)
    if _count(counter) > MAX_FAILURES:
        raise TooManyAttempts
    user = authenticate(username=name, password=password)
    if not isinstance(user, User):
        raise Unauthenticated("The name or the password is wrong.")
    cache.delete(counter)
    return user


def _counter(address: str, name: str) -> str:
    """A key that any cache takes, whatever somebody typed."""
    return "sign-in:" + hashlib.sha256(f"{address} {name.casefold()}".encode()).hexdigest()


def _count(counter: str) -> int:
    try:
        return cache.incr(counter)
    except ValueError:
        # The window ended between the two calls: this is the first attempt of the next one.
        return 1


def set_password(*, user: User, password: str, by: User | None) -> None:
    """Give ``user`` a new password; all their other sessions end with it.

    Raises:
        Invalid: it is too short, too common or too much like the name.
    """
    try:
        validate_password(password, user)
    except ValidationError as problem:
        raise Invalid(" ".join(problem.messages)) from None
    user.set_password(password)
    with transaction.atomic():
        user.save(update_fields=["password"])
        record("user.change_password", by=by, namespace=user.namespace)
