"""Cells as long as a page shows them: the rest is let go of before the next row group is read."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from datasets_app.errors import Unviewable
from datasets_app.serving.cells import MAX_CELL
from datasets_app.serving.features import Feature, kind_of
from datasets_app.serving.media import HEAD_BYTES

if TYPE_CHECKING:
    import pyarrow as pa

LARGE_BYTES = 1024 * 1024
"""A column of a page with fewer is left as it is."""
MAX_PAGE_BYTES = 256 * 1024 * 1024
_SHOWN_BY_HEAD = frozenset({"Image", "Audio", "Video"})
"""Media of which a page tells no more than their first bytes do."""


def shortened(table: "pa.Table", features: Mapping[str, Feature]) -> "pa.Table":
    """The same rows; no text, bytes or medium is longer than what is made of it."""
    for at, name in enumerate(table.column_names):
        column = table.column(at)
        if column.nbytes > LARGE_BYTES:
            table = table.set_column(at, name, _shortened(column, features[name]))
    return table


def check_size(nbytes: int) -> None:
    """Refuse a page that takes too much memory however its cells are cut.

    Raises:
        Unviewable: it does.
    """
    if nbytes > MAX_PAGE_BYTES:
        raise Unviewable("TooBigContentError", "These rows are too large to be shown together.")


def _shortened(column: "pa.ChunkedArray", feature: Feature) -> "pa.ChunkedArray":
    import pyarrow as pa  # noqa: PLC0415 - a hub without datasets never pays for it
    import pyarrow.compute as pc  # noqa: PLC0415

    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pc.utf8_slice_codeunits(column, 0, MAX_CELL + 1)
    is_medium = kind_of(feature) in _SHOWN_BY_HEAD
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pc.binary_slice(column, 0, HEAD_BYTES if is_medium else MAX_CELL)
    if not is_medium or not pa.types.is_struct(kind) or kind.get_field_index("bytes") < 0:
        return column
    whole = column.combine_chunks()
    whole = whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole
    parts = [
        pc.binary_slice(part, 0, HEAD_BYTES) if field.name == "bytes" else part
        for field, part in zip(kind, whole.flatten(), strict=True)
    ]
    made = pa.StructArray.from_arrays(parts, fields=list(kind), mask=pc.is_null(whole))
    return pa.chunked_array([made])
