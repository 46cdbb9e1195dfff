"""Verdicts of scanners. What is there already waits for its first one."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

QUEUE_ALL = """
INSERT INTO hub_scan (repo_id, key)
SELECT DISTINCT o.repo_id, coalesce(o.lfs_oid, o.oid) FROM git_object o
JOIN hub_repo r ON r.id = o.repo_id WHERE o.kind = 3
ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [
        ("hub", "0016_resource_groups"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Scan",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.BinaryField(max_length=32)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("safe", "Safe"),
                            ("caution", "Caution"),
                            ("error", "Error"),
                            ("suspicious", "Suspicious"),
                            ("unsafe", "Unsafe"),
                        ],
                        db_default="queued",
                        max_length=10,
                    ),
                ),
                ("before", models.CharField(blank=True, db_default="", default="", max_length=10)),
                ("rules", models.IntegerField(db_default=0)),
                ("details", models.JSONField(db_default={})),
                ("attempts", models.SmallIntegerField(db_default=0)),
                ("claimed_until", models.DateTimeField(null=True)),
                ("scanned_at", models.DateTimeField(null=True)),
                ("released_at", models.DateTimeField(null=True)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "released_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "repo",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="scans",
                        to="hub.repo",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("id"), condition=models.Q(("state", "queued")), name="scan_queued"
                    ),
                    models.Index(
                        models.F("repo"),
                        models.F("id"),
                        condition=models.Q(
                            ("state__in", ["caution", "error", "suspicious", "unsafe"])
                        ),
                        name="scan_with_issue",
                    ),
                    models.Index(
                        models.F("rules"),
                        models.F("id"),
                        condition=models.Q(("state", "queued"), _negated=True),
                        name="scan_by_rules",
                    ),
                    models.Index(
                        models.F("key"),
                        condition=models.Q(("state", "queued"), _negated=True),
                        name="scan_by_key",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        models.F("repo"), models.F("key"), name="one_scan_per_repo_and_file"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                ["queued", "safe", "caution", "error", "suspicious", "unsafe"],
                            )
                        ),
                        name="scan_state_is_known",
                    ),
                ],
            },
        ),
        migrations.RunSQL(QUEUE_ALL, migrations.RunSQL.noop),
    ]
