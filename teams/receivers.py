"""What accounts do about Django's own news: every way of signing in ends in the audit log."""

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.functions import Lower
from django.dispatch import receiver

from teams.models import User
from teams.services import audit
from teams.services.audit import record


@receiver(user_logged_in)
def note_sign_in(*, user: User, **_rest: object) -> None:
    audit.came_by("session")
    record("user.sign_in", by=user, namespace=user.namespace)


@receiver(user_logged_out)
def note_sign_out(*, user: User | None, **_rest: object) -> None:
    if user is not None:
        record("user.sign_out", by=user, namespace=user.namespace)


@receiver(user_login_failed)
def note_refused_sign_in(*, credentials: dict[str, object], **_rest: object) -> None:
    """In the log of the user whose name was tried; a name that nobody has is nobody's business."""
    name = str(credentials.get("username", ""))
    named = User.objects.alias(lower=Lower("namespace__name")).filter(lower=name.lower())
    if user := named.select_related("namespace").first():
        record("user.sign_in_refused", by=None, namespace=user.namespace)
