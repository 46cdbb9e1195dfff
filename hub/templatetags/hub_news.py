"""What every page says to whoever is signed in."""

from django import template

from hub.queries.notifications import unread_count
from teams.models import User

register = template.Library()


@register.simple_tag
def unread(viewer: User) -> int:
    """How many notifications wait."""
    return unread_count(viewer)
