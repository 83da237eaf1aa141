"""The demonstration as a user runs it, once for all tests that look at what it leaves running."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from deltalake import DeltaTable

from veil.embedded.places import Embedded, open_home
from veil.embedded.rest import Airflow
from veil.settings import Settings

VEIL = Path(sys.executable).with_name("veil")
AIRFLOW = Path(sys.executable).with_name("airflow")
ENDED = ("success", "failed")
BACKFILL_SECONDS = 400
BLOCKED = {"research.text.audit", "research.text.publish", "report"}
"""What is not green in a run of the demonstration's drop: the gate stops the planted leak, and the report says so."""


@dataclass(frozen=True)
class Finished:
    """A demonstration that has ended, its Airflow still running."""

    home: Path
    environment: dict[str, str]
    code: int
    output: str

    def veil(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([VEIL, *words], env=self.environment, capture_output=True, text=True, check=False)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.environment['VEIL_AIRFLOW_PORT']}"

    @property
    def password(self) -> str:
        return self.password_of("admin")

    def password_of(self, user: str) -> str:
        return str(json.loads((self.home / "airflow" / "passwords.json").read_text())[user])

    @property
    def run(self) -> str:
        """The run that took the drop: other tests may have started others since."""
        return self.output.partition("\nRun ")[2].splitlines()[0]


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def new_environment(home: Path) -> dict[str, str]:
    """What `veil` is started with for an installation of its own."""
    return {
        **{name: value for name, value in os.environ.items() if name != "JAVA_TOOL_OPTIONS"},
        "VEIL_HOME": str(home),
        "VEIL_AIRFLOW_PORT": free_port(),
        "VEIL_SPARK_PORT": free_port(),
    }


def open_embedded(installation: Finished, monkeypatch: pytest.MonkeyPatch) -> Embedded:
    for name in ("VEIL_AIRFLOW_PORT", "VEIL_SPARK_PORT"):
        monkeypatch.setenv(name, installation.environment[name])
    return open_home(Settings.from_env(installation.environment))


def published(home: Path) -> dict[str, set[tuple[str, str, str, str]]]:
    """What a reader sees, by modality: (row_id, subject, sha256, type)."""
    root = home / "lake" / "published" / "research" / "epoch-1"
    columns = ["row_id", "subject", "sha256", "type"]
    return {
        table.name: {
            tuple(str(row[name]) for name in columns)
            for row in DeltaTable(str(table)).to_pyarrow_table(columns=columns).to_pylist()
        }
        for table in root.iterdir()
        if (table / "_delta_log").exists()
    }


def task_states(client: Airflow, run: str, dag: str = "pipeline") -> dict[str, str]:
    path = f"/dags/{dag}/dagRuns/{quote(run)}/taskInstances?limit=100"
    return {task["task_id"]: task["state"] for task in client.get(path)["task_instances"]}


def backfill_today(home: Embedded, client: Airflow) -> dict[str, str]:
    """Process today's drops again by Airflow's own command, and wait for its run; give the states of its tasks."""
    today = datetime.now(UTC).date().isoformat()
    return task_states(client, backfill(home, client, "pipeline", today, today)[0]["dag_run_id"])


def backfill(
    home: Embedded, client: Airflow, dag: str, first: str, last: str, seconds: float = BACKFILL_SECONDS
) -> list[dict[str, Any]]:
    """Backfill a DAG by Airflow's own command, and wait for its runs."""
    began = datetime.now(UTC).isoformat()
    days = ("--from-date", first, "--to-date", last)
    command = [AIRFLOW, "backfill", "create", "--dag-id", dag, *days, "--reprocess-behavior", "completed"]
    until = time.monotonic() + seconds
    while True:
        done = subprocess.run(command, env=home.environment(), capture_output=True, text=True, check=False)
        # Airflow closes a backfill some time after its last run has ended
        if "AlreadyRunningBackfill" not in done.stderr or time.monotonic() > until:
            break
        time.sleep(5)
    assert done.returncode == 0, done.stderr
    while time.monotonic() < until:
        # Airflow 3.3 makes new runs of days that were backfilled before
        runs = [run for run in _backfilled(client, dag) if str(run["start_date"] or "9") > began]
        if runs and all(run["state"] in ENDED for run in runs):
            return runs
        time.sleep(2)
    raise AssertionError("the backfill did not end")


def _backfilled(client: Airflow, dag: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/dags/{dag}/dagRuns?run_type=backfill&limit=100")["dag_runs"]
    return found


def descendants(ancestor: int) -> Iterator[tuple[int, str]]:
    """Every process that descends from another, with its command line."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    for process in parents:
        above = process
        while above in parents and above != ancestor:
            above = parents[above]
        if above == ancestor != process:
            with suppress(OSError):
                yield process, Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode()


@pytest.fixture(scope="package")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    home = tmp_path_factory.mktemp("demo home")
    environment = new_environment(home)
    command = [VEIL, "demo", "--patients", "20", "--keep"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    ended = Finished(home, environment, done.returncode, done.stdout + done.stderr)
    try:
        yield ended
    finally:
        ended.veil("down")
