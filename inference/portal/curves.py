"""Figures over steps as a drawing: points of a line in a box, with what its ends mean."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 160
_TOLD = 20


@dataclass(frozen=True, slots=True)
class Curve:
    """One figure as it went."""

    name: str
    points: str
    """As the ``points`` of a polyline in a box of ``WIDTH`` by ``HEIGHT``."""
    least: str
    most: str
    last: str
    last_step: int
    rows: Sequence[tuple[int, str]]
    """Some of the numbers, for who reads them."""

    @property
    def label(self) -> str:
        return f"{self.name} went from {self.rows[0][1]} to {self.last} by step {self.last_step}"


def curve(name: str, seen: Sequence[tuple[int, float]]) -> Curve | None:
    """Draw what was seen at steps, in order; nothing if there is none."""
    if not seen:
        return None
    values = [value for _, value in seen]
    least, most = min(values), max(values)
    first, last = seen[0][0], seen[-1][0]
    spread, length = (most - least) or 1.0, (last - first) or 1
    points = " ".join(
        f"{(step - first) / length * WIDTH:.1f},{(1 - (value - least) / spread) * HEIGHT:.1f}"
        for step, value in seen
    )
    every = -(-len(seen) // _TOLD)
    rows = [*seen[::every], *([] if (len(seen) - 1) % every == 0 else [seen[-1]])]
    return Curve(
        name=name,
        points=points if len(seen) > 1 else f"0,{HEIGHT / 2} {WIDTH},{HEIGHT / 2}",
        least=f"{least:.4g}",
        most=f"{most:.4g}",
        last=f"{values[-1]:.4g}",
        last_step=last,
        rows=[(step, f"{value:.4g}") for step, value in rows],
    )
