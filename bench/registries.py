"""One model and a list of 1,000: how long here, and how long in MLflow's registry?"""

import json
import os
import statistics
import time
from collections.abc import Callable
from functools import partial

import psycopg
from clients import USER, Client
from measure import ROOT, Sample, Table, Target, in_turn, options, seconds
from server import Server, answers, free_port, wait_until

from hub.config.postgres import SUPERUSER, socket_folder

MLFLOW = ("mlflow==3.17.2", "psycopg2-binary==2.9.11")
"""In an environment of its own: it wants another gunicorn than ours."""
API = "/api/2.0/mlflow"
PAGE = 1000
"""The longest page that either of them gives."""


def main() -> None:
    asked = options(__doc__ or "")
    models = 50 if asked.quick else 1000
    calls = 10 if asked.quick else 50
    with Server() as server:
        mlflow = Client(_started_mlflow(server), "")
        hub = server.client()
        _fill(hub, mlflow, models)
        ways = {
            "info": lambda: _median(calls, partial(_info, hub)),
            "get": lambda: _median(calls, partial(_get, mlflow)),
            "list": lambda: _median(calls // 5, partial(_list, hub, models)),
            "search": lambda: _median(calls // 5, partial(_search, mlflow, models)),
        }
        found = in_turn(ways, rounds=asked.rounds)
    times = {name: [1000 * one for one in seconds(samples)] for name, samples in found.items()}
    table = Table(f"{models:,} models, p50 of each round, {asked.rounds} rounds")
    third = Target(at_most=1 / 3)
    table.compare("one model, ours : MLflow", times["info"], times["get"], unit="ms", target=third)
    table.compare(
        f"list of {models:,}, ours : MLflow",
        times["list"],
        times["search"],
        unit="ms",
        target=third,
    )
    table.print()


def _started_mlflow(server: Server) -> str:
    """Start MLflow on a database of the same PostgreSQL, with as many processes; answer its URL."""
    host, port = socket_folder(server.data), free_port()
    with psycopg.connect(host=str(host), user=SUPERUSER, dbname="postgres", autocommit=True) as one:
        one.execute("CREATE DATABASE mlflow")
    environment = [part for package in MLFLOW for part in ("--with", package)]
    command = [str(ROOT / ".venv/bin/uv"), "run", "--no-project", *environment, "mlflow", "server"]
    store = f"postgresql+psycopg2://{SUPERUSER}@/mlflow?host={host}"
    given = {
        "backend-store-uri": store,
        "default-artifact-root": server.folder / "artifacts",
        "port": port,
        "workers": 2,
    }
    command += [f"--{name}={value}" for name, value in given.items()]
    # Without its job runner, whose processes would only take CPU from its own answers.
    environ = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    server.start_beside(command, {**environ, "MLFLOW_DISABLE_TELEMETRY": "true"})
    wait_until(lambda: answers(port, "/health"), "MLflow")
    return f"http://127.0.0.1:{port}"


def _name(number: int) -> str:
    return f"model-{number:04}"


def _fill(hub: Client, mlflow: Client, count: int) -> None:
    """A repo has a first commit; a registered model gets a first version."""
    for number in range(count):
        hub.create_repo(_name(number))
        mlflow.post(f"{API}/registered-models/create", {"name": _name(number)})
        version = {"name": _name(number), "source": f"s3://models/{number}"}
        mlflow.post(f"{API}/model-versions/create", version)


def _median(count: int, call: Callable[[], object]) -> Sample:
    times = []
    for _ in range(count):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return Sample(statistics.median(times))


def _info(hub: Client) -> None:
    hub.get(f"/api/models/{USER}/{_name(7)}")


def _get(mlflow: Client) -> None:
    mlflow.get(f"{API}/registered-models/get?name={_name(7)}")


def _list(hub: Client, count: int) -> None:
    _check(len(json.loads(hub.get(f"/api/models?limit={PAGE}"))), count)


def _search(mlflow: Client, count: int) -> None:
    answer = json.loads(mlflow.get(f"{API}/registered-models/search?max_results={PAGE}"))
    _check(len(answer["registered_models"]), count)


def _check(found: int, expected: int) -> None:
    if found != expected:
        raise SystemExit(f"{found} models are listed, not {expected}")


if __name__ == "__main__":
    main()
