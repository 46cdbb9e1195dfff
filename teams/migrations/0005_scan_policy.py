"""How strict a namespace is about what scanners say of its files."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("teams", "0004_tokens"),
    ]

    operations = [
        migrations.AddField(
            model_name="namespace",
            name="scan_policy",
            field=models.CharField(blank=True, db_default="", default="", max_length=10),
        ),
        migrations.AddConstraint(
            model_name="namespace",
            constraint=models.CheckConstraint(
                condition=models.Q(("scan_policy__in", ["", "warn", "quarantine", "block"])),
                name="scan_policy_is_known",
            ),
        ),
    ]
