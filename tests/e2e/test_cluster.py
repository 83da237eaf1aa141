"""The demonstration on a Spark standalone master with two workers: only Airflow's connection is another."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import VEIL, free_port
from veil.submit import spark_home, submit_environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
WORKERS = 2
SECONDS = 60


@pytest.fixture
def master(tmp_path: Path) -> Iterator[int]:
    """A master of Spark's own kind with two workers of one core; gives its port."""
    port, page = free_port(), free_port()
    spark_class = spark_home() / "bin" / "spark-class"
    place = ("--host", "127.0.0.1")
    commands = [["org.apache.spark.deploy.master.Master", *place, "--port", port, "--webui-port", page]]
    for number in range(WORKERS):
        own = ("--cores", "1", "--memory", "1500m", "--work-dir", str(tmp_path / f"worker {number}"))
        commands.append(["org.apache.spark.deploy.worker.Worker", *place, *own, f"spark://127.0.0.1:{port}"])
    with (tmp_path / "cluster.log").open("wb") as log:
        started = [
            subprocess.Popen([spark_class, *command], env=submit_environment(), stdout=log, stderr=log)
            for command in commands
        ]
        try:
            _wait_for_workers(page)
            yield int(port)
        finally:
            for process in reversed(started):
                process.terminate()
                process.wait()


def _wait_for_workers(page: str) -> None:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{page}/json/", timeout=5) as answer:
                if json.load(answer)["aliveworkers"] == WORKERS:
                    return
        except OSError:
            pass
        time.sleep(1)
    raise AssertionError("the workers did not come up")


def test_the_same_dag_runs_on_a_cluster_when_its_connection_says_so(master: int, tmp_path: Path) -> None:
    home = tmp_path / "home of a cluster"
    connection = {
        "conn_type": "spark",
        "host": "spark://127.0.0.1",
        "port": master,
        "extra": {"cores": WORKERS, "executor-memory": "1g"},
    }
    environment = {
        **os.environ,
        "VEIL_HOME": str(home),
        "VEIL_AIRFLOW_PORT": free_port(),
        "VEIL_SPARK_PORT": free_port(),
        "AIRFLOW_CONN_VEIL_SPARK": json.dumps(connection),
    }
    command = [VEIL, "demo", "--patients", "12"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    # the drivers' logs are where spark-submit wrote, and the executors were the cluster's
    logs = home / "lake" / "restricted" / "logs"
    assert "StandaloneSchedulerBackend" in (logs / "spark-submit-ingest.log").read_text()
