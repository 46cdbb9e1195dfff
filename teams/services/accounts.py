"""Create accounts and let people in."""

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import IntegrityError, transaction
from django.utils import timezone

from teams.errors import Conflict, Unauthenticated
from teams.models import Namespace, User
from teams.names import check_name
from teams.services.audit import Target, record
from teams.services.members import check_none_is_left_ownerless
from teams.services.organisations import owner_stays, retire


class SignInLinks(PasswordResetTokenGenerator):
    """Makes tokens that die with the first sign-in, since they hash the time of the last one."""

    key_salt = "teams.services.accounts.SignInLinks"


_links = SignInLinks()


def create_user(
    *, name: str, by: User | None, password: str | None = None, email: str = "", admin: bool = False
) -> User:
    """Create a user and the namespace of the same name; ``by`` is None for the command line.

    Raises:
        Invalid: the name is not a valid one.
        Conflict: the name is taken.
    """
    check_name(name)
    try:
        with transaction.atomic():
            namespace = Namespace.objects.create(name=name, kind=Namespace.Kind.USER)
            user = User(namespace=namespace, email=email, is_staff=admin, fullname=name)
            user.set_password(password)
            user.save()
            made = Target("user", name, namespace.pk)
            record("user.create", by=by, namespace=None, target=made, details={"admin": admin})
    except IntegrityError:
        raise Conflict(f"The name {name} is taken.") from None
    return user


def sign_in_link(user: User) -> str:
    """Answer the path of a page that signs ``user`` in, once, within the next three days."""
    return f"/login/link/{user.name}/{_links.make_token(user)}"


def user_by_link(*, name: str, token: str) -> User:
    """Answer the user whom a sign-in link belongs to.

    Raises:
        Unauthenticated: the link is spent, too old or forged.
    """
    user = User.objects.select_related("namespace").filter(namespace__name=name).first()
    if user is None or not user.is_active or not _links.check_token(user, token):
        raise Unauthenticated("This sign-in link was used already, or it is too old.")
    return user


@transaction.atomic
def spend_link(*, name: str, token: str) -> User:
    """Answer the user whom a sign-in link belongs to, and let the link lead nowhere from now on.

    Raises:
        Unauthenticated: the link is spent, too old or forged.
    """
    # Of two requests with one link the second waits here, and finds it spent.
    User.objects.select_for_update().filter(namespace__name=name).first()
    user = user_by_link(name=name, token=token)
    user.last_login = timezone.now()
    user.save(update_fields=["last_login"])
    return user


def close(*, user: User, by: User | None) -> None:
    """End an account; its name stays taken. Whether it still owns repos is not asked here.

    What the user wrote stays, without a name.

    Raises:
        Conflict: an organisation would have no owner.
    """
    check_none_is_left_ownerless(user)
    namespace = user.namespace
    with owner_stays():
        target = Target("user", user.name, user.pk)
        record("account.close", by=by, namespace=namespace, target=target)
        user.delete()
        retire(namespace)
