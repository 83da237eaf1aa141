"""The demonstration as a user runs it: the real scheduler, Spark, Delta, Great Expectations and OpenDP."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from tests.e2e.conftest import Finished, open_embedded
from veil.demo import GroundTruth
from veil.detect.scan import scan


def test_it_ends_well_and_says_what_was_blocked(finished: Finished) -> None:
    assert finished.code == 0, finished.output
    assert "known-identifier" in finished.output
    assert "Closing scan: no known identifier outside the restricted zone" in finished.output


def test_the_report_can_be_read_again(finished: Finished) -> None:
    report = json.loads(finished.veil("report", finished.run, "--json").stdout)
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
    page = f"{finished.url}/veil/report?dag=pipeline&run={urllib.request.quote(finished.run)}"
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(page, timeout=30)
    body = json.dumps({"username": "admin", "password": finished.password}).encode()
    login = urllib.request.Request(f"{finished.url}/auth/token", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(login, timeout=30) as answer:
        token = json.load(answer)["access_token"]
    request = urllib.request.Request(page, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert "known-identifier" in answer.read().decode()


def test_the_blocked_row_can_be_seen(finished: Finished) -> None:
    items = json.loads(finished.veil("quarantine", "list", "--stage", "audit", "--json").stdout)
    assert [item["rule"] for item in items] == ["known-identifier"]
    truth = GroundTruth.from_json(finished.home / "lake" / "restricted" / "demo-truth.json")
    assert truth.gate_leak.value in finished.veil("quarantine", "show", items[0]["item_id"]).stdout


PROVOKE = """
import logging.config, sys
import pyspark.sql.connect.logging
from veil.entry import Arguments, guarded
from veil.session import open_session

def run(settings, store, arguments):
    spark = open_session("test")
    people = spark.sql("SELECT concat('Quillon ', name) AS name FROM VALUES ('Vasterby') AS people(name)")
    people.createOrReplaceTempView("people")
    if "sql" in sys.argv:
        spark.sql("SELECT CAST(name AS INT) FROM people").collect()
    people.select(people.name.cast("int")).collect()

screen = {"class": "logging.StreamHandler"}
logging.config.dictConfig(
    {"version": 1, "disable_existing_loggers": False, "handlers": {"x": screen}, "root": {"handlers": ["x"]}}
)
print(guarded("test", run, Arguments("a run")))
"""


@pytest.mark.parametrize("way", ["sql", "columns"])
def test_what_an_error_of_the_shared_spark_quotes_is_in_no_log_of_the_task(
    finished: Finished, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    home = open_embedded(finished, monkeypatch)
    remote = {"VEIL_SPARK_REMOTE": f"sc://localhost:{home.spark_port}/;token={home.secrets['spark']}"}
    command = [sys.executable, "-c", PROVOKE, way]
    done = subprocess.run(command, env=home.environment() | remote, capture_output=True, text=True, check=True)
    assert "CAST_INVALID_INPUT" in done.stdout
    assert "Vasterby" not in done.stdout + done.stderr
