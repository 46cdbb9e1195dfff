"""Footers of Parquet files that this process read lately."""

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow.parquet as pq

MAX_BYTES = 24 * 1024 * 1024
"""Of footers as they are stored; parsed they take about three times as much memory."""


class Footers:
    """Keeps those used last, by the bytes that they take."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max = max_bytes
        self._size = 0
        self._kept: OrderedDict[str, pq.FileMetaData] = OrderedDict()
        self._lock = Lock()

    def get(self, key: str) -> "pq.FileMetaData | None":
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: str, footer: "pq.FileMetaData") -> None:
        with self._lock:
            if key in self._kept or footer.serialized_size > self._max:
                return
            self._kept[key] = footer
            self._size += footer.serialized_size
            while self._size > self._max:
                _, gone = self._kept.popitem(last=False)
                self._size -= gone.serialized_size


footers = Footers()
