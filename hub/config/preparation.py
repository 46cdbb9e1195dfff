"""What a start does before anybody is served: migrate, make the first account, declare queues.

A program of its own, `python -m hub.config.preparation`, so that the supervisor stays small.
"""

import os
import shutil
import sys
from pathlib import Path

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "hub.config.settings"
django.setup()

import structlog  # noqa: E402 - models need the set-up above
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from kombu.connection import Connection  # noqa: E402

from hub.config import fingerprint  # noqa: E402
from hub.config.celery import QUEUES, app  # noqa: E402
from hub.config.env import load  # noqa: E402
from teams.models import User  # noqa: E402
from teams.services import accounts, tokens  # noqa: E402

log = structlog.get_logger(__name__)

ADMIN = "admin"
MIGRATION_LOCK = 0x77656967
"""Any number, the same for all: two starts on one database migrate one after the other."""

GREETING = """
  Account   {name}
  Sign in   {url}{link}
            (works once, within three days)
  Token     {token}
            (may write; shown only this once)

Try it: paste this into a shell on this machine (it needs pip install huggingface_hub)

export HF_ENDPOINT={url}
export HF_TOKEN={token}
python3 - <<'END'
from huggingface_hub import create_repo, hf_hub_download, upload_file

repo = create_repo("{name}/hello", exist_ok=True).repo_id
upload_file(path_or_fileobj=b"Hello, Weighhouse!\\n", path_in_repo="hello.txt", repo_id=repo)
print(open(hf_hub_download(repo, "hello.txt")).read())
END
"""


def main() -> None:
    env = load()
    migrate()
    if not env.broker_url:
        declare_queues(env.broker_folder)
    sys.stdout.write(first_account(env.public_url))
    fingerprint.note(env)


def migrate() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        try:
            call_command("migrate", interactive=False, verbosity=0)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])
    log.info("migrated")


def declare_queues(home: Path) -> None:
    """Bind every queue while nobody else runs: kombu's files of bindings are no place for races."""
    shutil.rmtree(home / "control", ignore_errors=True)
    for name in ("messages", "control", "taken"):
        (home / name).mkdir(parents=True, exist_ok=True)
    broker: Connection = app.connection_for_write()
    with broker:
        for queue in QUEUES:
            queue(broker.channel()).declare()  # type: ignore[no-untyped-call]


def first_account(url: str) -> str:
    """On an empty hub make its first account, and answer how to use it; else the empty text."""
    with transaction.atomic():
        if User.objects.exists():
            return ""
        user = accounts.create_user(name=ADMIN, by=None, admin=True)
        _token, secret = tokens.issue(user=user, name="first start", role="write")
    link = accounts.sign_in_link(user)
    return GREETING.format(url=url, name=user.name, link=link, token=secret)


if __name__ == "__main__":
    main()
