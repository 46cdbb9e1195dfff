"""User and its profile fields."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from teams.models.namespace import Namespace
from teams.names import public_id

MAX_FULLNAME = 150
MAX_ABOUT = 500


class UserManager(BaseUserManager["User"]):
    """Finds users by the name of their namespace, in any case."""

    def get_by_natural_key(self, username: str | None) -> "User":
        # Lower, not iexact, which compares in upper case: the unique index is in lower case.
        named = self.alias(lower=Lower("namespace__name")).filter(lower=(username or "").lower())
        return named.select_related("namespace").get()


class User(AbstractBaseUser):
    """A person (or a robot) who signs in. Its name is its namespace's name."""

    namespace = models.OneToOneField(Namespace, on_delete=models.PROTECT, related_name="user")
    fullname = models.CharField(max_length=MAX_FULLNAME, blank=True)
    email = models.EmailField(blank=True)
    about = models.CharField(max_length=MAX_ABOUT, blank=True)
    website = models.URLField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "namespace"

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return self.namespace.name

    @property
    def public_id(self) -> str:
        """24 hex digits, the shape in which clients expect ids."""
        return public_id(self.namespace_id)
