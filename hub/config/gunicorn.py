"""Settings of the web server: `gunicorn --config python:hub.config.gunicorn`.

gthread sends a file with sendfile from the thread that answers (`wsgi.file_wrapper`), passes
request bodies through as streams, chunked ones too, and tells the undecoded target as RAW_URI.
"""

import ctypes
import os
from pathlib import Path

from hub.config import logs
from hub.config.env import load

env = load()
# One for each thread at most: a slow upload that keeps its connection can then starve nobody.
os.environ.setdefault("WEIGHHOUSE_DATABASE_POOL", str(env.web_threads))
logs.configure(env.log_format, env.log_level)

_M_ARENA_MAX = -8
_mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
if _mallopt is not None:
    # mallopt(3), where the C library has it. Else threads have heaps of their own, sixteen for two
    # cores, and each keeps what the uploads and downloads of its threads once took.
    _mallopt(_M_ARENA_MAX, 2)

bind = f"[{env.bind}]:{env.port}" if ":" in env.bind else f"{env.bind}:{env.port}"
workers = env.web_workers
worker_class = "gthread"
threads = env.web_threads
worker_connections = 1000
preload_app = True
sendfile = True
# Longer than a proxy keeps its end, so that a request never meets a closing connection.
keepalive = 75
graceful_timeout = 7
timeout = 60
limit_request_line = 8190
limit_request_field_size = 16_380
forwarded_allow_ips = ",".join(env.trusted_proxies)
logger_class = "hub.config.access_log.AccessLog"
control_socket_disable = True
# The heartbeat file: on a busy disk a late touch would look like a hung worker.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
