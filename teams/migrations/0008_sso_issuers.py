from django.db import migrations, models

FILL = """
UPDATE teams_ssoidentity i SET issuer = p.issuer FROM teams_identityprovider p
WHERE p.organisation_id = i.organisation_id
"""


class Migration(migrations.Migration):
    dependencies = [
        ("teams", "0007_sso"),
    ]

    operations = [
        migrations.AddField(
            model_name="ssoidentity",
            name="issuer",
            field=models.CharField(db_default="", default="", max_length=500),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RemoveConstraint(
            model_name="ssoidentity",
            name="one_user_per_sso_subject",
        ),
        migrations.AddConstraint(
            model_name="ssoidentity",
            constraint=models.UniqueConstraint(
                models.F("organisation"),
                models.F("issuer"),
                models.F("subject"),
                name="one_user_per_subject_of_an_issuer",
            ),
        ),
        migrations.AddIndex(
            model_name="mail",
            index=models.Index(models.F("to"), models.F("created_at"), name="mail_by_address"),
        ),
    ]
