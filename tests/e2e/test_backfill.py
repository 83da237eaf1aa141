"""A day is processed again by Airflow's own command line, and the tables stay as they were."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from deltalake import DeltaTable

from tests.e2e.conftest import Finished
from veil.embedded.places import Embedded, open_home
from veil.embedded.rest import Airflow
from veil.settings import Settings

AIRFLOW = Path(sys.executable).with_name("airflow")
ENDED = ("success", "failed")
SECONDS = 400
pytestmark = pytest.mark.slow
BLOCKED = {"research.text.audit", "research.text.publish", "report"}
"""The gate stops the planted leak again, and says so again."""


def opened(finished: Finished, monkeypatch: pytest.MonkeyPatch) -> Embedded:
    for name in ("VEIL_AIRFLOW_PORT", "VEIL_SPARK_PORT"):
        monkeypatch.setenv(name, finished.environment[name])
    return open_home(Settings.from_env(finished.environment))


def published(home: Path) -> dict[str, set[tuple[str, str, str]]]:
    """What a reader sees, by modality."""
    root = home / "lake" / "published" / "research" / "epoch-1"
    return {
        table.name: {
            (row["row_id"], row["subject"], row["sha256"])
            for row in DeltaTable(str(table)).to_pyarrow_table(columns=["row_id", "subject", "sha256"]).to_pylist()
        }
        for table in root.iterdir()
        if (table / "_delta_log").exists()
    }


def backfilled(client: Airflow) -> dict[str, Any]:
    """Wait for the run of the backfill to end."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        runs = client.get("/dags/pipeline/dagRuns?run_type=backfill")["dag_runs"]
        if runs and all(run["state"] in ENDED for run in runs):
            return dict(runs[0])
        time.sleep(2)
    raise AssertionError("the backfill did not end")


def test_a_backfill_by_the_command_line_gives_the_same_tables_and_spends_nothing(
    finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = opened(finished, monkeypatch)
    before, spent = published(finished.home), json.loads(finished.veil("budget", "show", "--json").stdout)
    today = datetime.now(UTC).date().isoformat()
    day = ("--from-date", today, "--to-date", today)
    command = [AIRFLOW, "backfill", "create", "--dag-id", "pipeline", *day, "--reprocess-behavior", "completed"]
    done = subprocess.run(command, env=home.environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    client = Airflow(home.airflow_url, "admin", finished.password)
    run = backfilled(client)
    tasks = client.get(f"/dags/pipeline/dagRuns/{quote(run['dag_run_id'])}/taskInstances?limit=100")["task_instances"]
    assert {task["task_id"] for task in tasks if task["state"] != "success"} == BLOCKED
    assert published(finished.home) == before
    assert set(before) == {"photo", "tabular"}
    assert json.loads(finished.veil("budget", "show", "--json").stdout) == spent
