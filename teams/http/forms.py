"""Forms on which a service's refusal is shown where the user typed, not on a page of its own."""

from types import TracebackType

from django import forms

from teams.errors import Refusal

REFUSED = 422
"""The status of a page whose form was not accepted."""


class ServiceForm(forms.Form):
    """A form whose values go to a service."""

    def showing_refusals(self, field: str | None = None) -> "_ShowingRefusals":
        """As a context: what is refused inside becomes an error of ``field``, or of the form."""
        return _ShowingRefusals(self, field)


class _ShowingRefusals:
    """Ends with the block that was refused, and lets bugs through."""

    def __init__(self, form: forms.Form, field: str | None) -> None:
        self.form = form
        self.field = field

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if isinstance(error, Refusal):
            self.form.add_error(self.field, error.message)
            return True
        return False
