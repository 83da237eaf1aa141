"""Every task is killed once, and Spark in between; Airflow retries, and the tables are those of a quiet run."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.e2e.conftest import (
    BLOCKED,
    ENDED,
    Finished,
    backfill_today,
    descendants,
    new_environment,
    open_embedded,
    published,
    task_states,
)
from veil.control import Store, registry
from veil.demo import generate
from veil.embedded.rest import Airflow
from veil.settings import Settings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
SECONDS = 1200
LONGEST_LIFE = 12.0
"""A task is killed up to so many seconds after it was seen: most live longer, and some end before."""
SPARK_LIVES = (60.0, 150.0)
"""When Spark is killed, in seconds from the first task on."""


@pytest.fixture
def upset(tmp_path: Path) -> Iterator[Finished]:
    """An installation that was given the drop of the demonstration and killed all along."""
    environment = new_environment(tmp_path / "upset home")
    installation = Finished(tmp_path / "upset home", environment, 0, "")
    try:
        assert installation.veil("up").returncode == 0
        generate(tmp_path / "drop", patients=20)
        assert installation.veil("drop", str(tmp_path / "drop"), "--source", "ehr").returncode == 0
        yield installation
    finally:
        installation.veil("down")


@dataclass
class Killer:
    """Kills the first try of each task at some moment, and Spark at two; `killed` counts what it got."""

    client: Airflow
    supervisor: int
    dice: random.Random = field(default_factory=lambda: random.Random(11))
    killed: Counter[str] = field(default_factory=Counter)
    due: dict[str, float] = field(default_factory=dict)

    def strike(self, run: str) -> None:
        """Kill what is due now."""
        now = time.monotonic()
        self.due = self.due or {f"spark {life}": now + life for life in SPARK_LIVES}
        path = f"/dags/pipeline/dagRuns/{quote(run)}/taskInstances?limit=100&state=running"
        for task in self.client.get(path)["task_instances"]:
            if task["try_number"] == 1:
                when = self.due.setdefault(task["task_id"], now + self.dice.uniform(0, LONGEST_LIFE))
                if now >= when:
                    self._kill(task["task_id"], task["id"])
        for name in [name for name, when in self.due.items() if name.startswith("spark") and now >= when]:
            self._kill(name, "SparkSubmit")

    def _kill(self, name: str, command: str) -> None:
        if self.killed[name]:
            return
        for process, words in descendants(self.supervisor):
            if command in words and "LocalExecutor" not in words:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
                    self.killed[name] += 1


def kill_all_along(installation: Finished, killer: Killer) -> str:
    """Strike until the run has ended; give its id."""
    until = time.monotonic() + SECONDS
    store = Store(Settings.from_env(installation.environment).control)
    while time.monotonic() < until:
        time.sleep(0.3)
        run = registry.last_run(store)
        if run is not None:
            killer.strike(run)
            if killer.client.get(f"/dags/pipeline/dagRuns/{quote(run)}")["state"] in ENDED:
                return run
    raise AssertionError(f"the run did not end; killed so far: {killer.killed}")


def types(home: Path) -> dict[str, Counter[str]]:
    """Rows by type: what two installations have in common, which have secrets of their own."""
    return {name: Counter(row[-1] for row in rows) for name, rows in published(home).items()}


def test_a_run_that_is_killed_at_every_task_ends_like_one_that_is_not(
    upset: Finished, finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = open_embedded(upset, monkeypatch)
    client = Airflow(home.airflow_url, "admin", upset.password)
    killer = Killer(client, int(home.pid_file.read_text()))
    run = kill_all_along(upset, killer)
    states = task_states(client, run)
    assert {task for task, state in states.items() if state != "success"} == BLOCKED
    assert sum(count for name, count in killer.killed.items() if name.startswith("spark")) >= 1, killer.killed
    assert len(killer.killed) > len(states) // 2, killer.killed
    assert types(upset.home) == types(finished.home)
    assert upset.veil("budget", "show", "--json").stdout == finished.veil("budget", "show", "--json").stdout
    before = published(upset.home)
    assert {task for task, state in backfill_today(home, client).items() if state != "success"} == BLOCKED
    assert published(upset.home) == before
