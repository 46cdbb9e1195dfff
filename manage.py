"""The command line; `manage.py up` is the whole hub on one machine."""

import os
import sys


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "hub.config.settings"
    if sys.argv[1:2] == ["up"]:
        # Its options decide which environment the settings will see, so it runs before Django.
        from hub.config.supervise import main as up  # noqa: PLC0415

        sys.exit(up(sys.argv[2:]))
    from django.core.management import execute_from_command_line  # noqa: PLC0415

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
