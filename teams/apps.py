"""Names the app; connects nothing else."""

from django.apps import AppConfig


class TeamsConfig(AppConfig):
    """Users, organisations, tokens and the one rule of access."""

    name = "teams"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Registers the start-up check that every route says who may use it.
        from teams.http import checks  # noqa: F401, PLC0415 - imported for its effect, once apps exist
