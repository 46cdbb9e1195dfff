import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("hub", "0018_trusted_publishers"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AccessRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("accepted", "Accepted"),
                            ("rejected", "Rejected"),
                        ],
                        max_length=8,
                    ),
                ),
                ("fields", models.JSONField(default=dict)),
                ("was_asked", models.BooleanField(default=True)),
                ("reason", models.CharField(blank=True, max_length=1000)),
                (
                    "asked_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("decided_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="notification",
            name="notification_is_of_one_thing",
        ),
        migrations.AddField(
            model_name="accessrequest",
            name="decided_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="accessrequest",
            name="repo",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="access_requests",
                to="hub.repo",
            ),
        ),
        migrations.AddField(
            model_name="accessrequest",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="access_requests",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="notification",
            name="access",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="hub.accessrequest",
            ),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("access__isnull", True),
                        ("discussion__isnull", False),
                        ("promotion__isnull", True),
                        ("repo__isnull", False),
                        ("webhook__isnull", True),
                    ),
                    models.Q(
                        ("access__isnull", True),
                        ("discussion__isnull", True),
                        ("promotion__isnull", False),
                        ("repo__isnull", False),
                        ("webhook__isnull", True),
                    ),
                    models.Q(
                        ("access__isnull", False),
                        ("discussion__isnull", True),
                        ("promotion__isnull", True),
                        ("repo__isnull", False),
                        ("webhook__isnull", True),
                    ),
                    models.Q(
                        ("access__isnull", True),
                        ("discussion__isnull", True),
                        ("promotion__isnull", True),
                        ("repo__isnull", True),
                        ("webhook__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="notification_is_of_one_thing",
            ),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.UniqueConstraint(
                models.F("user"),
                models.F("access"),
                condition=models.Q(("access__isnull", False), ("read_at", None)),
                name="one_unread_per_access_request",
            ),
        ),
        migrations.AddIndex(
            model_name="accessrequest",
            index=models.Index(
                models.F("repo"), models.F("status"), models.F("id"), name="access_by_status"
            ),
        ),
        migrations.AddIndex(
            model_name="accessrequest",
            index=models.Index(models.F("user"), models.F("id"), name="access_by_user"),
        ),
        migrations.AddConstraint(
            model_name="accessrequest",
            constraint=models.UniqueConstraint(
                models.F("repo"), models.F("user"), name="one_access_request_per_user"
            ),
        ),
        migrations.AddConstraint(
            model_name="accessrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["pending", "accepted", "rejected"])),
                name="access_status_is_known",
            ),
        ),
    ]
