"""HTTP as nobody's library sends it: the target goes out byte for byte."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage
from typing import Any
from urllib.parse import urlsplit

AGENT = "plain"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str | None:
        return self.headers["X-Error-Code"]


class Plain:
    """Speaks to one hub as any of the people whose tokens it knows; ``""`` is nobody."""

    def __init__(self, url: str, tokens: Mapping[str, str]) -> None:
        self._address = urlsplit(url).netloc
        self.url = url
        self._tokens = tokens

    def __call__(
        self,
        method: str,
        target: str,
        body: bytes | Mapping[str, object] | None = None,
        *,
        who: str = "ada",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        sent = {"User-Agent": f"{AGENT}/1"}
        if token := self._tokens[who]:
            sent["Authorization"] = f"Bearer {token}"
        if isinstance(body, Mapping):
            body, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
        answer = ask(self._address, method, target, body, {**sent, **(headers or {})})
        return self._followed(answer, headers or {}) if method == "GET" else answer

    def _followed(self, answer: Answer, headers: Mapping[str, str]) -> Answer:
        """Go where the store has the bytes, as every client does: without our token."""
        there = urlsplit(answer.headers.get("Location", ""))
        if not there.netloc or there.netloc == self._address:
            return answer
        return ask(there.netloc, "GET", f"{there.path}?{there.query}", None, headers)

    def create(self, name: str, kind: str = "model", **more: object) -> str:
        """Make a repo, once; answer its name."""
        made = self("POST", "/api/repos/create", {"name": name, "type": kind, **more})
        assert made.status in {200, 409}, made
        return name

    def commit(self, repo: str, *operations: tuple[str, object], **header: str) -> Answer:
        """Commit to main: each operation is a key and a value of one line."""
        lines = [("header", {"summary": "Change", **header}), *operations]
        body = b"".join(json.dumps({"key": k, "value": v}).encode() + b"\n" for k, v in lines)
        return self("POST", f"/api/models/{repo}/commit/main", body)


def ask(
    address: str, method: str, target: str, body: bytes | None, headers: Mapping[str, str]
) -> Answer:
    """One request to whom it may concern."""
    connection = HTTPConnection(address, timeout=60)
    try:
        connection.request(method, target, body, headers)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def file(path: str, text: str) -> tuple[str, object]:
    """An operation that writes a small file."""
    return "file", {"path": path, "content": text, "encoding": "utf-8"}


def assert_error(answer: Answer, status: int, code: str | None = None) -> None:
    """A refusal as every client can read it: one JSON object, two headers, a request id."""
    assert answer.status == status, answer
    assert isinstance(answer.json, dict), answer
    assert answer.json["error"], answer
    assert answer.headers["X-Error-Message"], answer
    assert answer.headers["X-Request-Id"], answer
    assert answer.code == code, answer
