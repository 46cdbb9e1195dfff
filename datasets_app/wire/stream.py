"""Wire: rows as streams of Arrow, JSON lines, CSV or Parquet; the plan of their shards."""

import hashlib
from collections.abc import Iterator
from itertools import chain
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from datasets_app.errors import InvalidParameter, Unviewable
from datasets_app.http.viewer import ViewerView
from datasets_app.models import Snapshot, Split
from datasets_app.queries.rows import Found, rows_of
from datasets_app.queries.splits import split_of
from datasets_app.queries.streams import Turn, stream_of
from datasets_app.serving import order
from datasets_app.serving.features import MEDIA, holds
from datasets_app.serving.formats import ARROW, CSV, NDJSON, PARQUET, WRITERS
from datasets_app.serving.order import Plan, Position
from datasets_app.serving.stream import BATCH_BYTES, BATCH_ROWS, Size, Stream
from hub.names import RepoKind
from hub.queries.repos import repo_for
from teams.roles import Action

MAX_BATCH_BYTES = 4 * 1024 * 1024
_FORMATS = {"arrow": ARROW, "ndjson": NDJSON, "csv": CSV, "parquet": PARQUET}
_CODECS = {"": None, "none": None, "lz4": "lz4", "zstd": "zstd"}


class OfSplit(ViewerView):
    """What streams and their plan share: the split that the URL names, and the plan."""

    def check(self, action: Action) -> None:
        self.repo = repo_for(self.principal, action, RepoKind.DATASET, self.kwargs["name"])

    def found(self) -> tuple[Split, Found]:
        """The split: of the snapshot that a token names, if it still is there."""
        token = self.request.GET.get("resume", "")
        snapshot = self._remembered(token) if token else self.snapshot()
        split = split_of(snapshot, self.kwargs["config"], self.kwargs["split"])
        return split, rows_of(self.repo, split)

    def _remembered(self, token: str) -> Snapshot:
        snapshot = Snapshot.objects.filter(
            pk=order.snapshot_in(token), repo_id=self.repo.pk
        ).first()
        if snapshot is None:
            raise Unviewable("SnapshotGone", "The rows that the token is of are gone.")
        return snapshot

    def plan(self, split: Split, found: Found) -> Plan:
        """What the query asks for.

        Raises:
            InvalidParameter: something of it cannot be.
        """
        shards = max(self.number("num_shards", 1, order.MAX_SHARDS), 1)
        has_limit = bool(self.request.GET.get("limit"))
        return Plan(
            snapshot=split.config.snapshot_id,
            columns=self._columns(found),
            where=self.request.GET.get("filter", "").strip(),
            offset=self.number("offset", 0),
            limit=self.number("limit", 0) if has_limit else None,
            shard=self.number("shard", 0, shards - 1),
            num_shards=shards,
            seed=self.number("seed", 0, order.MAX_SEED) if self.request.GET.get("seed") else None,
            epoch=self.number("epoch", 0),
            window=max(self.number("window", 16, order.MAX_WINDOW), 1),
        )

    def _columns(self, found: Found) -> tuple[str, ...] | None:
        media = self.request.GET.get("media", "bytes")
        if media not in {"bytes", "none"}:
            raise InvalidParameter("Parameter 'media' must be bytes or none")
        text = self.request.GET.get("columns", "")
        names = [name for name in text.split(",") if name] or found.columns
        for name in names:
            if name not in found.features:
                raise InvalidParameter(f"There is no column {name!r}.")
        if media == "none":
            names = [name for name in names if not holds(found.features[name], MEDIA)]
        return None if names == found.columns else tuple(names)


