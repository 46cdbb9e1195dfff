"""Follow users and organisations, and stop."""

from hub.models import Follow
from teams.errors import Conflict, Invalid, Unauthenticated
from teams.models import Namespace, User
from teams.policies import Principal, check_signed_in
from teams.roles import Action

MAX_FOLLOWED = 1000


def follow(*, namespace: Namespace, by: Principal) -> None:
    """Let ``by`` hear what ``namespace`` does; twice is as good as once.

    Raises:
        Unauthenticated: nobody is signed in.
        Forbidden: the token may only read.
        Invalid: it is oneself.
        Conflict: they follow too many.
    """
    user = _person(by)
    if namespace.pk == user.namespace_id:
        raise Invalid("Nobody follows themselves.")
    if Follow.objects.filter(user=user).count() >= MAX_FOLLOWED:
        raise Conflict(f"One follows {MAX_FOLLOWED} users and organisations at most.")
    Follow.objects.get_or_create(user=user, namespace=namespace)


def unfollow(*, namespace: Namespace, by: Principal) -> None:
    """Let ``by`` hear of it no more, once however often it is said.

    Raises:
        Unauthenticated: nobody is signed in.
        Forbidden: the token may only read.
    """
    Follow.objects.filter(user=_person(by), namespace=namespace).delete()


def _person(by: Principal) -> User:
    check_signed_in(by, Action.SIGN_IN_TO_WRITE)
    if by.user is None:
        raise Unauthenticated
    return by.user
