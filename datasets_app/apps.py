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
        _add_tab()


def _add_tab() -> None:
    tabs = importlib.import_module("hub.portal.tabs")
    tabs.register(
        tabs.AddedTab(
            key="viewer",
            label="Viewer",
            path="viewer",
            shows=lambda repo, _card: repo.kind == "dataset",
        )
    )
