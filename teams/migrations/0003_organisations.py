"""Owners, teams, resource groups, grants; invitations, mail, profiles."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import teams.models.grant

# A transaction waits here for one that takes another owner away, and then sees what it did.
AN_OWNER_STAYS = """
CREATE FUNCTION teams_an_owner_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM teams_organisation WHERE id = OLD.organisation_id FOR NO KEY UPDATE;
    IF FOUND AND NOT EXISTS (
        SELECT FROM teams_membership WHERE organisation_id = OLD.organisation_id AND is_owner)
    THEN
        RAISE EXCEPTION 'an organisation keeps an owner'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'an_owner_stays';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER an_owner_stays AFTER UPDATE OR DELETE ON teams_membership
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.is_owner)
    EXECUTE FUNCTION teams_an_owner_stays();
"""
NO_OWNER_STAYS = """
DROP TRIGGER an_owner_stays ON teams_membership;
DROP FUNCTION teams_an_owner_stays();
"""

GROUPS_OF_THEIR_OWNERS = """
ALTER TABLE teams_grant ADD CONSTRAINT grant_on_a_group_of_its_owner
    FOREIGN KEY (group_id, namespace_id) REFERENCES teams_resourcegroup (id, namespace_id)
    ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
"""

REACH = """
CREATE VIEW teams_reach AS
SELECT g.id, g.user_id, g.namespace_id, g.group_id, g.repo_id, g.role, g.kinds
FROM teams_grant g
WHERE g.user_id IS NOT NULL AND (g.expires_at IS NULL OR g.expires_at > now())
UNION ALL
SELECT g.id, m.user_id, g.namespace_id, g.group_id, g.repo_id, g.role, g.kinds
FROM teams_grant g
JOIN teams_teammember t ON t.team_id = g.team_id
JOIN teams_membership m ON m.id = t.membership_id
WHERE g.expires_at IS NULL OR g.expires_at > now();
"""

OWNERS = "UPDATE teams_membership SET is_owner = true WHERE role = 4"


class Migration(migrations.Migration):
    dependencies = [
        ("teams", "0002_audit"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="namespace", name="namespace_kind_is_known"),
        migrations.AlterField(
            model_name="namespace",
            name="kind",
            field=models.CharField(
                choices=[("user", "User"), ("org", "Organisation"), ("retired", "Retired")],
                max_length=8,
            ),
        ),
        migrations.AddConstraint(
            model_name="namespace",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["user", "org", "retired"])),
                name="namespace_kind_is_known",
            ),
        ),
        migrations.CreateModel(
            name="Reach",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("repo_id", models.BigIntegerField(null=True)),
                ("role", models.SmallIntegerField()),
                (
                    "kinds",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=8), size=None
                    ),
                ),
            ],
            options={
                "db_table": "teams_reach",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Grant",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("repo_id", models.BigIntegerField(db_index=True, null=True)),
                (
                    "role",
                    models.SmallIntegerField(
                        choices=[
                            (0, "no_access"),
                            (1, "read"),
                            (2, "contributor"),
                            (3, "write"),
                            (4, "admin"),
                        ]
                    ),
                ),
                (
                    "kinds",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=8),
                        default=teams.models.grant.every_kind,
                        size=None,
                    ),
                ),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("email", models.EmailField(blank=True, max_length=254)),
                (
                    "role",
                    models.SmallIntegerField(
                        choices=[
                            (0, "no_access"),
                            (1, "read"),
                            (2, "contributor"),
                            (3, "write"),
                            (4, "admin"),
                        ]
                    ),
                ),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Mail",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("to", models.EmailField(max_length=254)),
                ("subject", models.CharField(max_length=200)),
                ("text", models.TextField(blank=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("sent", "Sent"), ("failed", "Failed")],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("attempts", models.SmallIntegerField(default=0)),
                (
                    "due_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("error", models.CharField(blank=True, max_length=300)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("sent_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="ResourceGroup",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=80)),
                ("description", models.CharField(blank=True, max_length=300)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="Team",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=80)),
                ("description", models.CharField(blank=True, max_length=300)),
                (
                    "source",
                    models.CharField(
                        choices=[("here", "Here"), ("scim", "Scim")], default="here", max_length=8
                    ),
                ),
                ("external_id", models.CharField(blank=True, max_length=255)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="TeamMember",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="membership",
            name="is_owner",
            field=models.BooleanField(default=False),
        ),
        migrations.RunSQL(OWNERS, migrations.RunSQL.noop),
        migrations.AddField(
            model_name="membership",
            name="may_manage_teams",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="membership",
            name="source",
            field=models.CharField(
                choices=[("invite", "Invite"), ("sso", "Sso"), ("scim", "Scim")],
                default="invite",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="organisation",
            name="about",
            field=models.CharField(blank=True, max_length=500),
        ),
        migrations.AddField(
            model_name="organisation",
            name="creators",
            field=models.SmallIntegerField(
                choices=[
                    (0, "no_access"),
                    (1, "read"),
                    (2, "contributor"),
                    (3, "write"),
                    (4, "admin"),
                ],
                default=2,
            ),
        ),
        migrations.AddField(
            model_name="organisation",
            name="default_role",
            field=models.SmallIntegerField(
                choices=[
                    (0, "no_access"),
                    (1, "read"),
                    (2, "contributor"),
                    (3, "write"),
                    (4, "admin"),
                ],
                default=1,
            ),
        ),
        migrations.AddField(
            model_name="organisation",
            name="default_visibility",
            field=models.CharField(
                choices=[("public", "Public"), ("private", "Private")],
                default="public",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="organisation",
            name="website",
            field=models.URLField(blank=True),
        ),
        migrations.AddField(
            model_name="user",
            name="about",
            field=models.CharField(blank=True, max_length=500),
        ),
        migrations.AddField(
            model_name="user",
            name="website",
            field=models.URLField(blank=True),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_owner", False), ("role", 4), _connector="OR"),
                name="an_owner_is_an_admin",
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(("may_manage_teams", False), ("role", 3), _connector="OR"),
                name="a_maintainer_writes",
            ),
        ),
        migrations.AddConstraint(
            model_name="organisation",
            constraint=models.CheckConstraint(
                condition=models.Q(("creators__gte", 2), ("creators__lte", 4)),
                name="creators_may_create",
            ),
        ),
        migrations.AddConstraint(
            model_name="organisation",
            constraint=models.CheckConstraint(
                condition=models.Q(("default_role__gte", 0), ("default_role__lte", 3)),
                name="nobody_is_admin_by_default",
            ),
        ),
        migrations.AddConstraint(
            model_name="organisation",
            constraint=models.CheckConstraint(
                condition=models.Q(("default_visibility__in", ["public", "private"])),
                name="default_visibility_is_known",
            ),
        ),
        migrations.AddField(
            model_name="grant",
            name="created_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="grant",
            name="namespace",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="grants",
                to="teams.namespace",
            ),
        ),
        migrations.AddField(
            model_name="grant",
            name="user",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="grants",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="accepted_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="created_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="organisation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="invitations",
                to="teams.organisation",
            ),
        ),
        migrations.AddIndex(
            model_name="mail",
            index=models.Index(
                models.F("due_at"), condition=models.Q(("state", "waiting")), name="mail_due"
            ),
        ),
        migrations.AddConstraint(
            model_name="mail",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["waiting", "sent", "failed"])),
                name="mail_state_is_known",
            ),
        ),
        migrations.AddField(
            model_name="resourcegroup",
            name="namespace",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="groups",
                to="teams.namespace",
            ),
        ),
        migrations.AddField(
            model_name="grant",
            name="group",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="grants",
                to="teams.resourcegroup",
            ),
        ),
        migrations.AddField(
            model_name="team",
            name="organisation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="teams",
                to="teams.organisation",
            ),
        ),
        migrations.AddField(
            model_name="grant",
            name="team",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="grants",
                to="teams.team",
            ),
        ),
        migrations.AddField(
            model_name="teammember",
            name="membership",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="team_rows",
                to="teams.membership",
            ),
        ),
        migrations.AddField(
            model_name="teammember",
            name="team",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="member_rows",
                to="teams.team",
            ),
        ),
        migrations.AddField(
            model_name="team",
            name="members",
            field=models.ManyToManyField(
                related_name="teams", through="teams.TeamMember", to="teams.membership"
            ),
        ),
        migrations.AddIndex(
            model_name="invitation",
            index=models.Index(
                models.F("organisation"),
                models.F("id"),
                condition=models.Q(("accepted_at", None), ("revoked_at", None)),
                name="invitation_waiting",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__in", [0, 1, 2, 3, 4])), name="invitation_role_is_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="resourcegroup",
            constraint=models.UniqueConstraint(
                models.F("namespace"),
                django.db.models.functions.text.Lower("name"),
                name="one_group_per_name",
            ),
        ),
        migrations.AddConstraint(
            model_name="resourcegroup",
            constraint=models.UniqueConstraint(
                fields=("id", "namespace"), name="group_of_its_owner"
            ),
        ),
        migrations.AddConstraint(
            model_name="grant",
            constraint=models.UniqueConstraint(
                models.F("user"), models.F("repo_id"), name="one_grant_per_user_and_repo"
            ),
        ),
        migrations.AddConstraint(
            model_name="grant",
            constraint=models.UniqueConstraint(
                models.F("user"), models.F("group"), name="one_grant_per_user_and_group"
            ),
        ),
        migrations.AddConstraint(
            model_name="grant",
            constraint=models.UniqueConstraint(
                models.F("team"), models.F("repo_id"), name="one_grant_per_team_and_repo"
            ),
        ),
        migrations.AddConstraint(
            model_name="grant",
            constraint=models.UniqueConstraint(
                models.F("team"), models.F("group"), name="one_grant_per_team_and_group"
            ),
        ),
        migrations.AddConstraint(
            model_name="grant",
            constraint=models.UniqueConstraint(
                condition=models.Q(("group", None), ("repo_id", None)),
                fields=("team",),
                name="one_grant_per_team_on_all",
            ),
        ),
        migrations.AddConstraint(
            model_name="grant",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("user__isnull", True), ("team__isnull", True), _connector="XOR"
                ),
                name="a_grant_is_to_a_user_or_a_team",
            ),
        ),
        migrations.AddConstraint(
            model_name="grant",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("group__isnull", True), ("repo_id__isnull", True), _connector="OR"
                ),
                name="a_grant_is_on_a_group_or_a_repo",
            ),
        ),
        migrations.AddConstraint(
            model_name="grant",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("group__isnull", False),
                    ("repo_id__isnull", False),
                    models.Q(("role__lte", 3), ("team__isnull", False)),
                    _connector="OR",
                ),
                name="on_all_only_teams_and_no_admins",
            ),
        ),
        migrations.AddConstraint(
            model_name="grant",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__gte", 1), ("role__lte", 4)),
                name="a_grant_gives_something",
            ),
        ),
        migrations.AddConstraint(
            model_name="grant",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kinds__contained_by", ["model", "dataset", "space"]), ("kinds__len__gt", 0)
                ),
                name="kinds_are_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="teammember",
            constraint=models.UniqueConstraint(
                models.F("team"), models.F("membership"), name="once_in_a_team"
            ),
        ),
        migrations.AddConstraint(
            model_name="team",
            constraint=models.UniqueConstraint(
                models.F("organisation"),
                django.db.models.functions.text.Lower("name"),
                name="one_team_per_name",
            ),
        ),
        migrations.RunSQL(AN_OWNER_STAYS, NO_OWNER_STAYS),
        migrations.RunSQL(
            GROUPS_OF_THEIR_OWNERS,
            "ALTER TABLE teams_grant DROP CONSTRAINT grant_on_a_group_of_its_owner",
        ),
        migrations.RunSQL(REACH, "DROP VIEW teams_reach"),
    ]
