"""Rows of inference: the workers that are there, what models made, and what was trained."""

from inference.models.output import Output
from inference.models.run import Checkpoint, Figures, Run
from inference.models.worker import Worker

__all__ = ["Checkpoint", "Figures", "Output", "Run", "Worker"]
