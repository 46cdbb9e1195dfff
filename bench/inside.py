"""Import this first to call the product's own functions: Django on scratch data of this process."""

import atexit
import os
import shutil

import django
from server import scratch_folder

FOLDER = scratch_folder()
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)

for name in [name for name in os.environ if name.startswith("WEIGHHOUSE_")]:
    del os.environ[name]
os.environ["WEIGHHOUSE_DATA"] = str(FOLDER / "data")
os.environ["DJANGO_SETTINGS_MODULE"] = "hub.config.settings"
django.setup()
