"""Create organisations and give roles in them."""

from django.db import IntegrityError, transaction

from teams.errors import Conflict
from teams.models import Membership, Namespace, Organisation, User
from teams.names import check_name
from teams.roles import Role


def create(*, name: str, owner: User, by: User | None) -> Organisation:
    """Create an organisation whose admin is ``owner``; ``by`` is None for the command line.

    Raises:
        Invalid: the name is not a valid one.
        Conflict: the name is taken.
    """
    check_name(name)
    try:
        with transaction.atomic():
            namespace = Namespace.objects.create(name=name, kind=Namespace.Kind.ORGANISATION)
            organisation = Organisation.objects.create(namespace=namespace, fullname=name)
            change_role(organisation=organisation, user=owner, role=Role.ADMIN, by=by)
    except IntegrityError:
        raise Conflict(f"The name {name} is taken.") from None
    return organisation


def change_role(
    *, organisation: Organisation, user: User, role: Role, by: User | None
) -> Membership:
    """Make ``user`` a member with ``role``, or change the role of a member."""
    membership, _created = Membership.objects.update_or_create(
        organisation=organisation, user=user, defaults={"role": role.value}
    )
    return membership
