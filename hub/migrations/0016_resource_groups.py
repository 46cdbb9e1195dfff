"""Repos in resource groups; and the database holds what grants on repos refer to."""

import django.db.models.deletion
from django.db import migrations, models

GROUPS_OF_THEIR_OWNERS = """
ALTER TABLE hub_repo ADD CONSTRAINT repo_in_a_group_of_its_owner
    FOREIGN KEY (resource_group_id, namespace_id) REFERENCES teams_resourcegroup (id, namespace_id)
    DEFERRABLE INITIALLY DEFERRED;
"""
GRANTS_END_WITH_REPOS = """
ALTER TABLE teams_grant ADD CONSTRAINT grant_on_a_repo_that_is_there
    FOREIGN KEY (repo_id) REFERENCES hub_repo (id) ON DELETE CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("hub", "0015_webhook_presets"),
        ("teams", "0003_organisations"),
    ]

    operations = [
        migrations.AddField(
            model_name="repo",
            name="resource_group",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="repos",
                to="teams.resourcegroup",
            ),
        ),
        migrations.AddField(
            model_name="event",
            name="group_id",
            field=models.BigIntegerField(null=True),
        ),
        migrations.RunSQL(
            GROUPS_OF_THEIR_OWNERS,
            "ALTER TABLE hub_repo DROP CONSTRAINT repo_in_a_group_of_its_owner",
        ),
        migrations.RunSQL(
            GRANTS_END_WITH_REPOS,
            "ALTER TABLE teams_grant DROP CONSTRAINT grant_on_a_repo_that_is_there",
        ),
    ]
