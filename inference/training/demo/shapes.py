"""The world of the demo models: one filled shape of one colour on a plain ground."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

SIZE = 32
"""Pixels along each edge."""
COLOURS: Mapping[str, tuple[int, int, int]] = {
    "red": (225, 30, 30),
    "green": (30, 170, 50),
    "blue": (40, 70, 230),
    "yellow": (240, 225, 40),
    "purple": (145, 40, 180),
    "orange": (250, 140, 20),
    "cyan": (40, 215, 225),
    "pink": (250, 150, 200),
}
SHAPES = ("circle", "square", "triangle", "cross", "diamond", "ring")
PAIRS = tuple((colour, shape) for colour in COLOURS for shape in SHAPES)
HELD_OUT = frozenset((colour, SHAPES[place % len(SHAPES)]) for place, colour in enumerate(COLOURS))
"""One shape of each colour is never trained on: what a model says of these, it has understood."""
TRAINED = tuple(pair for pair in PAIRS if pair not in HELD_OUT)
TEMPLATES = (
    "a {} {}",
    "a photo of a {} {}",
    "an image of a {} {}",
    "a drawing of one {} {}",
    "there is a {} {} here",
    "{} {}",
)
_FINER = 4
_GROUNDS = (12, 110)


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture, and what is true of it."""

    image: Image.Image
    colour: str
    shape: str
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a shape lies and how large it is, in parts of the picture's edge."""

    x: float = 0.5
    y: float = 0.5
    radius: float = 0.32
    ground: int = 12
    """Its grey."""


def draw(colour: tuple[int, int, int], shape: str, place: Place | None = None) -> Image.Image:
    """Draw one shape with smooth edges.

    Raises:
        KeyError: no shape is called so.
    """
    at = place or Place()
    edge = SIZE * _FINER
    image = Image.new("RGB", (edge, edge), (at.ground,) * 3)
    pen = ImageDraw.Draw(image)
    for kind, points, is_hole in _outlines(shape, at.x * edge, at.y * edge, at.radius * edge):
        fill = (at.ground,) * 3 if is_hole else colour
        {"ellipse": pen.ellipse, "box": pen.rectangle, "polygon": pen.polygon}[kind](
            points, fill=fill
        )
    return image.resize((SIZE, SIZE), Image.Resampling.LANCZOS)


Outline = tuple[str, list[tuple[float, float]], bool]


def _outlines(shape: str, x: float, y: float, r: float) -> list[Outline]:
    """What a shape is drawn of, in order: a kind, its points, and whether it is a hole."""

    def around(a: float, b: float) -> list[tuple[float, float]]:
        return [(x - a, y - b), (x + a, y + b)]

    return {
        "circle": [("ellipse", around(r, r), False)],
        "square": [("box", around(r * 0.9, r * 0.9), False)],
        "triangle": [
            ("polygon", [(x, y - r), (x + r, y + r * 0.85), (x - r, y + r * 0.85)], False)
        ],
        "cross": [("box", around(r, r * 0.32), False), ("box", around(r * 0.32, r), False)],
        "diamond": [
            ("polygon", [(x, y - r), (x + r * 0.75, y), (x, y + r), (x - r * 0.75, y)], False)
        ],
        "ring": [
            ("ellipse", around(r, r), False),
            ("ellipse", around(r * 0.55, r * 0.55), True),
        ],
    }[shape]


def sample(rng: random.Random, pairs: Sequence[tuple[str, str]] = TRAINED) -> Sample:
    """Draw a shape of one of ``pairs`` somewhere near the middle, in about its colour."""
    colour, shape = rng.choice(pairs)
    red, green, blue = (min(255, max(0, v + rng.randint(-15, 15))) for v in COLOURS[colour])
    image = draw((red, green, blue), shape, anywhere(rng))
    return Sample(image, colour, shape, rng.choice(TEMPLATES).format(colour, shape))


def anywhere(rng: random.Random) -> Place:
    return Place(
        x=0.5 + rng.uniform(-0.12, 0.12),
        y=0.5 + rng.uniform(-0.12, 0.12),
        radius=rng.uniform(0.24, 0.36),
        ground=rng.choice(_GROUNDS),
    )


def samples(
    count: int, rng: random.Random, pairs: Sequence[tuple[str, str]] = TRAINED
) -> Iterator[Sample]:
    return (sample(rng, pairs) for _ in range(count))
