"""A day is processed again by Airflow's own command line, and the tables stay as they were."""

from __future__ import annotations

import json

import pytest

from tests.e2e.conftest import BLOCKED, Finished, backfill_today, open_embedded, published
from veil.embedded.rest import Airflow

pytestmark = pytest.mark.slow


def test_a_backfill_by_the_command_line_gives_the_same_tables_and_spends_nothing(
    finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = open_embedded(finished, monkeypatch)
    before, spent = published(finished.home), json.loads(finished.veil("budget", "show", "--json").stdout)
    states = backfill_today(home, Airflow(home.airflow_url, "admin", finished.password))
    assert {task for task, state in states.items() if state != "success"} == BLOCKED
    assert published(finished.home) == before
    assert set(before) == {"photo", "tabular"}
    assert json.loads(finished.veil("budget", "show", "--json").stdout) == spent
