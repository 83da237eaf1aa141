"""The command line of spark-submit: each word stays one word, whatever is in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from veil import session
from veil.settings import Settings
from veil.submit import driver_log, submit_command, submit_environment

JOB = Path("/opt/my veil/jobs/ingest.py")
ARGUMENTS = {"run_key": "manual__2026-01-01T00:00:00+00:00", "product": "research", "date": ""}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("VEIL_LAKE", "VEIL_CONTROL", "VEIL_KEY_FILE", "VEIL_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VEIL_HOME", str(tmp_path / "my home; $(x)"))
    monkeypatch.setattr(session, "jars", lambda: [Path("/opt/my jars/delta.jar")])
    return tmp_path / "my home; $(x)"


def conf(command: list[str]) -> dict[str, str]:
    return dict(
        command[at + 1].split("=", 1) for at, word in enumerate(command) if word == "--conf"
    )  # fmt: skip


def test_paths_with_spaces_stay_one_word(home: Path) -> None:
    command = submit_command("local[2]", JOB, ARGUMENTS, {})
    assert str(JOB) in command
    assert conf(command)["spark.executorEnv.VEIL_HOME"] == str(home)
    assert conf(command)["spark.executorEnv.VEIL_LAKE"] == str(home / "lake")
    assert conf(command)["spark.jars"] == "/opt/my jars/delta.jar"


def test_the_job_comes_after_sparks_own_words_and_before_its_arguments() -> None:
    command = submit_command("spark://host:7077", JOB, ARGUMENTS, {})
    at = command.index(str(JOB))
    assert command[1:3] == ["--master", "spark://host:7077"]
    assert "--conf" not in command[at:]
    run_key = ["--run-key", ARGUMENTS["run_key"]]
    assert command[at + 1 :] == [*run_key, "--product", "research", "--date", ""]


def test_the_connection_sizes_the_driver_and_executors_and_adds_settings() -> None:
    options = {"cores": 8, "driver-memory": "4g", "conf": {"spark.ui.enabled": "true", "spark.x": 1}}
    command = submit_command("yarn", JOB, ARGUMENTS, options)
    assert command[command.index("--driver-memory") + 1] == "4g"
    assert "--executor-memory" not in command
    assert conf(command)["spark.sql.shuffle.partitions"] == "8"
    assert conf(command)["spark.ui.enabled"] == "true"
    assert conf(command)["spark.x"] == "1"


def test_no_plan_and_no_page_shows_values() -> None:
    set_to = conf(submit_command("yarn", JOB, ARGUMENTS, {}))
    assert set_to["spark.sql.maxPlanStringLength"] == "0"
    assert set_to["spark.ui.enabled"] == "false"


def test_the_driver_does_not_find_the_connect_server(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(session.REMOTE, "sc://localhost:15002/;token=t")
    environment = submit_environment()
    assert session.REMOTE not in environment
    assert Settings.from_env(environment) == Settings.from_env()
    assert environment["VEIL_HOME"] == str(home)


def test_what_a_driver_logs_goes_to_the_restricted_zone(home: Path) -> None:
    log = driver_log("ingest")
    assert log.parent == home / "lake" / "restricted" / "logs"
    log.write_text("written")
