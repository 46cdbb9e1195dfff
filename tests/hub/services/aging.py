"""Let time pass: everything that happened so far lies further back."""

from datetime import timedelta

from hub.models import sql

_TIMES = {
    "hub_blob": ("created_at", "touched_at", "condemned_at"),
    "hub_repoblob": ("created_at", "touched_at"),
    "hub_xorb": ("created_at", "touched_at", "condemned_at"),
    "hub_xetshard": ("created_at", "touched_at", "condemned_at"),
    "hub_xetfile": ("created_at",),
    "hub_xetrepofile": ("created_at", "touched_at"),
}


def let_pass(time: timedelta) -> None:
    for table, columns in _TIMES.items():
        changes = ", ".join(f"{column} = {column} - %(time)s" for column in columns)
        sql.run(f"UPDATE {table} SET {changes}", {"time": time})


def days(count: float) -> None:
    let_pass(timedelta(days=count))
