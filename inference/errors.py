"""What inference refuses, each a subclass of one of the twelve kinds in ``teams.errors``."""

from teams.errors import Forbidden, Invalid, NotFound, Unavailable, Unprocessable


class InputRejected(Invalid):
    """The model cannot be given this."""


class ModelNotServed(Unprocessable):
    """This repo holds no model that can be run here."""


class UnsafeWeights(Forbidden):
    """Only weights in safetensors are loaded, and no code of a repo is run."""

    code = "UnsafeWeights"


class NoWorker(Unavailable):
    """No inference worker is running. Whoever runs the hub installs the group `ml` to have one."""


class WorkerFailed(Unavailable):
    """The inference worker did not answer. Try again in a moment."""


class WorkerGone(WorkerFailed):
    """The inference worker is gone. Try again in a moment."""


class OutOfMemory(Unavailable):
    """The model needs more memory than the worker has, even alone and one by one."""


class TooLate(Unavailable):
    """The model was not reached in time: others are waiting for it, too."""


class StillFetching(TooLate):
    """The worker is still fetching the model. Try again in a moment."""


class TooManyWait(Unavailable):
    """Too many wait for models already. Try again in a moment."""


class OutputNotFound(NotFound):
    """There is no such output."""


class RunNotFound(NotFound):
    """There is no such run."""
