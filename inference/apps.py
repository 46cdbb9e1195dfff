"""Names the app, and tells the hub what it adds: kinds of jobs, tabs of models."""

import importlib
from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from hub.models import Repo, RepoCard


class InferenceConfig(AppConfig):
    """Models, running and learning."""

    name = "inference"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        jobs = importlib.import_module("hub.services.jobs")
        generations = importlib.import_module("inference.services.generations")
        jobs.register(jobs.Kind(name=generations.KIND, run=generations.run, queue="gpu"))
        runs = importlib.import_module("inference.services.runs")
        training = importlib.import_module("inference.services.training")
        jobs.register(jobs.Kind(name=runs.KIND, run=training.run, queue="gpu", is_told=True))
        tabs = importlib.import_module("hub.portal.tabs")
        tabs.register(tabs.AddedTab(key="try", label="Try it", path="try", shows=_is_tried))
        tabs.register(tabs.AddedTab(key="train", label="Train", path="train", shows=_is_tried))
        tabs.register(
            tabs.AddedTab(key="trained", label="Trained", path="trained", shows=_is_dataset)
        )


def _is_tried(repo: "Repo", card: "RepoCard") -> bool:
    """A model whose card or files name a task that is served; its page knows for sure."""
    tasks = importlib.import_module("inference.protocols.tasks").Task
    return repo.kind == "model" and card.pipeline_tag in set(tasks)


def _is_dataset(repo: "Repo", _card: "RepoCard") -> bool:
    return repo.kind == "dataset"
