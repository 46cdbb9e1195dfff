"""What a folder of images or the like has to be told before one of its batches is read."""

from collections.abc import Sequence
from typing import Any

from datasets_app.models import Config, Source
from datasets_app.shape.formats import FOLDERS, METADATA_NAMES


def folder_params(config: Config, sources: Sequence[Source]) -> dict[str, Any]:
    """The labels of all files, where they are to be a column: the names of their folders.

    They are if there are several, all files lie equally deep, and no metadata file describes them.
    """
    if config.builder not in FOLDERS:
        return {}
    names = METADATA_NAMES[config.builder]
    paths = [path for source in sources for path, *_rest in source.members or []]
    media = [path for path in paths if path.rpartition("/")[2] not in names]
    is_described = len(media) < len(paths) and not config.params.get("drop_metadata")
    drop = config.params.get("drop_labels")
    labels = sorted({path.rpartition("/")[0].rpartition("/")[2] for path in media})
    depths = {path.count("/") for path in media}
    wanted = (len(labels) > 1 and len(depths) == 1) if drop is None else not drop
    return {"labels": labels if wanted and not is_described else None}
