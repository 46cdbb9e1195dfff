"""The rows of a split, fetched as the stream that anybody may read, into an Arrow file."""

import json
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, Self
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

import pyarrow as pa

from inference.training.ports import TrainingFailed
from inference.training.rows import FEATURES

_TRIES = 5
_WAIT_SECONDS = 0.5
_TIMEOUT_SECONDS = 120.0
_NOT_READY = "ResponseNotReady"
_FAULT = 500
"""Answers from here on may be others the next time."""


class RowsNotReady(Exception):
    """The dataset is still being brought to the form that streams are read from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Rows as they are at one commit, and the leave to read them."""

    endpoint: str
    token: str
    dataset: str
    commit: str
    config: str
    name: str

    def url(self, **more: str) -> str:
        names = "/".join(quote(name, safe="") for name in (self.config, self.name))
        base = f"{self.endpoint}/api/datasets/{self.dataset}/arrow/{names}"
        return f"{base}?{urlencode({'revision': self.commit, **more})}"

    @property
    def info_url(self) -> str:
        asked = {"dataset": self.dataset, "config": self.config, "revision": self.commit}
        return f"{self.endpoint}/api/datasets-server/info?{urlencode(asked)}"


def schema_of(split: Split) -> pa.Schema:
    """The columns of a split without its rows, and what the dataset tells of them.

    Raises:
        TrainingFailed: it is not there, or not for who asks.
        RowsNotReady: it will be there.
        OSError: the hub does not answer.
    """
    with closing(_opened(split, split.url(metadata_only="1"))) as answer:
        schema = pa.ipc.open_stream(answer).schema
    with closing(_opened(split, split.info_url)) as answer:
        info = json.load(answer)["dataset_info"]
    told = json.dumps({"info": {"features": info["features"]}})
    return schema.with_metadata({FEATURES: told})


def fetch(split: Split, schema: pa.Schema, file: Path, tell: Callable[[int], None]) -> int:
    """Write the columns of ``schema`` to ``file``, and what it tells of them; answer how many rows.

    ``tell`` hears how many there are, again and again.

    Raises: as :func:`schema_of`, and what ``tell`` raises.
    """
    with pa.OSFile(str(file), "wb") as sink, _Written(sink, schema) as written:
        for attempt in range(_TRIES):
            try:
                _read_on(split, written, tell)
            except (StopIteration, HTTPException, pa.ArrowInvalid, ConnectionError):
                # A stream that broke off goes on behind the last batch that came whole.
                time.sleep(_WAIT_SECONDS * attempt)
            else:
                return written.rows
    raise OSError("The stream of rows broke off again and again.")


class _Written:
    """An Arrow file that is written batch by batch, from several streams of the same rows."""

    def __init__(self, sink: Any, schema: pa.Schema) -> None:
        self._writer = pa.ipc.new_file(sink, schema)
        self.columns: list[str] = schema.names
        self.rows, self.resume = 0, ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_reason: object) -> None:
        self._writer.close()

    def add(self, batch: Any, resume: str) -> None:
        self._writer.write_batch(batch)
        self.rows, self.resume = self.rows + batch.num_rows, resume


def _read_on(split: Split, written: _Written, tell: Callable[[int], None]) -> None:
    more = {"columns": ",".join(written.columns)}
    more |= {"resume": written.resume} if written.resume else {}
    with closing(_opened(split, split.url(**more))) as answer:
        stream = pa.ipc.open_stream(answer)
        while True:
            batch, told = stream.read_next_batch_with_custom_metadata()
            if told.get(b"hub.eos") == b"1":
                return
            written.add(batch, told[b"hub.resume"].decode())
            tell(written.rows)


def _opened(split: Split, url: str) -> Any:
    request = Request(url)  # noqa: S310 - the hub's own address
    if split.token:
        request.add_header("Authorization", f"Bearer {split.token}")
    try:
        return urlopen(request, timeout=_TIMEOUT_SECONDS)  # noqa: S310 - as above
    except HTTPError as refused:
        with refused:
            code, told = refused.headers.get("X-Error-Code", ""), _said(refused.read())
        if code == _NOT_READY:
            raise RowsNotReady(told) from None
        if refused.code < _FAULT:
            raise TrainingFailed("dataset_not_readable", f"{split.dataset}: {told}") from None
        raise OSError(f"The hub answered {refused.code}: {told}") from None


def _said(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return "The hub gave no reason."
