"""Arrow: files and streams of batches, each checked before anybody looks into it."""

from collections.abc import Iterator

import pyarrow as pa

from datasets_app.errors import UnreadableFile
from datasets_app.readers.ports import DataFile, Reading
from datasets_app.readers.schemas import cast, checked


def read(file: DataFile, reading: Reading) -> Iterator[pa.RecordBatch]:
    """The rows of an Arrow file or stream.

    Raises:
        UnreadableFile: it is none, or its buffers are not what its messages say.
    """
    row = 0
    try:
        with pa.memory_map(str(file.path)) as source:
            for batch in _batches(source):
                batch.validate(full=True)
                yield cast(batch, reading.schema or checked(batch.schema), row)
                row += batch.num_rows
                reading.told(min(source.tell(), file.size))
    except (pa.ArrowException, OSError, ValueError) as reason:
        shown = (str(reason).splitlines() or ["it is broken"])[0][:300]
        raise UnreadableFile(f"{file.name}, after row {row}: {shown}", row=row) from None


def _batches(source: pa.MemoryMappedFile) -> Iterator[pa.RecordBatch]:
    options = pa.ipc.IpcReadOptions(ensure_alignment=pa.ipc.Alignment.DataTypeSpecific)
    head = source.read(6)
    source.seek(0)
    if head == b"ARROW1":
        with pa.ipc.open_file(source, options=options) as found:
            for index in range(found.num_record_batches):
                yield found.get_batch(index)
            if not found.num_record_batches:
                yield pa.RecordBatch.from_pylist([], schema=found.schema)
        return
    with pa.ipc.open_stream(source, options=options) as stream:
        yield from stream
