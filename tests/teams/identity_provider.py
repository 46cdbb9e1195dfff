"""A real OpenID Connect provider in a process of its own, and somebody who signs in at it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import requests
from django.http import HttpResponse
from django.test import Client

from tests.live import free_port

START_SECONDS = 60


@contextmanager
def oidc_provider(people: Sequence[Mapping[str, object]]) -> Iterator[str]:
    """Start a provider that knows ``people`` by their claims; answer its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    program = str(Path(sys.executable).with_name("oidc-provider-mock"))
    claims = [word for one in people for word in ("--user-claims", json.dumps(one))]
    process = subprocess.Popen(
        [program, "-p", str(port), *claims],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    try:
        _wait_for(f"{url}/.well-known/openid-configuration", process)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        assert process.poll() is None, "the identity provider ended"
        assert time.monotonic() < end, "the identity provider does not start"
        try:
            requests.get(url, timeout=5).raise_for_status()
        except requests.RequestException:
            time.sleep(0.05)
        else:
            return


def callback(client: Client, start: str, subject: str) -> str:
    """Go to the provider from ``start``, say who one is there; answer where it sends one back."""
    there = client.get(start)["Location"]
    answer = requests.post(there, data={"sub": subject}, allow_redirects=False, timeout=30)
    parts = urlsplit(answer.headers["Location"])
    return f"{parts.path}?{parts.query}"


def sign_in(client: Client, start: str, subject: str) -> HttpResponse:
    """Come by the provider as ``subject``; answer what the hub says then."""
    response = client.get(callback(client, start, subject))
    assert isinstance(response, HttpResponse)
    return response
