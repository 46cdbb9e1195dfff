"""WSGI entry: what gunicorn serves."""

import os

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "hub.config.settings"

application = get_wsgi_application()

# Loads every route before the first request, and serves none that does not say who may use it.
call_command("check")
