"""The one answer for the bytes of a file: ranges, conditions, names, and the cheapest way out."""

import mimetypes
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from io import FileIO
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import parse_etags

from hub.errors import DamagedXorb
from hub.http.ranges import Span, parse_ranges
from hub.queries.store import blob_store
from hub.services.scrubbing import look_at_xorb
from hub.storage.digests import CHUNK_BYTES
from hub.storage.large_files import Content, iter_blob
from teams.errors import Unsatisfiable

INLINE = frozenset(
    {
        "audio/flac",
        "audio/mpeg",
        "audio/wav",
        "audio/x-wav",
        "image/gif",
        "image/jpeg",
        "image/png",
        "image/webp",
        "video/mp4",
        "video/quicktime",
        "video/webm",
    }
)
"""What a browser may show under our origin: nothing in it runs."""

TEXT_SUFFIXES = frozenset(
    {
        ".cfg",
        ".conf",
        ".ini",
        ".ipynb",
        ".json",
        ".jsonl",
        ".ndjson",
        ".sh",
        ".sql",
        ".toml",
        ".xml",
        ".yaml",
        ".yml",
    }
)
TEXT_NAMES = frozenset({".gitattributes", ".gitignore", "dockerfile", "license", "makefile"})
PLAIN_TEXT = "text/plain; charset=utf-8"
UNKNOWN = "application/octet-stream"
SANDBOX = "sandbox; default-src 'none'"
SAFE_HEADERS = {
    "Accept-Ranges": "bytes",
    "Content-Security-Policy": SANDBOX,
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

LINK_LIFE = timedelta(minutes=10)
"""How long a link into the store may be followed: a download that began goes on after its end."""
_CONDITIONS = ("If-Match", "If-Range", "If-Unmodified-Since")


def serve(
    request: HttpRequest, content: Content, *, as_attachment: bool = False
) -> HttpResponseBase:
    """Answer the bytes of ``content``, or the part of them that the request asks for."""
    etag = f'"{content.etag}"'
    if _is_known(request, etag):
        return _with_headers(HttpResponse(status=304), content, etag, None)
    try:
        span = _span_asked(request, content.size, etag)
    except Unsatisfiable as problem:
        return _unsatisfiable(problem, content.size)
    shown_as = disposition(content.name, as_attachment)
    # A range that we do not follow stays with us: the store might follow it, or refuse.
    is_plain = span is not None or "Range" not in request.headers
    if is_plain and (elsewhere := _link(request, content, shown_as)):
        return _sent_to(elsewhere)
    response = _answer(request, content, span)
    return _with_headers(response, content, etag, shown_as)


def send_span(key: str, span: Span) -> HttpResponseBase:
    """Answer bytes of what the store holds under ``key``: by sendfile where it is a local file."""
    path = blob_store().path(key)
    start, stop = span
    if path is None:
        return StreamingHttpResponse(iter_blob(blob_store(), key, start, stop))
    return FileSlice(path, start, stop)


def media_type(name: str) -> str:
    """What we say that a file is: only types that do nothing, all text as plain text."""
    guessed, encoding = mimetypes.guess_type(name)
    if encoding is None and guessed in INLINE:
        return str(guessed)
    path = Path(name.lower())
    is_text = path.suffix in TEXT_SUFFIXES or path.name in TEXT_NAMES
    return PLAIN_TEXT if is_text or (guessed or "").startswith("text/") else UNKNOWN


def disposition(name: str, as_attachment: bool) -> str:  # noqa: FBT001 - reads like the header
    """How a browser is to take a file; what is not known to be harmless is for saving only."""
    kind = "attachment" if as_attachment or media_type(name) == UNKNOWN else "inline"
    # A quote or a backslash would end the plain form, and other characters have no place in it.
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in name)
    return (
        f"{kind}; filename*=UTF-8''{quote(name, safe='', errors='replace')}; filename=\"{plain}\";"
    )


class FileSlice(StreamingHttpResponse):
    """Bytes of a local file. gunicorn sends them with sendfile, from where the file stands."""

    block_size = CHUNK_BYTES

    def __init__(self, path: Path, start: int, stop: int) -> None:
        self._file = path.open("rb", buffering=0)
        self.file_to_stream = part = Slice(self._file, start, stop)
        super().__init__(iter(lambda: part.read(CHUNK_BYTES), b""))

    def close(self) -> None:
        self._file.close()
        super().close()


class Slice:
    """What a WSGI server needs to send a part of a file. Nobody may seek it, but it ends in time.

    gunicorn sends from the place of the descriptor, as much as Content-Length says.
    """

    def __init__(self, file: FileIO, start: int, stop: int) -> None:
        self._file = file
        self._left = stop - start
        file.seek(start)

    def fileno(self) -> int:
        return self._file.fileno()

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(piece)
        return piece


