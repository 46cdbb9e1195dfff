"""Images of rows: decoded one by one, and told of by row where they are broken."""

from PIL import Image

from inference.errors import InputRejected
from inference.protocols.images import opened_image
from inference.training.ports import TrainingFailed
from inference.training.rows import Rows

MOST_BROKEN = 20
_SHARE = 0.1


def image_at(rows: Rows, column: str, place: int) -> Image.Image:
    """The image of a row as RGB.

    Raises:
        InputRejected: there is none, or it cannot be read.
    """
    raw = rows.at(column, place)
    if not isinstance(raw, bytes):
        raise InputRejected(f"image {place} has no bytes")
    return opened_image(raw, f"image {place}")


def whole(rows: Rows, column: str) -> tuple[Rows, list[str]]:
    """Those rows whose image can be read, and what is wrong with the others.

    Raises:
        TrainingFailed: of more than a tenth the image is broken.
    """
    good: list[int] = []
    broken: list[str] = []
    for place in range(len(rows)):
        try:
            image_at(rows, column, place)
        except InputRejected as refusal:
            broken.append(refusal.message)
        else:
            good.append(place)
    if len(broken) > _SHARE * len(rows):
        told = "; ".join(broken[:3])
        raise TrainingFailed(
            "broken_rows", f"{len(broken):,} of {len(rows):,} images are broken: {told}"
        )
    return rows.only(good), broken[:MOST_BROKEN]
