"""What models made for somebody."""

from collections.abc import Sequence
from dataclasses import dataclass

from hub.queries import cursors
from inference.errors import OutputNotFound
from inference.models import Output
from teams.names import number_in_id
from teams.policies import Principal

_SORT = "outputs"


@dataclass(frozen=True, slots=True)
class OutputPage:
    """Some outputs, newest first, and the cursor of what comes after."""

    outputs: Sequence[Output]
    next_cursor: str = ""


def outputs_of(reader: Principal, *, cursor: str, limit: int) -> OutputPage:
    """Those that were made for ``reader``, without their bytes.

    Raises:
        Invalid: the cursor is not one of ours.
    """
    found = Output.objects.filter(by=reader.user).defer("png").order_by("-pk")
    if cursor:
        _, last_id = cursors.decode(_SORT, cursor)
        found = found.filter(pk__lt=last_id)
    rows = list(found[: limit + 1])
    page = rows[:limit]
    more = len(rows) > limit
    return OutputPage(page, cursors.encode(_SORT, 0, page[-1].pk) if more else "")


def output_of(reader: Principal, text: str) -> Output:
    """Find the output that ``text`` is the id of.

    Raises:
        OutputNotFound: there is none, or it is another's.
    """
    mine = Output.objects.filter(by=reader.user) if reader.user else Output.objects.none()
    output = mine.filter(pk=number_in_id(text)).first()
    if output is None:
        raise OutputNotFound
    return output