def _is_known(request: HttpRequest, etag: str) -> bool:
    """Weak comparison, as RFC 9110 has it for If-None-Match."""
    known = parse_etags(request.headers.get("If-None-Match", ""))
    return known == ["*"] or etag in {tag.removeprefix("W/") for tag in known}


def _span_asked(request: HttpRequest, size: int, etag: str) -> Span | None:
    """The one range to send; None for the whole file. Several ranges are answered by the whole."""
    if request.method != "GET":
        return None
    condition = request.headers.get("If-Range", etag)
    if condition != etag:
        return None
    spans = parse_ranges(request.headers.get("Range", ""), size)
    return spans[0] if spans and len(spans) == 1 else None


def _link(request: HttpRequest, content: Content, shown_as: str) -> str | None:
    """Where the store itself gives these bytes, if the answer may be left to it.

    It does not know our ETags, so conditions on them are ours. What a browser shows stays under
    our origin: pages let in no pictures of others.
    """
    kind = media_type(content.name)
    is_ours = request.method != "GET" or kind in INLINE or not content.size
    if is_ours or not content.key or any(name in request.headers for name in _CONDITIONS):
        return None
    return blob_store().sign_get(
        content.key, lasts=LINK_LIFE, disposition=shown_as, media_type=kind
    )


def _sent_to(url: str) -> HttpResponse:
    response = HttpResponse(status=302, headers={**SAFE_HEADERS, "Location": url})
    # The link is for who asked, and ends soon.
    response["Cache-Control"] = "private, no-store"
    del response["Content-Type"]
    return response


def _answer(request: HttpRequest, content: Content, span: Span | None) -> HttpResponseBase:
    # The proxy reads Range and If-Range itself, and fills in the length. A range that we do not
    # follow stays with us: it might follow it, or refuse.
    is_plain = span is not None or "Range" not in request.headers
    if settings.ACCEL_PREFIX and content.key and request.method == "GET" and is_plain:
        return by_proxy(content.key)
    start, stop = span or (0, content.size)
    response: HttpResponseBase
    if request.method == "HEAD" or start == stop:
        response = HttpResponse()
    elif content.key:
        response = send_span(content.key, (start, stop))
    else:
        response = StreamingHttpResponse(_watched(content.read(start, stop)))
    response.headers["Content-Length"] = str(stop - start)
    if span:
        mark_partial(response, span, content.size)
    return response


def _watched(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same, cut off where the next bytes would be wrong; from then on all is refused."""
    try:
        yield from pieces
    except DamagedXorb as fault:
        look_at_xorb(fault.xorb)
        raise


def by_proxy(key: str) -> HttpResponse:
    """Let the proxy send what the store holds under ``key``."""
    response = HttpResponse()
    response["X-Accel-Redirect"] = settings.ACCEL_PREFIX + key
    return response


def mark_partial(response: HttpResponseBase, span: Span, size: int | None) -> None:
    """Say which bytes these are, of how many; None where that is nobody's business."""
    response.status_code = 206
    whole = "*" if size is None else size
    response["Content-Range"] = f"bytes {span[0]}-{span[1] - 1}/{whole}"
    response["Content-Length"] = str(span[1] - span[0])


def _unsatisfiable(problem: Unsatisfiable, size: int) -> HttpResponse:
    response = HttpResponse(
        b'{"error": "No byte of the file is in that range."}',
        content_type="application/json",
        status=416,
    )
    response["Content-Range"] = f"bytes */{size}"
    response["Accept-Ranges"] = "bytes"
    response["X-Error-Message"] = problem.message
    return response


def _with_headers(
    response: HttpResponseBase, content: Content, etag: str, shown_as: str | None
) -> HttpResponseBase:
    for name, value in SAFE_HEADERS.items():
        response[name] = value
    response["ETag"] = etag
    if shown_as is None:
        del response["Content-Type"]
        return response
    response["Content-Type"] = media_type(content.name)
    response["Content-Disposition"] = shown_as
    return response


def multipart(
    spans: Iterable[Span], read: Callable[[int, int], Iterable[bytes]], boundary: str
) -> Iterator[bytes]:
    """The body of a ``multipart/byteranges`` answer."""
    for start, stop in spans:
        yield (
            f"\r\n--{boundary}\r\nContent-Type: {UNKNOWN}\r\n"
            f"Content-Range: bytes {start}-{stop - 1}/*\r\n\r\n"
        ).encode()
        yield from read(start, stop)
    yield f"\r\n--{boundary}--\r\n".encode()
