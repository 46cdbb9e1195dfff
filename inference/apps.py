"""Names the app, and tells the hub what it adds: a kind of job, a tab of models."""

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
        tabs = importlib.import_module("hub.portal.tabs")
        tabs.register(tabs.AddedTab(key="try", label="Try it", path="try", shows=_is_tried))


def _is_tried(repo: "Repo", card: "RepoCard") -> bool:
    """A model whose card or files name a task that is served; its page knows for sure."""
    tasks = importlib.import_module("inference.protocols.tasks").Task
    return repo.kind == "model" and card.pipeline_tag in set(tasks)
