"""The demonstration as a user runs it: the real scheduler, Spark, Delta, Great Expectations and OpenDP."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from veil.demo import GroundTruth
from veil.detect.scan import scan

VEIL = Path(sys.executable).with_name("veil")


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


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    home = tmp_path_factory.mktemp("demo home")
    environment = {
        **{name: value for name, value in os.environ.items() if name != "JAVA_TOOL_OPTIONS"},
        "VEIL_HOME": str(home),
        "VEIL_AIRFLOW_PORT": _free_port(),
        "VEIL_SPARK_PORT": _free_port(),
    }
    command = [VEIL, "demo", "--patients", "20", "--keep"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    ended = Finished(home, environment, done.returncode, done.stdout + done.stderr)
    try:
        yield ended
    finally:
        ended.veil("down")


def test_it_ends_well_and_says_what_was_blocked(finished: Finished) -> None:
    assert finished.code == 0, finished.output
    assert "known-identifier" in finished.output
    assert "Closing scan: no known identifier outside the restricted zone" in finished.output


def test_the_report_can_be_read_again(finished: Finished) -> None:
    report = json.loads(finished.veil("report", "--json").stdout)
    assert report["blocked"] == [["research", "text", "known-identifier", 1]]
    assert report["leaks"] == []
    assert [release["verdict"] for release in report["releases"]] == ["passed"]


def test_no_identifier_is_in_tables_logs_xcom_results_or_names(finished: Finished) -> None:
    truth = GroundTruth.from_json(finished.home / "lake" / "restricted" / "demo-truth.json")
    needles = {planted.value: planted.kind for planted in truth.identifiers}
    secret = [finished.home / "lake" / "restricted", finished.home / "keys", *finished.home.glob("control.db*")]
    assert (finished.home / "airflow" / "airflow.db").exists()
    assert scan(finished.home, needles, exclude=secret) == []


def test_the_console_answers_only_those_who_are_logged_in(finished: Finished) -> None:
    run = json.loads(finished.veil("report", "--json").stdout)["run"]
    page = f"{finished.url}/veil/report?dag=pipeline&run={urllib.request.quote(run)}"
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(page, timeout=30)
    password = json.loads((finished.home / "airflow" / "passwords.json").read_text())["admin"]
    body = json.dumps({"username": "admin", "password": password}).encode()
    login = urllib.request.Request(f"{finished.url}/auth/token", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(login, timeout=30) as answer:
        token = json.load(answer)["access_token"]
    request = urllib.request.Request(page, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert "known-identifier" in answer.read().decode()


def test_the_blocked_row_can_be_seen(finished: Finished) -> None:
    items = json.loads(finished.veil("quarantine", "list", "--stage", "audit", "--json").stdout)
    assert [item["rule"] for item in items] == ["known-identifier"]
