"""Where a request of ours may go. A user's URL must not reach what only this machine can reach.

``ipaddress.is_global`` alone is not enough: it takes addresses that carry another one inside, such
as 64:ff9b::7f00:1 and 2002:7f00:1::, for public ones. Registries:
https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry.
"""

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_URL = 2048
_PORTS = {"http": 80, "https": 443}


class Blocked(Exception):
    """The request may not go there; the text says why, to whoever named the address."""


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Read networks, such as ``10.0.0.0/8``.

    Raises:
        ValueError: one of them is none.
    """
    return tuple(ipaddress.ip_network(text) for text in texts)


_NOT_PUBLIC = networks(
    (
        "0.0.0.0/8",
        "100.64.0.0/10",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/8",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "fec0::/10",
        "ff00::/8",
    )
)
METADATA = ("169.254.0.0/16", "fd00:ec2::254/128", "168.63.129.16/32", "100.100.100.200/32")
"""Where clouds tell a machine its own secrets."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What an operator allows; denied wins over allowed."""

    allow: tuple[Network, ...] = ()
    """Networks that are fine though they are not public."""
    deny: tuple[Network, ...] = networks(METADATA)
    ports: frozenset[int] = frozenset({80, 443, 8080, 8443})
    require_https: bool = True
    """Plain http goes to allowed networks only."""
    own: frozenset[tuple[str, int]] = frozenset()
    """Addresses and ports of our own services."""

    def check(self, target: "Target", addresses: Iterable[str]) -> list[Address]:
        """Answer the addresses that ``target`` has, if a request may go to each of them.

        One that is denied denies all: which of them is asked is not ours to choose.

        Raises:
            Blocked: it may not.
        """
        self._check_port(target)
        found = [_plain(text) for text in addresses]
        if not found:
            raise Blocked(f"{target.host} has no address.")
        for address in found:
            self._check_one(target, address)
        return found

    def check_unresolved(self, target: "Target") -> None:
        """Check what is known of a target whose name a proxy resolves.

        Raises:
            Blocked: a request may not go there.
        """
        self._check_port(target)
        address = _written(target.host)
        if address is not None:
            self._check_one(target, address)
        elif target.scheme != "https" and self.require_https:
            raise Blocked("Only https is possible there.")

    def _check_port(self, target: "Target") -> None:
        if target.port not in self.ports:
            raise Blocked(f"Port {target.port} is not among those that webhooks may use.")

    def is_allowed(self, address: Address) -> bool:
        """Say whether an operator allowed it by name: answers of such machines are not shown."""
        return _within(address, self.allow)

    def _check_one(self, target: "Target", address: Address) -> None:
        if _within(address, self.deny) or (str(address), target.port) in self.own:
            raise Blocked(f"{target.host} leads to an address that is denied.")
        if self.is_allowed(address):
            return
        if not address.is_global or _within(address, _NOT_PUBLIC):
            raise Blocked(f"{target.host} leads to an address that is not public.")
        if target.scheme != "https" and self.require_https:
            raise Blocked("Only https is possible there.")


def _plain(text: str) -> Address:
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _written(host: str) -> Address | None:
    """The address that ``host`` spells, in whichever of the old ways; None if it is a name."""
    try:
        return _plain(host)
    except ValueError:
        pass
    try:
        # 127.1, 0x7f000001 and 2130706433 are addresses to whoever resolves them.
        return ipaddress.ip_address(socket.inet_aton(host))
    except OSError:
        return None


def _within(address: Address, nets: Iterable[Network]) -> bool:
    return any(address.version == net.version and address in net for net in nets)


@dataclass(frozen=True, slots=True)
class Target:
    """A URL, taken apart: exactly what is asked of whom."""

    scheme: str
    host: str
    port: int
    path: str
    """With its query."""

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read an http or https URL; its fragment is dropped.

        Raises:
            Blocked: it is no URL that a request could go to.
        """
        if len(url) > MAX_URL or not url.isprintable() or " " in url or "\\" in url:
            raise Blocked(f"The URL must have at most {MAX_URL} characters, and no spaces.")
        try:
            parts = urlsplit(url)
            port = parts.port
            host = (parts.hostname or "").encode("idna").decode()
        except ValueError:
            raise Blocked("The URL cannot be read.") from None
        if parts.scheme not in _PORTS or not host:
            raise Blocked("The URL must begin with https:// or http:// and name a host.")
        if "@" in parts.netloc:
            raise Blocked("The URL must not hold a user name or password.")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if not path.isascii():
            raise Blocked("The path of the URL must be percent-encoded.")
        return cls(parts.scheme, host, _PORTS[parts.scheme] if port is None else port, path)

    @property
    def authority(self) -> str:
        """What the ``Host`` header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"
