"""The demonstration as a user runs it: the real scheduler, Spark, Delta, Great Expectations and OpenDP."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest

from tests.e2e.conftest import Finished
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
