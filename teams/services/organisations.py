"""Create organisations, seat people in them, change their settings, close them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from django.db import IntegrityError, connection, transaction

from teams.errors import Conflict, Invalid, NotFound
from teams.models import Membership, Namespace, Organisation, User, sql
from teams.models.organisation import MAX_ABOUT
from teams.names import check_name
from teams.policies import Principal, check_in
from teams.roles import Action, Role
from teams.services import audit
from teams.services.audit import Target
from teams.services.profiles import check_website

MOST_OWNED = 100
"""So many organisations may one user own: names are for everybody."""


@dataclass(frozen=True, slots=True)
class Seat:
    """What a member is: a role, and whether they also own, or manage teams."""

    role: Role
    is_owner: bool = False
    may_manage_teams: bool = False

    @property
    def label(self) -> str:
        if self.is_owner:
            return "owner"
        return "maintainer" if self.may_manage_teams else self.role.label


OWNER = Seat(Role.ADMIN, is_owner=True)
SEATS = {
    seat.label: seat for seat in (*map(Seat, Role), Seat(Role.WRITE, may_manage_teams=True), OWNER)
}
"""All that a member can be, by label."""


def create(*, name: str, owner: User, by: User | None) -> Organisation:
    """Create an organisation that ``owner`` owns; ``by`` is None for the command line.

    Raises:
        Invalid: the name is not a valid one.
        Conflict: the name is taken, or the owner has more organisations than anybody needs.
    """
    check_name(name)
    if by and Membership.objects.filter(user=owner, is_owner=True).count() >= MOST_OWNED:
        raise Conflict(f"Nobody may own more than {MOST_OWNED} organisations.")
    try:
        with transaction.atomic():
            namespace = Namespace.objects.create(name=name, kind=Namespace.Kind.ORGANISATION)
            organisation = Organisation.objects.create(namespace=namespace, fullname=name)
            Membership.objects.create(
                organisation=organisation, user=owner, role=Role.ADMIN, is_owner=True
            )
            audit.record("org.create", by=by, namespace=namespace, target=target_of(organisation))
    except IntegrityError:
        raise Conflict(f"The name {name} is taken.") from None
    return organisation


def change_role(
    *, organisation: Organisation, user: User, role: Role, by: User | None
) -> Membership:
    """Make ``user`` a member with ``role``, or change the role of a member.

    Nobody is asked whether they may: it is for the command line and for identity providers. An
    owner who stays an admin stays an owner.

    Raises:
        Conflict: the organisation would have no owner.
    """
    there = Membership.objects.filter(organisation=organisation, user=user).first()
    owns = there is not None and there.is_owner and role == Role.ADMIN
    return seat(organisation=organisation, user=user, seat=Seat(role, is_owner=owns), by=by)


def seat(
    *,
    organisation: Organisation,
    user: User,
    seat: Seat,
    by: User | None,
    source: Membership.Source = Membership.Source.INVITE,
) -> Membership:
    """Make ``user`` what ``seat`` says, a member or another kind of member; nobody is asked.

    Raises:
        Conflict: the organisation would have no owner.
    """
    namespace = organisation.namespace
    values = {**asdict(seat), "role": seat.role.value}
    with owner_stays():
        member, is_new = Membership.objects.get_or_create(
            organisation=organisation, user=user, defaults={**values, "source": source}
        )
        if is_new:
            _note("org.add_user", by, namespace, user, {"role": member.label, "source": source})
            return member
        member = Membership.objects.select_for_update().get(pk=member.pk)
        old = member.label
        for name, value in values.items():
            setattr(member, name, value)
        member.save(update_fields=list(values))
        if old != member.label:
            change = {"role": {"old": old, "new": member.label}}
            _note("org.change_role", by, namespace, user, change)
    return member


def _note(
    action: str, by: User | None, namespace: Namespace, user: User, details: Mapping[str, object]
) -> None:
    target = Target("user", user.name, user.pk)
    audit.record(action, by=by, namespace=namespace, target=target, details=details)


def target_of(organisation: Organisation) -> Target:
    """An organisation as the audit log names it."""
    return Target("org", organisation.name, organisation.pk)


class owner_stays:  # noqa: N801 - a context, read as a sentence
    """A transaction at whose end the organisation still has an owner, or Conflict.

    The trigger waits for whoever else is taking an owner away, so it sees what they did.
    """

    def __enter__(self) -> None:
        self._transaction = transaction.atomic()
        self._transaction.__enter__()

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        try:
            if kind is None:
                with connection.cursor() as cursor:
                    cursor.execute("SET CONSTRAINTS an_owner_stays IMMEDIATE")
                    cursor.execute("SET CONSTRAINTS an_owner_stays DEFERRED")
        except IntegrityError as problem:
            self._transaction.__exit__(type(problem), problem, None)
            raise Conflict(
                "An organisation needs an owner: make somebody else one first."
            ) from None
        self._transaction.__exit__(kind, error, traceback)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class OrganisationSettings:
    """What may be changed about an organisation; None leaves a thing as it is."""

    fullname: str | None = None
    about: str | None = None
    website: str | None = None
    default_role: Role | None = None
    default_visibility: str | None = None
    creators: Role | None = None


def change_settings(
    *, organisation: Organisation, settings: OrganisationSettings, by: Principal
) -> None:
    """Change profile and defaults of an organisation.

    Raises:
        Forbidden: ``by`` is no admin of it.
        Invalid: a value cannot be.
    """
    check_in(by, Action.ORG_MANAGE, organisation)
    wanted = {name: value for name, value in asdict(settings).items() if value is not None}
    _check(settings)
    old = {name: getattr(organisation, name) for name in wanted}
    for name, value in wanted.items():
        setattr(organisation, name, value)
    changes = {
        name: {"old": old[name], "new": value}
        for name, value in wanted.items()
        if old[name] != value
    }
    with transaction.atomic():
        organisation.save(update_fields=list(wanted))
        if changes:
            audit.record(
                "org.update_settings",
                by=by.user,
                namespace=organisation.namespace,
                target=target_of(organisation),
                details=changes,
            )


def _check(settings: OrganisationSettings) -> None:
    if settings.default_role is not None and settings.default_role > Role.WRITE:
        raise Invalid("New members may be no admins by default.")
    if settings.creators is not None and settings.creators < Role.CONTRIBUTOR:
        raise Invalid("Repos may be made by contributors, writers or admins.")
    visibilities = Organisation.Visibility.values
    if settings.default_visibility not in {None, *visibilities}:
        raise Invalid(f"default_visibility must be one of {', '.join(visibilities)}.")
    if settings.about is not None and len(settings.about) > MAX_ABOUT:
        raise Invalid(f"about must have at most {MAX_ABOUT} characters.")
    if settings.website:
        check_website(settings.website)


def close(*, organisation: Organisation, by: Principal) -> None:
    """End an organisation; its name stays taken. Whether it still owns repos is not asked here.

    A name that another could take would lead old links and scripts to theirs.

    Raises:
        Forbidden: ``by`` does not own it.
    """
    check_can_close(organisation, by)
    namespace, target = organisation.namespace, target_of(organisation)
    with transaction.atomic():
        audit.record("org.delete", by=by.user, namespace=namespace, target=target)
        organisation.delete()
        retire(namespace)


def check_can_close(organisation: Organisation, by: Principal) -> None:
    """Refuse unless ``by`` owns the organisation.

    Raises:
        Forbidden: they do not.
    """
    check_in(by, Action.ORG_OWN, organisation)


def keep(namespace: Namespace) -> None:
    """Let nobody close what owns ``namespace`` before the caller's transaction ends.

    Raises:
        NotFound: somebody just did.
    """
    query = "SELECT 1 FROM teams_namespace WHERE id = %s AND kind <> 'retired' FOR KEY SHARE"
    if sql.row(query, [namespace.pk]) is None:
        raise NotFound(f"There is no user or organisation called {namespace.name}.")


def retire(namespace: Namespace) -> None:
    """Keep a name from being taken, and let it own nothing that would act on its own."""
    namespace.grants.all().delete()
    namespace.groups.all().delete()
    Namespace.objects.filter(pk=namespace.pk).update(kind=Namespace.Kind.RETIRED)
