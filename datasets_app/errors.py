"""Refusals of datasets_app, each a subclass of one of the twelve kinds in ``teams.errors``."""

from teams.errors import NotFound, Unavailable, Unprocessable


class NotPlanned(NotFound):
    """Nobody has looked at the files of this revision yet."""


class UnknownConfig(NotFound):
    """The dataset has no such config."""


class UnknownSplit(NotFound):
    """The config has no such split."""


class Unresolvable(Unprocessable):
    """The files of this dataset make no config; ``viewer_code`` is the viewer's word for why."""

    def __init__(self, viewer_code: str, message: str) -> None:
        super().__init__(message)
        self.viewer_code = viewer_code


class UnreadableFile(Unprocessable):
    """A data file cannot be read; where in it is told as far as it is known."""

    def __init__(
        self,
        message: str,
        *,
        viewer_code: str = "DatasetGenerationError",
        column: str | None = None,
        row: int | None = None,
    ) -> None:
        super().__init__(message)
        self.viewer_code = viewer_code
        self.column = column
        self.row = row


class InvalidParameter(Unprocessable):
    """A parameter is not what it must be."""

    code = "InvalidParameter"


class QueryTooHeavy(Unprocessable):
    """The query took more time or memory than one may."""

    code = "UnexpectedApiError"


class TooManyQueries(Unavailable):
    """All who work on queries are busy. Try again in a moment."""


class NotReady(Unavailable):
    """The server is still working on this dataset. Try again in a moment."""

    code = "ResponseNotReady"


class Unviewable(Unprocessable):
    """These files cannot be shown as rows."""

    def __init__(self, viewer_code: str, message: str = "") -> None:
        super().__init__(message)
        self.viewer_code = viewer_code
        """What the viewer calls the reason (``EmptyDatasetError``)."""


class MissingParameter(Unprocessable):
    """A parameter is missing."""

    code = "MissingRequiredParameter"
