"""Keep objects of up to 4 KB on the page of their row: off it each of them costs a look-up more."""

from django.db import migrations

PARTITIONS = 64
ROW_BYTES = 4080
"""Two rows to a page. Folders of a hundred files are there, which were not."""


def altered(action: str) -> str:
    return "".join(f"ALTER TABLE git_object_{n:02} {action};" for n in range(PARTITIONS))


class Migration(migrations.Migration):
    dependencies = [("hub", "0009_collections")]

    operations = [
        migrations.RunSQL(
            altered(f"SET (toast_tuple_target = {ROW_BYTES})"),
            altered("RESET (toast_tuple_target)"),
        ),
    ]
