"""Names the app, connects its receivers, and makes its kinds of jobs known."""

import importlib

from django.apps import AppConfig


class DatasetsConfig(AppConfig):
    """What is inside a dataset repo, shown."""

    name = "datasets_app"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        importlib.import_module("datasets_app.receivers")
        importlib.import_module("datasets_app.services.registering").register()
