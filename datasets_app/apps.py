"""Names the app, and connects its receivers."""

import importlib

from django.apps import AppConfig


class DatasetsConfig(AppConfig):
    """What is inside a dataset repo, shown."""

    name = "datasets_app"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        importlib.import_module("datasets_app.receivers")
