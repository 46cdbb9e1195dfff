"""Team, ResourceGroup, Grant: who got which role on what; and Reach, the grants of each user."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower

from teams.models.membership import Membership
from teams.models.namespace import Namespace
from teams.models.organisation import Organisation
from teams.models.user import User
from teams.names import KINDS, public_id
from teams.roles import Role

MAX_TITLE = 80
MAX_DESCRIPTION = 300


def every_kind() -> list[str]:
    """All kinds of repos."""
    return list(KINDS)


class Team(models.Model):
    """Members of an organisation who get roles together."""

    class Source(models.TextChoices):
        """Who says who is in it."""

        HERE = "here"
        SCIM = "scim"

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="teams")
    name = models.CharField(max_length=MAX_TITLE)
    description = models.CharField(max_length=MAX_DESCRIPTION, blank=True)
    source = models.CharField(max_length=8, choices=Source.choices, default=Source.HERE)
    external_id = models.CharField(max_length=255, blank=True)
    """What an identity provider calls it."""
    created_at = models.DateTimeField(auto_now_add=True)
    members = models.ManyToManyField(Membership, through="teams.TeamMember", related_name="teams")

    class Meta:
        constraints = [
            models.UniqueConstraint("organisation", Lower("name"), name="one_team_per_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def public_id(self) -> str:
        """24 hex digits, the shape in which clients expect ids."""
        return public_id(self.pk)


class TeamMember(models.Model):
    """One member in one team; it ends with the membership, in the database itself."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="member_rows")
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="team_rows")

    class Meta:
        constraints = [
            models.UniqueConstraint("team", "membership", name="once_in_a_team"),
        ]

    def __str__(self) -> str:
        return f"{self.membership_id} in {self.team_id}"


class ResourceGroup(models.Model):
    """Repos of an organisation that only those see to whom it was granted, and admins."""

    namespace = models.ForeignKey(Namespace, on_delete=models.CASCADE, related_name="groups")
    name = models.CharField(max_length=MAX_TITLE)
    description = models.CharField(max_length=MAX_DESCRIPTION, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("namespace", Lower("name"), name="one_group_per_name"),
            # What refers to a group names its owner too, so that it never is another's.
            models.UniqueConstraint(fields=["id", "namespace"], name="group_of_its_owner"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def public_id(self) -> str:
        """24 hex digits, the shape in which clients expect ids."""
        return public_id(self.pk)


class Grant(models.Model):
    """A role of one user or one team: on a repo, a resource group, or all outside of groups.

    The repo is a number here: repos are another package's. There the database holds the reference.
    """

    namespace = models.ForeignKey(Namespace, on_delete=models.CASCADE, related_name="grants")
    """Whose things they are."""
    user = models.ForeignKey(
        User, null=True, on_delete=models.CASCADE, related_name="grants", db_index=False
    )
    team = models.ForeignKey(
        Team, null=True, on_delete=models.CASCADE, related_name="grants", db_index=False
    )
    group = models.ForeignKey(
        ResourceGroup, null=True, on_delete=models.CASCADE, related_name="grants"
    )
    repo_id = models.BigIntegerField(null=True, db_index=True)
    role = models.SmallIntegerField(choices=[(role.value, role.label) for role in Role])
    kinds = ArrayField(models.CharField(max_length=8), default=every_kind)
    """Of a group, or of all: on repos of these kinds only."""
    expires_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("user", "repo_id", name="one_grant_per_user_and_repo"),
            models.UniqueConstraint("user", "group", name="one_grant_per_user_and_group"),
            models.UniqueConstraint("team", "repo_id", name="one_grant_per_team_and_repo"),
            models.UniqueConstraint("team", "group", name="one_grant_per_team_and_group"),
            models.UniqueConstraint(
                fields=["team"],
                condition=models.Q(group=None, repo_id=None),
                name="one_grant_per_team_on_all",
            ),
            models.CheckConstraint(
                condition=models.Q(user__isnull=True) ^ models.Q(team__isnull=True),
                name="a_grant_is_to_a_user_or_a_team",
            ),
            models.CheckConstraint(
                condition=models.Q(group__isnull=True) | models.Q(repo_id__isnull=True),
                name="a_grant_is_on_a_group_or_a_repo",
            ),
            # A user has a role in all of an organisation by membership, and admins are members.
            models.CheckConstraint(
                condition=models.Q(group__isnull=False)
                | models.Q(repo_id__isnull=False)
                | models.Q(team__isnull=False, role__lte=Role.WRITE.value),
                name="on_all_only_teams_and_no_admins",
            ),
            models.CheckConstraint(
                condition=models.Q(role__gte=Role.READ.value, role__lte=Role.ADMIN.value),
                name="a_grant_gives_something",
            ),
            models.CheckConstraint(
                condition=models.Q(kinds__contained_by=list(KINDS), kinds__len__gt=0),
                name="kinds_are_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{Role(self.role).label} for {self.user or self.team}"


class Reach(models.Model):
    """A view: every grant that holds now, once for each user whom it reaches, teams expanded.

    It is what both forms of the rule read, for one repo and for lists.
    """

    user = models.ForeignKey(User, on_delete=models.DO_NOTHING, related_name="+")
    namespace = models.ForeignKey(Namespace, on_delete=models.DO_NOTHING, related_name="+")
    group = models.ForeignKey(
        ResourceGroup, null=True, on_delete=models.DO_NOTHING, related_name="+"
    )
    repo_id = models.BigIntegerField(null=True)
    role = models.SmallIntegerField()
    kinds = ArrayField(models.CharField(max_length=8))

    class Meta:
        managed = False
        db_table = "teams_reach"

    def __str__(self) -> str:
        return f"{Role(self.role).label} for {self.user_id}"
