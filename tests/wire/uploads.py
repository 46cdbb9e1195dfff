"""Uploads by hand, so that they can go wrong."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from tests.wire.plain import Answer, Plain, ask

LFS = {"Content-Type": "application/vnd.git-lfs+json"}


def batch(
    plain: Plain, repo: str, *objects: dict[str, Any], who: str = "ada", **more: object
) -> Answer:
    body = {"operation": "upload", "transfers": ["basic"], "objects": list(objects), **more}
    return plain("POST", f"/{repo}.git/info/lfs/objects/batch", body, who=who, headers=LFS)


@dataclass(frozen=True)
class Offered:
    """What a batch answers to somebody who wants to upload one file."""

    plain: Plain
    file: dict[str, object]
    upload: str
    verify: str

    @property
    def is_direct(self) -> bool:
        """Whether the bytes go straight into a bucket."""
        return urlsplit(self.upload).netloc != urlsplit(self.plain.url).netloc

    def put(self, content: bytes, *, more: str = "") -> Answer:
        """Send bytes; answer what says whether they count, or why they cannot be sent."""
        put = ask_by(self.upload + more, "PUT", content)
        return self.verified() if self.is_direct and put.status == 200 else put

    def verified(self) -> Answer:
        return self.plain("POST", target_of(self.verify), self.file, headers=LFS)


def offered(plain: Plain, repo: str, oid: str, size: int) -> Offered:
    file: dict[str, object] = {"oid": oid, "size": size}
    (told,) = batch(plain, repo, file).json["objects"]
    actions = told["actions"]
    return Offered(plain, file, actions["upload"]["href"], actions["verify"]["href"])


def target_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def upload(plain: Plain, repo: str, content: bytes) -> str:
    """Put a large file into a repo by LFS, and answer its digest."""
    oid = sha256(content).hexdigest()
    (told,) = batch(plain, repo, {"oid": oid, "size": len(content)}).json["objects"]
    if "actions" in told:
        put = ask_by(told["actions"]["upload"]["href"], "PUT", content)
        assert put.status == 200, put
        verify = target_of(told["actions"]["verify"]["href"])
        verified = plain("POST", verify, {"oid": oid, "size": len(content)}, headers=LFS)
        assert verified.status == 200, verified
    return oid


def ask_by(url: str, method: str, body: bytes | None = None) -> Answer:
    """Do what a link lets its bearer do, wherever it leads."""
    return ask(urlsplit(url).netloc, method, target_of(url), body, {})


class Cas:
    """The content-addressed store behind a write token of one repo."""

    def __init__(self, plain: Plain, repo: str, *, scope: str = "write", who: str = "ada") -> None:
        token = plain("GET", f"/api/models/{repo}/xet-{scope}-token/main", who=who)
        assert token.status == 200, token
        self._plain = plain
        self.base = urlsplit(token.json["casUrl"]).path
        self.token: str = token.json["accessToken"]

    def __call__(
        self, method: str, path: str, body: bytes | None = None, *, token: str | None = None
    ) -> Answer:
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        return self._plain(method, f"{self.base}{path}", body, who="", headers=headers)
