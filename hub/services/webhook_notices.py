"""Tell the owners of a webhook that it fails, or that it was disabled for that."""

from hub.models import Webhook, sql
from teams.models import Membership, User
from teams.roles import Role

FAILING = "webhook.failing"
DISABLED = "webhook.disabled"

_TELL = """
INSERT INTO hub_notification (user_id, webhook_id, reason, told, actor, count)
SELECT u.id, %(webhook)s, 'owner', %(told)s, '', 1 FROM unnest(%(users)s::bigint[]) AS u(id)
ON CONFLICT (user_id, webhook_id) WHERE read_at IS NULL AND webhook_id IS NOT NULL
DO UPDATE SET told = excluded.told, updated_at = statement_timestamp(),
    count = hub_notification.count + 1
"""


def tell(webhook: Webhook, told: str) -> None:
    """Notify the user whose it is, or the admins of the organisation.

    News that they did not read yet is replaced.
    """
    owner = User.objects.filter(namespace=webhook.namespace_id)
    admins = Membership.objects.filter(
        organisation__namespace=webhook.namespace_id, role=Role.ADMIN
    )
    users = {user.pk for user in owner} | set(admins.values_list("user_id", flat=True))
    if users:
        sql.run(_TELL, {"webhook": webhook.pk, "told": told, "users": sorted(users)})
