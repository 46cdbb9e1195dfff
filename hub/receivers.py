"""What hub itself does about its own news."""

from django.dispatch import receiver

from hub.events import RefsMoved, SettingsChanged
from hub.services import delivering, pull_requests, scanning
from hub.services.outbox import announced
from teams.models import User


@receiver(announced)
def wake_a_sender(**_news: object) -> None:
    """Whoever watches the repo is told within the second, not at the next sweep."""
    delivering.ring()


@receiver(announced, sender=RefsMoved)
def note_in_pull_requests(
    *, repo_id: int, news: RefsMoved, by: User | None, **_rest: object
) -> None:
    """A commit to a pull request is a part of its story; to one that is over it is refused."""
    if not news.is_rewrite:
        pull_requests.note_moves(repo_id, news.refs, by)


@receiver(announced, sender=RefsMoved)
def wake_a_scanner(**_news: object) -> None:
    """What was pushed is scanned within seconds, not at the next sweep."""
    scanning.ring()


@receiver(announced, sender=SettingsChanged)
def look_for_tokens(*, repo_id: int, news: SettingsChanged, **_rest: object) -> None:
    """What was published by opening a repo is as much in the open as what is pushed to it."""
    if news.private is False:
        scanning.look_again_for_tokens(repo_id)
