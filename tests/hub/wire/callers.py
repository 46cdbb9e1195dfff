"""Callers of the wire, as clients make their requests; and what a Xet client would send."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.http import StreamingHttpResponse
from django.test import Client

from hub.models import Repo
from hub.xet.hashing import to_text
from hub.xet.xorbs import XorbIndex, decode_chunks
from teams.models import User
from teams.services import tokens
from tests.hub.xet.samples import FileSample, index_of, shard_of, xorb_of


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def caller(user: User | None, role: str = "write") -> Client:
    """A client with a token of ``user``; nobody's without one."""
    if user is None:
        return Client()
    _token, secret = tokens.issue(user=user, name="test", role=role)
    return Client(headers=bearer(secret))


def content(response: Any) -> bytes:
    """The whole body, streamed or not."""
    return b"".join(response) if isinstance(response, StreamingHttpResponse) else response.content


class XetCaller:
    """Somebody who holds a Xet token for one repo."""

    def __init__(self, client: Client, repo: Repo, scope: str = "write", target: str = "") -> None:
        kind = repo.repo_kind.plural
        self.answer = client.get(target or f"/api/{kind}/{repo}/xet-{scope}-token/main")
        self._client = Client()
        if self.answer.status_code == 200:
            given = self.answer.json()
            self.cas = given["casUrl"].removeprefix("http://testserver")
            self._headers = bearer(given["accessToken"])

    def get(self, path: str, **headers: str) -> Any:
        return self._client.get(f"{self.cas}{path}", headers=self._headers | headers)

    def head(self, path: str) -> Any:
        return self._client.head(f"{self.cas}{path}", headers=self._headers)

    def post(self, path: str, body: bytes) -> Any:
        return self._client.post(
            f"{self.cas}{path}",
            body,
            content_type="application/octet-stream",
            headers=self._headers,
        )

    def put_xorb(self, chunks: Sequence[bytes], scheme: int = 0) -> XorbIndex:
        xorb, body = xorb_of(chunks, scheme)
        answer = self.post(f"/v1/xorbs/default/{to_text(xorb)}", body)
        assert answer.status_code == 200, answer.content
        return index_of(chunks, scheme)

    def put_file(self, chunks: Sequence[bytes], scheme: int = 0) -> FileSample:
        """Upload a file of one xorb, and answer what was said of it."""
        index = self.put_xorb(chunks, scheme)
        file = truthful(chunks, index)
        answer = self.post("/v1/shards", shard_of([file], [index]))
        assert answer.status_code == 200, answer.content
        return file

    def read(self, file: bytes, first: int, last: int) -> bytes:
        """Do what a client does: ask for a plan, fetch each piece of it, put it together."""
        span = f"bytes={first}-{last}"
        plan = self.get(f"/v1/reconstructions/{to_text(file)}", Range=span).json()
        chunks = {
            (xorb, fetch["range"]["start"] + at): chunk
            for xorb, fetches in plan["fetch_info"].items()
            for fetch in fetches
            for at, chunk in enumerate(decode_chunks(self._fetch(fetch)))
        }
        wanted = [
            chunks[term["hash"], at]
            for term in plan["terms"]
            for at in range(term["range"]["start"], term["range"]["end"])
        ]
        skip = plan["offset_into_first_range"]
        return b"".join(wanted)[skip : skip + last - first + 1]

    def _fetch(self, fetch: Any) -> bytes:
        start, end = fetch["url_range"]["start"], fetch["url_range"]["end"]
        return content(Client().get(fetch["url"], headers={"Range": f"bytes={start}-{end}"}))


def truthful(chunks: Sequence[bytes], index: XorbIndex) -> FileSample:
    sample = FileSample.over((index, 0, index.n_chunks))
    return replace(sample, sha256=hashlib.sha256(b"".join(chunks)).digest())


def put_lfs(client: Client, repo: Repo, body: bytes) -> bytes:
    """Upload a large file by LFS and answer its SHA-256."""
    sha256 = hashlib.sha256(body).digest()
    answer = batch(client, repo, "upload", [(sha256.hex(), len(body))])
    actions = answer["objects"][0].get("actions")
    if actions:
        done = Client().put(actions["upload"]["href"], body)
        assert done.status_code == 200, done.content
    return sha256


def batch(
    client: Client,
    repo: Repo,
    operation: str,
    objects: Sequence[tuple[str, int]],
    transfers: Sequence[str] = ("basic",),
    **more: object,
) -> Any:
    answer = client.post(
        f"{repo.url}.git/info/lfs/objects/batch",
        {
            "operation": operation,
            "transfers": transfers,
            "objects": [{"oid": oid, "size": size} for oid, size in objects],
            **more,
        },
        content_type="application/vnd.git-lfs+json",
    )
    return answer.json() | {"status": answer.status_code}
