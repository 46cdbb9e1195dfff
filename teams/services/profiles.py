"""What users say of themselves."""

from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from teams.errors import Invalid
from teams.models import User
from teams.models.user import MAX_ABOUT, MAX_FULLNAME
from teams.names import one_line

_is_url = URLValidator(schemes=["http", "https"])


def change_profile(
    *, user: User, fullname: str, about: str = "", website: str = "", email: str = ""
) -> None:
    """Let ``user`` be presented so; the address is where invitations and news reach them.

    Raises:
        Invalid: a value cannot be shown.
    """
    user.fullname = one_line(fullname, "The name", most=MAX_FULLNAME) if fullname.strip() else ""
    if len(about) > MAX_ABOUT:
        raise Invalid(f"The text about you must have at most {MAX_ABOUT} characters.")
    user.about, user.website, user.email = about.strip(), check_website(website), email
    user.save(update_fields=["fullname", "about", "website", "email"])


def check_website(text: str) -> str:
    """Answer ``text`` if it is a web address that a page may link to, or nothing.

    Raises:
        Invalid: it is something else.
    """
    if not text:
        return ""
    try:
        _is_url(text)
    except ValidationError:
        raise Invalid("The website must look like https://example.org.") from None
    if urlsplit(text).username is not None:
        raise Invalid("The website must hold no user name.")
    return text
