"""Organisation: the other owner of a namespace."""

from django.db import models

from teams.models.namespace import Namespace
from teams.models.user import User
from teams.names import public_id


class Organisation(models.Model):
    """A group of users who own repos together."""

    namespace = models.OneToOneField(
        Namespace, on_delete=models.PROTECT, related_name="organisation"
    )
    fullname = models.CharField(max_length=150, blank=True)
    members = models.ManyToManyField(User, through="teams.Membership", related_name="organisations")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return self.namespace.name

    @property
    def public_id(self) -> str:
        """24 hex digits, the shape in which clients expect ids."""
        return public_id(self.namespace_id)
