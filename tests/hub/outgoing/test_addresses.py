"""Which addresses a user's URL may lead to."""

import socket

import pytest

from hub.outgoing.addresses import Blocked, Rules, Target, networks

FORBIDDEN = [
    "https://127.0.0.1/",
    "https://0.0.0.0/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://10.1.2.3/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[fe80::1]/",
    "https://[fd00:ec2::254]/",
    "https://[fec0::1]/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://192.0.0.9/",
    "https://198.18.0.1/",
    "https://[ff02::1]/",
    "https://localhost/",
]


def addresses_of(target: Target) -> list[str]:
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_kind, address in found]


@pytest.mark.parametrize("url", FORBIDDEN)
def test_no_spelling_of_an_address_leads_inside(url: str) -> None:
    target = Target.parse(url)

    with pytest.raises(Blocked):
        Rules().check(target, addresses_of(target))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are_fine(address: str) -> None:
    assert Rules().check(Target.parse("https://example.org/"), [address])


def test_one_private_address_among_public_ones_blocks_the_name() -> None:
    with pytest.raises(Blocked):
        Rules().check(Target.parse("https://example.org/"), ["8.8.8.8", "10.0.0.1"])


def test_a_name_without_addresses_is_blocked() -> None:
    with pytest.raises(Blocked):
        Rules().check(Target.parse("https://example.org/"), [])


@pytest.mark.parametrize("url", ["https://example.org:22/", "https://example.org:0/"])
def test_other_ports_are_closed(url: str) -> None:
    with pytest.raises(Blocked, match="Port"):
        Rules().check(Target.parse(url), ["8.8.8.8"])


def test_plain_http_goes_to_allowed_networks_only() -> None:
    rules, target = Rules(allow=networks(["10.0.0.0/8"])), Target.parse("http://ci.lan/hook")

    assert rules.check(target, ["10.0.0.5"])
    with pytest.raises(Blocked, match="https"):
        rules.check(target, ["8.8.8.8"])
    assert Rules(require_https=False).check(target, ["8.8.8.8"])


def test_denied_wins_over_allowed() -> None:
    rules = Rules(allow=networks(["0.0.0.0/0"]), own=frozenset({("10.0.0.7", 443)}))
    target = Target.parse("https://x.example/")

    assert rules.check(target, ["10.0.0.8"])
    for address in ("169.254.169.254", "10.0.0.7"):
        with pytest.raises(Blocked, match="denied"):
            rules.check(target, [address])


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://example.org/",
        "file:///etc/passwd",
        "https://",
        "https:///path",
        "https://user:word@example.org/",
        "https://@example.org/",
        "https://example.org:99999/",
        "https://example.org:x/",
        "https://exa mple.org/",
        "https://example.org/\r\nX: y",
        "https://example.org\\@evil.example/",
        "https://[::1",
        "https://" + "a" * 70 + ".example/",
        "https://example.org/" + "a" * 2048,
        "https://example.org/ä",
        "//example.org/",
    ],
)
def test_what_is_no_clean_url_is_refused(url: str) -> None:
    with pytest.raises(Blocked):
        Target.parse(url)


def test_a_url_is_taken_apart() -> None:
    assert Target.parse("https://Bücher.example:8443/a/b?c=d#e") == Target(
        "https", "xn--bcher-kva.example", 8443, "/a/b?c=d"
    )
    assert Target.parse("http://example.org").path == "/"
    assert Target.parse("http://[::1]:8080/").authority == "[::1]:8080"
    assert Target.parse("https://example.org/").authority == "example.org"
