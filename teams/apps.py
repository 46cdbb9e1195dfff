"""Names the app; connects nothing else."""

import importlib

from django.apps import AppConfig


class TeamsConfig(AppConfig):
    """Users, organisations, tokens and the one rule of access."""

    name = "teams"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # For their effect, once apps exist: routes say who may use them, sign-ins are noted.
        importlib.import_module("teams.http.checks")
        importlib.import_module("teams.receivers")
