"""Organisation: the other owner of a namespace."""

from django.db import models

from teams.models.namespace import Namespace
from teams.models.user import User
from teams.names import public_id
from teams.roles import Role

MAX_ABOUT = 500


class Organisation(models.Model):
    """A group of users who own repos together."""

    class Visibility(models.TextChoices):
        PUBLIC = "public"
        PRIVATE = "private"

    namespace = models.OneToOneField(
        Namespace, on_delete=models.PROTECT, related_name="organisation"
    )
    fullname = models.CharField(max_length=150, blank=True)
    about = models.CharField(max_length=MAX_ABOUT, blank=True)
    website = models.URLField(max_length=200, blank=True)
    default_role = models.SmallIntegerField(
        choices=[(role.value, role.label) for role in Role], default=Role.READ.value
    )
    """Of new members, if nothing else is said."""
    default_visibility = models.CharField(
        max_length=8, choices=Visibility.choices, default=Visibility.PUBLIC
    )
    """Of new repos, if nothing else is said."""
    creators = models.SmallIntegerField(
        choices=[(role.value, role.label) for role in Role], default=Role.CONTRIBUTOR.value
    )
    """The least role that makes new repos."""
    members = models.ManyToManyField(User, through="teams.Membership", related_name="organisations")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    creators__gte=Role.CONTRIBUTOR.value, creators__lte=Role.ADMIN.value
                ),
                name="creators_may_create",
            ),
            models.CheckConstraint(
                condition=models.Q(default_role__gte=0, default_role__lte=Role.WRITE.value),
                name="nobody_is_admin_by_default",
            ),
            models.CheckConstraint(
                condition=models.Q(default_visibility__in=["public", "private"]),
                name="default_visibility_is_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return self.namespace.name

    @property
    def public_id(self) -> str:
        """24 hex digits, the shape in which clients expect ids."""
        return public_id(self.namespace_id)
