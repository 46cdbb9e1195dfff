"""Pictures of anybody: read as they are meant, or refused with the reason, and soon."""

import io

import pytest
from PIL import Image
from PIL.GifImagePlugin import GifImageFile

from inference.errors import InputRejected
from inference.protocols import images
from inference.protocols.images import checked_image, opened_image
from tests.inference.ml import png

ONE_PIXEL = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff"
ONE_FRAME = b",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00"


def photo(exif: Image.Exif | bytes) -> bytes:
    """Two pixels wide, red on the left."""
    image = Image.new("RGB", (16, 8), (0, 0, 255))
    image.paste((255, 0, 0), (0, 0, 8, 8))
    aside = io.BytesIO()
    image.save(aside, "PNG", exif=exif)
    return aside.getvalue()


@pytest.mark.parametrize(
    ("orientation", "size", "is_red"),
    [(1, (16, 8), (0, 0)), (3, (16, 8), (15, 0)), (6, (8, 16), (0, 0)), (8, (8, 16), (0, 15))],
)
def test_a_picture_stands_as_its_camera_was_held(
    orientation: int, size: tuple[int, int], is_red: tuple[int, int]
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation

    image = opened_image(photo(exif))

    assert image.size == size
    assert image.getpixel(is_red) == (255, 0, 0)


@pytest.mark.parametrize("exif", [b"Exif\0\0LM\0*\0\0\0\x08", b"Exif\0\0MM", b"nonsense"])
def test_nonsense_of_a_camera_spoils_no_picture(exif: bytes) -> None:
    assert opened_image(photo(exif)).size == (16, 8)


def test_frames_are_not_counted_to_see_that_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    seek = GifImageFile._seek

    def counted(image: GifImageFile, frame: int, *rest: bool) -> None:
        seen.append(frame)
        seek(image, frame, *rest)

    monkeypatch.setattr(GifImageFile, "_seek", counted)

    with pytest.raises(InputRejected, match="animated"):
        checked_image(ONE_PIXEL + ONE_FRAME * 10_000 + b";", "image")

    assert len(seen) <= 4


def test_more_pixels_than_bytes_can_say_are_refused_before_they_are_read() -> None:
    bomb = png(Image.new("1", (6000, 6000)))

    with pytest.raises(InputRejected, match="pixels"):
        checked_image(bomb, "image")

    assert len(bomb) < images.MAX_BYTES
