"""What the routes promise as a whole."""

from django.urls import get_resolver

from hub.management.commands.list_routes import HOME, document
from teams.http.checks import every_route_declares_its_action, routes
from teams.names import RESERVED


def test_the_list_of_urls_is_up_to_date() -> None:
    assert HOME.read_text() == document(), "run manage.py list_routes"


def test_every_route_says_who_may_use_it() -> None:
    assert every_route_declares_its_action() == []


def test_every_first_segment_of_a_url_is_a_name_that_nobody_can_have() -> None:
    firsts = {route.removeprefix("^").split("/")[0] for route, _ in routes(get_resolver())}

    words = {first for first in firsts if first and "<" not in first and "(" not in first}

    assert words <= RESERVED
