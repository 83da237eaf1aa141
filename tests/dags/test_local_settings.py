"""The scheduler has loaded what its tasks need; no other part of Airflow pays for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
READ = """
import sys
sys.argv = ["airflow", sys.argv[1]]
import airflow_local_settings
print(*(name in sys.modules for name in ("great_expectations", "opendp", "deltalake", "pyspark.sql.connect.session")))
"""


@pytest.mark.parametrize(
    ("part", "executor", "loaded"),
    [
        ("scheduler", "LocalExecutor", True),
        ("scheduler", "CeleryExecutor", False),
        ("api-server", "LocalExecutor", False),
    ],
)
def test_what_is_loaded_before_the_tasks_fork(part: str, executor: str, loaded: bool) -> None:
    environment = {**os.environ, "PYTHONPATH": str(PLUGINS), "AIRFLOW__CORE__EXECUTOR": executor}
    done = subprocess.run(
        [sys.executable, "-c", READ, part], env=environment, capture_output=True, text=True, check=True
    )
    assert set(done.stdout.splitlines()[-1].split()) == {str(loaded)}  # Airflow prints before it
