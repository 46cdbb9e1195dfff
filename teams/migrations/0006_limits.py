"""What a namespace may hold, whether reads of it are logged; and who sent how many requests."""

from django.db import migrations, models

# Unlogged: counting costs no write to the journal, and after a crash everybody begins anew.
RATES = """
CREATE UNLOGGED TABLE teams_rate (
    bearer text COLLATE "C" NOT NULL,
    span bigint NOT NULL,
    requests bigint NOT NULL,
    PRIMARY KEY (bearer, span)
) WITH (fillfactor = 70);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("teams", "0005_scan_policy"),
    ]

    operations = [
        migrations.AddField(
            model_name="namespace",
            name="quota_bytes",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="namespace",
            name="audits_reads",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddConstraint(
            model_name="namespace",
            constraint=models.CheckConstraint(
                condition=models.Q(("quota_bytes", None), ("quota_bytes__gte", 0), _connector="OR"),
                name="quota_is_natural",
            ),
        ),
        migrations.RunSQL(RATES, "DROP TABLE teams_rate"),
    ]
