"""A year of monthly releases, drawn by a backfill and then once more by another, under two schedulers.

The same bytes come out, paid for once.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from deltalake import DeltaTable

from tests.e2e.conftest import AIRFLOW, ENDED, Finished, backfill, new_environment, open_embedded
from veil.demo import generate
from veil.embedded.rest import Airflow

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
CONFIG = Path(__file__).parents[2] / "dags" / "config"
RHO = 0.02
DECLARED = f"""name = "monthly_visits"
title = "Encounters by month"
source = "ehr"
privacy_unit = "patient"
recipients = ["Public"]
window = "month"
[records]
types = ["Encounter"]
[columns]
month = {{ read = "start", as = "month" }}
[[queries]]
name = "patients"
statistic = "patients"
by = []
cells = 1
rho = {RHO}
[cost]
delta = 1e-7
"""


@pytest.fixture
def hospital(tmp_path: Path) -> Iterator[Finished]:
    """An installation with a release by windows, whose pipeline has taken a drop."""
    config = shutil.copytree(CONFIG, tmp_path / "config")
    (config / "releases" / "monthly_visits.toml").write_text(DECLARED)
    environment = {**new_environment(tmp_path / "home"), "VEIL_CONFIG": str(config)}
    installation = Finished(tmp_path / "home", environment, 0, "")
    try:
        up = installation.veil("up")
        assert up.returncode == 0, up.stderr
        generate(tmp_path / "drop", patients=20)
        assert installation.veil("drop", str(tmp_path / "drop"), "--source", "ehr").returncode == 0
        yield installation
    finally:
        installation.veil("down")


@pytest.fixture
def second_scheduler(hospital: Finished, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Another scheduler on the same database, which hands out the same tasks beside the first."""
    home = open_embedded(hospital, monkeypatch)
    with (hospital.home / "airflow" / "second-scheduler.log").open("wb") as log:
        command = [AIRFLOW, "scheduler"]
        started = subprocess.Popen(command, env=home.environment(), stdout=log, stderr=log, start_new_session=True)
        try:
            yield
            assert started.poll() is None, "the second scheduler has ended"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGTERM)
            started.wait()


def spent(installation: Finished) -> dict[str, float]:
    blocks = json.loads(installation.veil("budget", "show", "--json").stdout)
    return {block["block_id"]: block["spent"] / 1e9 for block in blocks}


def drawn(installation: Finished) -> dict[str, set[tuple[str, float]]]:
    table = DeltaTable(str(installation.home / "lake" / "releases" / "monthly_visits")).to_pyarrow_table()
    by_period: dict[str, set[tuple[str, float]]] = {}
    for row in table.to_pylist():
        by_period.setdefault(row["period"], set()).add((row["unit"], row["value"]))
    return by_period


@pytest.mark.usefixtures("second_scheduler")
def test_a_year_is_drawn_once_however_often_it_is_backfilled(
    hospital: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = open_embedded(hospital, monkeypatch)
    client = Airflow(home.airflow_url, "admin", hospital.password)
    until = time.monotonic() + 600
    while not any(
        run["state"] in ENDED and run["run_type"] != "scheduled"
        for run in client.get("/dags/pipeline/dagRuns")["dag_runs"]
    ):
        assert time.monotonic() < until
        time.sleep(2)
    before = spent(hospital)
    runs = backfill(home, client, "release_monthly_visits", "2025-01-01", "2025-12-31", 900)
    assert {run["state"] for run in runs} == {"success"}
    first, paid = drawn(hospital), spent(hospital)
    assert set(first) == {f"2025-{month:02d}" for month in range(1, 13)}
    assert paid["ehr/lifetime"] - before["ehr/lifetime"] == pytest.approx(12 * RHO)
    assert all(paid[f"ehr/{period}"] == pytest.approx(RHO) for period in first)
    runs = backfill(home, client, "release_monthly_visits", "2025-01-01", "2025-12-31", 900)
    assert {run["state"] for run in runs} == {"success"}
    assert (drawn(hospital), spent(hospital)) == (first, paid)
    assert hospital.veil("budget", "verify").returncode == 0
