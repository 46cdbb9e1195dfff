"""Tokens of this hub that somebody published: they are revoked at once, and their owner is told."""

from collections.abc import Iterable

from django.conf import settings
from django.utils import timezone

from hub.models import Repo, sql
from hub.scanning.verdicts import Verdict
from teams.models import AccessToken
from teams.services import mail
from teams.services.audit import Target, record

# Who is opening the repo at this moment is waited for; who does it later finds the verdicts.
_LOOK = "SELECT visibility FROM hub_repo WHERE id = %s FOR NO KEY UPDATE"


def revoke(repo: Repo, verdicts: Iterable[Verdict]) -> int:
    """End, in the caller's transaction, the live tokens in these files of a public repo.

    Answers how many there were. What is in a private repo its readers know already.
    """
    digests = [bytes.fromhex(one) for verdict in verdicts for one in verdict.leaked]
    if not digests or sql.row(_LOOK, [repo.pk]) != ("public",):
        return 0
    found = AccessToken.objects.filter(digest__in=digests, revoked_at=None)
    live = list(found.select_related("user__namespace"))
    for token in live:
        AccessToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
        _tell(token, repo)
    return len(live)


def _tell(token: AccessToken, repo: Repo) -> None:
    record(
        "token.revoke_leaked",
        by=None,
        namespace=token.user.namespace_id,
        target=Target("token", token.name, token.pk),
        details={"repo": repo.full_name},
    )
    if token.user.email:
        origin = settings.PUBLIC_URL or settings.INTERNAL_URL
        mail.write(
            to=token.user.email,
            subject="Your access token was published, and is revoked",
            text=f"The access token {token.name!r} (…{token.last4}) is in a file of the public "
            f"repo {repo.full_name}, where anybody could read it. It was revoked at once.\n\n"
            f"Look for what was done with it: {origin}/settings/tokens\n"
            f"The file: {origin}{repo.url}/security\n",
        )
