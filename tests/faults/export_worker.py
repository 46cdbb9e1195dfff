"""Works off all jobs of a hub, as its workers do, and takes those whose worker is dead at once."""

import django

django.setup()

from hub.models import sql  # noqa: E402 - Django comes first
from hub.services.working import work_off  # noqa: E402


def main() -> None:
    """Until nothing is due."""
    sql.run("UPDATE hub_job SET due = now() WHERE state = 'running'")
    while sum(work_off(queue) for queue in ("cpu", "heavy")):
        pass


if __name__ == "__main__":
    main()
