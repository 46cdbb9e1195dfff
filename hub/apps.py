"""Names the app; connects nothing else."""

from django.apps import AppConfig


class HubConfig(AppConfig):
    """Repos, their history, their bytes."""

    name = "hub"
    default_auto_field = "django.db.models.BigAutoField"
