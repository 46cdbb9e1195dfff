"""The address under which clients reach us: every absolute link is built from it."""

from django.conf import settings
from django.http import HttpRequest


def base_url(request: HttpRequest) -> str:
    """Answer scheme, host and port, with no slash at the end.

    The configured URL wins; without one it is what the caller asked for, since clients compare the
    origin of our links with their own endpoint.
    """
    configured: str = settings.PUBLIC_URL
    return configured or f"{request.scheme}://{request.get_host()}"
