"""The Celery app, its queues and its beat table. The queue is a doorbell: rows hold the work."""

import os
import warnings

from celery import Celery
from celery.platforms import SecurityWarning
from celery.schedules import schedule
from celery.signals import setup_logging
from kombu.entity import Exchange, Queue

from hub.config.env import load

# Whoever runs the hub as root was told so by its manual; a page of warning per start helps nobody.
warnings.simplefilter("ignore", SecurityWarning)

os.environ["DJANGO_SETTINGS_MODULE"] = "hub.config.settings"

env = load()

QUEUES = tuple(
    Queue(name, Exchange(name), routing_key=name)  # type: ignore[no-untyped-call]
    for name in ("cpu", "heavy", "gpu")
)
"""Seconds of work, minutes of it, and what models do: none has to wait for another."""

BEAT: dict[str, dict[str, str | schedule | dict[str, int]]] = {
    "recount-downloads": {
        "task": "hub.tasks.counters.recount_downloads",
        "schedule": schedule(600),
    },
    "index-pending": {
        "task": "hub.tasks.history.index_pending",
        "schedule": schedule(60),
    },
    "sweep-jobs": {
        "task": "hub.tasks.jobs.sweep_jobs",
        "schedule": schedule(15),
        "options": {"expires": 15},
    },
    "deliver-webhooks": {
        "task": "hub.tasks.webhooks.deliver",
        "schedule": schedule(5),
        # One that nobody took in time is no loss: the next one does its work.
        "options": {"expires": 5},
    },
    "bound-queues": {
        "task": "hub.tasks.webhooks.bound_queues",
        "schedule": schedule(60),
        "options": {"expires": 60},
    },
    "forget-deliveries": {
        "task": "hub.tasks.webhooks.forget_deliveries",
        "schedule": schedule(3600),
    },
    "forget-id-tokens": {
        "task": "hub.tasks.publishers.forget_id_tokens",
        "schedule": schedule(3600),
    },
    "send-mail": {
        "task": "teams.tasks.mail.send",
        "schedule": schedule(60),
    },
    "forget-mail": {
        "task": "teams.tasks.mail.forget",
        "schedule": schedule(3600),
    },
    "seal-audit": {
        "task": "teams.tasks.audit.seal",
        "schedule": schedule(5),
        "options": {"expires": 5},
    },
    "forget-rates": {
        "task": "teams.tasks.rates.forget",
        "schedule": schedule(3600),
    },
    "anchor-audit": {
        "task": "teams.tasks.audit.anchor",
        "schedule": schedule(3600),
    },
    "prune-audit": {
        "task": "teams.tasks.audit.prune",
        "schedule": schedule(24 * 3600),
    },
    "scan-queued": {
        "task": "hub.tasks.scanning.scan_queued",
        "schedule": schedule(60),
        "options": {"expires": 60},
    },
    "renew-scans": {
        "task": "hub.tasks.scanning.renew",
        "schedule": schedule(3600),
    },
    "scrub": {
        "task": "hub.tasks.scrubbing.scrub",
        "schedule": schedule(3600),
    },
    "settle-datasets": {
        "task": "datasets_app.tasks.tidying.settle",
        "schedule": schedule(60),
        "options": {"expires": 60},
    },
    "forget-datasets": {
        "task": "datasets_app.tasks.tidying.forget",
        "schedule": schedule(3600),
    },
    "sweep-staging": {
        "task": "hub.tasks.storage.sweep_staging",
        "schedule": schedule(3600),
    },
    "collect-garbage": {
        "task": "hub.tasks.storage.collect_garbage",
        "schedule": schedule(3600),
    },
}

if env.convert_to_xet:
    BEAT["convert-to-xet"] = {
        "task": "hub.tasks.conversion.convert_pending",
        "schedule": schedule(300),
    }

app = Celery("weighhouse")
app.conf.update(
    broker_url=env.broker_url or "filesystem://localhost//",
    broker_connection_retry_on_startup=True,
    task_default_queue="cpu",
    task_queues=QUEUES,
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_serializer="json",
    accept_content=["json"],
    beat_schedule=BEAT,
    timezone="UTC",
    worker_prefetch_multiplier=1,
    # Nobody remote controls our workers, and the folders have no broadcast worth having.
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    worker_hijack_root_logger=False,
    worker_cancel_long_running_tasks_on_connection_loss=True,
)
if not env.broker_url:
    app.conf.broker_transport = "hub.config.broker:FolderTransport"
    app.conf.broker_transport_options = {
        "data_folder_in": str(env.broker_folder / "messages"),
        "data_folder_out": str(env.broker_folder / "messages"),
        "control_folder": str(env.broker_folder / "control"),
        "processed_folder": str(env.broker_folder / "taken"),
        "polling_interval": 0.2,
    }
app.autodiscover_tasks()


def _keep_our_logging(**_rest: object) -> None:
    """Being connected at all keeps Celery from setting up logging of its own."""


setup_logging.connect(_keep_our_logging)
