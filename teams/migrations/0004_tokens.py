import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("teams", "0003_organisations"),
    ]

    operations = [
        migrations.CreateModel(
            name="DeviceCode",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("device_digest", models.BinaryField(max_length=32, unique=True)),
                ("user_digest", models.BinaryField(max_length=32, unique=True)),
                ("client_id", models.CharField(max_length=64)),
                ("told", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField()),
                ("interval", models.SmallIntegerField(default=5)),
                ("asked_at", models.DateTimeField(null=True)),
                ("denied_at", models.DateTimeField(null=True)),
                ("spent_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="TokenPolicy",
            fields=[
                (
                    "organisation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="token_policy",
                        serialize=False,
                        to="teams.organisation",
                    ),
                ),
                (
                    "takes",
                    models.CharField(
                        choices=[
                            ("any", "Any token of a member"),
                            ("fine", "Only fine-grained tokens"),
                            ("approved", "Only fine-grained tokens that an admin approved"),
                        ],
                        default="any",
                        max_length=8,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TokenReview",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("approved", models.BooleanField()),
                ("at", models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.CreateModel(
            name="TokenScope",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("repo_id", models.BigIntegerField(null=True)),
                (
                    "permissions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=32), size=None
                    ),
                ),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="accesstoken",
            name="token_role_is_known",
        ),
        migrations.AddField(
            model_name="accesstoken",
            name="made_for",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.AddField(
            model_name="accesstoken",
            name="origin",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "made by its owner"),
                    ("oauth", "a sign-in from a terminal"),
                    ("oidc", "an identity token of a CI system"),
                    ("job", "a job"),
                ],
                db_default="",
                default="",
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="accesstoken",
            name="role",
            field=models.CharField(
                choices=[("read", "Read"), ("write", "Write"), ("fineGrained", "Fine Grained")],
                max_length=16,
            ),
        ),
        migrations.AddIndex(
            model_name="accesstoken",
            index=models.Index(
                models.F("made_for"),
                condition=models.Q(("made_for", ""), _negated=True),
                name="token_made_for",
            ),
        ),
        migrations.AddIndex(
            model_name="accesstoken",
            index=models.Index(models.F("user"), models.F("created_at"), name="token_by_user"),
        ),
        migrations.AddConstraint(
            model_name="accesstoken",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__in", ["read", "write", "fineGrained"])),
                name="token_role_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="accesstoken",
            constraint=models.CheckConstraint(
                condition=models.Q(("origin__in", ["", "oauth", "oidc", "job"])),
                name="token_origin_is_known",
            ),
        ),
        migrations.AddField(
            model_name="devicecode",
            name="user",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="tokenpolicy",
            constraint=models.CheckConstraint(
                condition=models.Q(("takes__in", ["any", "fine", "approved"])),
                name="token_policy_is_known",
            ),
        ),
        migrations.AddField(
            model_name="tokenreview",
            name="by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="tokenreview",
            name="organisation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="token_reviews",
                to="teams.organisation",
            ),
        ),
        migrations.AddField(
            model_name="tokenreview",
            name="token",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="reviews",
                to="teams.accesstoken",
            ),
        ),
        migrations.AddField(
            model_name="tokenscope",
            name="namespace",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="token_scopes",
                to="teams.namespace",
            ),
        ),
        migrations.AddField(
            model_name="tokenscope",
            name="token",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="scopes",
                to="teams.accesstoken",
            ),
        ),
        migrations.AddIndex(
            model_name="devicecode",
            index=models.Index(models.F("expires_at"), name="device_code_by_end"),
        ),
        migrations.AddConstraint(
            model_name="devicecode",
            constraint=models.CheckConstraint(
                condition=models.Q(("user", None), ("denied_at", None), _connector="OR"),
                name="device_is_let_in_or_not",
            ),
        ),
        migrations.AddConstraint(
            model_name="tokenreview",
            constraint=models.UniqueConstraint(
                models.F("organisation"), models.F("token"), name="one_review_per_token"
            ),
        ),
        migrations.AddIndex(
            model_name="tokenscope",
            index=models.Index(
                models.F("repo_id"),
                condition=models.Q(("repo_id__isnull", False)),
                name="scope_by_repo",
            ),
        ),
        migrations.AddConstraint(
            model_name="tokenscope",
            constraint=models.UniqueConstraint(
                models.F("token"),
                models.F("namespace"),
                models.F("repo_id"),
                name="one_scope_per_thing",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="tokenscope",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("repo_id", None), ("namespace__isnull", False), _connector="OR"
                ),
                name="scope_of_a_repo_names_its_owner",
            ),
        ),
    ]
