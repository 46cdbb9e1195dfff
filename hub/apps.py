"""Names the app, and connects its receivers."""

import importlib

from django.apps import AppConfig


class HubConfig(AppConfig):
    """Repos, their history, their bytes."""

    name = "hub"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        importlib.import_module("hub.receivers")
        labels = importlib.import_module("hub.queries.repo_labels")
        importlib.import_module("teams.queries.token_scopes").offer(labels.RepoLabels())