class Arrow(OfSplit):
    """GET /api/datasets/{name}/arrow/{config}/{split}: rows, from any place on."""

    def get(self, request: HttpRequest, **_: object) -> HttpResponseBase:
        split, found = self.found()
        plan = self.plan(split, found)
        size = Size(
            max(self.number("batch_rows", BATCH_ROWS, BATCH_ROWS), 1),
            max(self.number("batch_bytes", BATCH_BYTES, MAX_BATCH_BYTES), 1),
        )
        stream = stream_of(found, plan, size)
        token = request.GET.get("resume", "")
        start = order.position_in(token, plan, stream.windows) if token else Position()
        kind, codec = self._form()
        turn = Turn(self._caller())
        try:
            return self._answer_with(stream, start, kind, codec, turn)
        except BaseException:
            turn.end()
            raise

    def _answer_with(
        self, stream: Stream, start: Position, kind: str, codec: str | None, turn: Turn
    ) -> HttpResponseBase:
        plan, schema = stream.plan, _schema(stream)
        batches = iter(()) if self.request.GET.get("metadata_only") else stream.batches(start)
        # The first batch is read before the answer begins, so that what is wrong is still said.
        first = next(batches, None)
        known = chain([first], batches) if first is not None else batches
        body = Body(WRITERS[kind](known, schema, plan, codec), turn)
        response = StreamingHttpResponse(body, content_type=kind)
        self._describe(response, stream, schema)
        if codec:
            response["Content-Type"] = f"{kind}; codecs={codec}"
        return response

    def _describe(self, response: HttpResponseBase, stream: Stream, schema: Any) -> None:
        plan = stream.plan
        if self.commit is not None:
            response["X-Revision"] = self.commit.oid.hex()
        response["X-Snapshot"] = str(plan.snapshot)
        response["X-Total-Rows"] = str(stream.num_rows)
        response["X-Num-Blocks"] = str(stream.rows.num_blocks)
        response["X-Schema-Hash"] = hashlib.sha256(schema.serialize().to_pybytes()).hexdigest()
        response["ETag"] = f'"{plan.snapshot}-{plan.digest}"'
        response["Cache-Control"] = "private, no-store"
        response["Vary"] = "Accept, Authorization"
        response["X-Accel-Buffering"] = "no"

    def _form(self) -> tuple[str, str | None]:
        named = self.request.GET.get("format", "")
        accepted = self.request.headers.get("Accept", "")
        kinds = [kind for kind in _FORMATS.values() if kind in accepted]
        kind = _FORMATS.get(named) if named else (kinds[0] if kinds else ARROW)
        codec = self.request.GET.get("compression", "")
        if kind is None:
            raise InvalidParameter("Parameter 'format' must be arrow, ndjson, csv or parquet")
        if codec not in _CODECS:
            raise InvalidParameter("Parameter 'compression' must be none, lz4 or zstd")
        return kind, _CODECS[codec] if kind == ARROW else None

    def _caller(self) -> str:
        user = self.principal.user
        return f"user {user.pk}" if user else str(self.request.META.get("REMOTE_ADDR", ""))


class ArrowPlan(OfSplit):
    """GET /api/datasets/{name}/arrow-plan/{config}/{split}: what each shard has."""

    def get(self, request: HttpRequest, **_: object) -> HttpResponse:
        split, found = self.found()
        plan = self.plan(split, found)
        lanes = order.lanes_of(found.rows, plan)
        path = request.path.replace("/arrow-plan/", "/arrow/", 1)
        return self.answer(
            {
                "snapshot": plan.snapshot,
                "total_rows": found.rows.num_rows,
                "lanes": [dict(lane) | {"url": self._url(path, lane["shard"])} for lane in lanes],
            }
        )

    def _url(self, path: str, shard: int) -> str:
        query = self.request.GET.copy()
        query["shard"] = str(shard)
        return f"{path}?{query.urlencode()}"


class Body:
    """The bytes of a stream; its turn is over when they are, or when the client has gone."""

    def __init__(self, parts: Iterator[bytes], turn: Turn) -> None:
        self._parts, self._turn = parts, turn

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._parts)
        except BaseException:
            self._turn.end()
            raise

    def close(self) -> None:
        self._turn.end()
        close = getattr(self._parts, "close", None)
        if close is not None:
            close()


def _schema(stream: Stream) -> Any:
    return stream.rows.page(0, 0, stream.plan.columns).schema
