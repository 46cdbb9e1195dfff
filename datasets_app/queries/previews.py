"""First rows of a split that is still being converted."""

from datasets_app.models import Split
from datasets_app.queries.artifacts import ready_artifact
from datasets_app.serving.cells import Page
from datasets_app.serving.features import features_of


def preview_of(split: Split) -> Page | None:
    """The first rows, if they were read already."""
    artifact = ready_artifact(split, "preview")
    if artifact is None or artifact.data is None:
        return None
    import pyarrow as pa  # noqa: PLC0415 - a hub without datasets never pays for it

    with pa.ipc.open_stream(pa.py_buffer(bytes(artifact.data))) as stream:
        table = stream.read_all()
    features = features_of(table.schema, split.config.features)
    return Page(table, range(table.num_rows), features)
