"""A snapshot knows when a branch or tag last came to it."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("datasets_app", "0002_recipes")]

    operations = [
        migrations.AddField(
            model_name="snapshot",
            name="seen_at",
            field=models.DateTimeField(default=django.utils.timezone.now),
        )
    ]
