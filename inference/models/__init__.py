"""Rows of inference: the workers that are there, and what models made."""

from inference.models.output import Output
from inference.models.worker import Worker

__all__ = ["Output", "Worker"]
