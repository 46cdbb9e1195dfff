"""What hub itself does about its own news."""

from django.dispatch import receiver

from hub.services import delivering
from hub.services.outbox import announced


@receiver(announced)
def wake_a_sender(**_news: object) -> None:
    """Whoever watches the repo is told within the second, not at the next sweep."""
    delivering.ring()
