"""The address of whoever asks, also behind proxies of ours."""

import ipaddress
from functools import cache

from django.conf import settings
from django.http import HttpRequest

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def address_of(request: HttpRequest) -> str:
    """Answer the last address that none of our proxies has, as the proxies tell it.

    What a client itself claims in ``X-Forwarded-For`` stands before that and is not believed.
    """
    peer: str = request.META.get("REMOTE_ADDR", "")
    told = request.META.get("HTTP_X_FORWARDED_FOR", "")
    if not told or not _is_proxy(peer):
        return peer
    for address in reversed([part.strip() for part in told.split(",")]):
        if not _is_address(address):
            break
        peer = address
        if not _is_proxy(address):
            break
    return peer


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_proxy(address: str) -> bool:
    everywhere, networks = _proxies()
    if everywhere:
        return True
    try:
        asked = ipaddress.ip_address(address)
    except ValueError:
        # A Unix socket has no address, and only a proxy of this machine reaches it.
        return address == ""
    return any(asked in network for network in networks)


@cache
def _proxies() -> tuple[bool, tuple[_Network, ...]]:
    named = [proxy for proxy in settings.TRUSTED_PROXIES if proxy != "*"]
    networks = tuple(ipaddress.ip_network(proxy, strict=False) for proxy in named)
    return "*" in settings.TRUSTED_PROXIES, networks
