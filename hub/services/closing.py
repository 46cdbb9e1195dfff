"""Close organisations and accounts: nobody's repos are left without an owner."""

from django.db import transaction

from hub.models import Repo, Webhook
from teams.errors import Conflict
from teams.models import Namespace, Organisation, User
from teams.policies import Principal
from teams.services import accounts, organisations


def close_organisation(*, organisation: Organisation, by: Principal) -> None:
    """End an organisation that owns no repo any more.

    Raises:
        Forbidden: ``by`` does not own it.
        Conflict: it still owns repos.
    """
    namespace = organisation.namespace
    with transaction.atomic():
        # First who may: what it owns is for no stranger to find out.
        organisations.check_can_close(organisation, by)
        _let_go(namespace)
        organisations.close(organisation=organisation, by=by)


def close_account(*, user: User, by: User | None) -> None:
    """End an account that owns no repo, and is the only owner of no organisation.

    Raises:
        Conflict: tells what has to be given away or deleted first.
    """
    with transaction.atomic():
        _let_go(user.namespace)
        accounts.close(user=user, by=by)


def _let_go(namespace: Namespace) -> None:
    """Whoever creates a repo in it holds the row until they are done: so none comes meanwhile."""
    Namespace.objects.select_for_update().get(pk=namespace.pk)
    number = Repo.objects.filter(namespace=namespace).count()
    if number:
        raise Conflict(
            f"{namespace} still owns {number} repo{'s' if number > 1 else ''}. Move or delete "
            "them first."
        )
    Webhook.objects.filter(namespace=namespace).delete()
    namespace.collections.all().delete()
