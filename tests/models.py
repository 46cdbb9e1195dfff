"""A worker that runs models beside a live hub, and a model that answers what it is asked."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from huggingface_hub import HfApi

from hub.config.children import Child
from hub.config.supervise import GPU
from tests.live import ROOT, LiveServer, wait_until

ECHO = "ada/echo"


@contextmanager
def models_of(hub: LiveServer, **environ: str) -> Iterator[Child]:
    """Run an inference worker beside ``hub``, as the supervisor does."""
    log = os.open(hub.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    command = [sys.executable, "-m", "celery", *GPU.split()]
    variables = {**hub.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **environ}
    worker = Child("gpu", command, variables, orphan_signal=signal.SIGQUIT, log_to=log)
    opened = hub.told().count("line_open")
    worker.start()
    try:
        wait_until(lambda: hub.told().count("line_open") > opened, 120, "the line of the worker")
        yield worker
    finally:
        worker.signal(signal.SIGTERM)
        if worker.process is not None:
            worker.process.wait(timeout=30)
        os.close(log)


def push_echo(
    api: HfApi, name: str = ECHO, *, task: str = "text-to-image", private: bool = False
) -> str:
    """Make a model that answers what it is asked; its card says that it is for ``task``."""
    api.create_repo(name, exist_ok=True, private=private)
    config = {"architectures": ["Echo"], "model_type": "echo"}
    card = f"---\npipeline_tag: {task}\n---\n# Echo\n"
    api.upload_file(
        path_or_fileobj=json.dumps(config).encode(), path_in_repo="config.json", repo_id=name
    )
    api.upload_file(path_or_fileobj=card.encode(), path_in_repo="README.md", repo_id=name)
    return name
