"""Refusals of datasets_app, each a subclass of one of the twelve kinds in ``teams.errors``."""

from teams.errors import NotFound


class NotPlanned(NotFound):
    """Nobody has looked at the files of this revision yet."""


class UnknownConfig(NotFound):
    """The dataset has no such config."""


class UnknownSplit(NotFound):
    """The config has no such split."""
