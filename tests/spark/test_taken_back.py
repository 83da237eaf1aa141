"""What has to leave the published tables leaves them, also when something else holds the run up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.spark.conftest import Installation, new_installation
from tests.spark.resources import condition, denial, patient, permit, write

LEAK = {**condition(2), "id": "leak", "note": [{"text": "x"}], "code": {"text": "metoprolol 77041001 mg daily"}}
"""Another patient's number, written like a dose: the anonymizer takes it for one, and the gate does not."""


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Three patients with a condition each, published; a fourth's denial came before any record of theirs.

    One of the three denied, and permits since. A fourth condition is deleted by a second drop before the first run.
    """
    home = tmp_path_factory.mktemp("taken back")
    made = new_installation(home / "home")
    said = [denial(0, "2025-12-01"), permit(0, "2025-12-15"), denial(9, "2026-01-01")]
    made.land(write(home / "in", *map(patient, range(3)), *map(condition, range(4)), *said))
    made.land(write(home / "in", deleted=("Condition/c3",)))
    made.run("night-0")
    return made


def conditions(installation: Installation) -> list[tuple[str, str]]:
    """(row_id, subject) of every published condition."""
    rows = [row for row in installation.published("tabular") if row["type"] == "Condition"]
    assert all(json.loads(row["content"])["subject"]["reference"] for row in rows)
    return [(row["row_id"], row["subject"]) for row in rows]


def test_a_denial_that_came_before_its_patient_counts_and_a_corrected_record_leaves_whom_it_was_about(
    installation: Installation, tmp_path: Path
) -> None:
    before = set(conditions(installation))
    theirs = {**condition(9), "subject": {"reference": "Patient/p9"}}
    corrected = {**condition(0, updated="2026-01-02T00:00:00Z"), "subject": {"reference": "Patient/p2"}}
    installation.land(write(tmp_path / "in", patient(9), theirs, corrected))
    installation.run("night-1")
    after = set(conditions(installation))
    assert len(before) == len(after) == 3
    assert len(before - after) == len(after - before) == 1
    assert len({subject for _, subject in after}) == 2


@pytest.mark.slow
def test_a_denial_does_not_wait_for_what_the_gate_blocks(installation: Installation, tmp_path: Path) -> None:
    before = conditions(installation)
    withdrawn = permit(0, "2025-12-15", status="inactive", meta={"lastUpdated": "2026-02-01T00:00:00Z"})
    installation.land(write(tmp_path / "in", denial(1), withdrawn, LEAK))
    installation.run("night-2")
    assert any("gate blocked tabular" in refusal for refusal in installation.refused)
    assert any("has not passed its gate" in refusal for refusal in installation.refused)
    after = conditions(installation)
    assert len(after) == len(before) - 1
    assert len([row for row in installation.published("tabular") if row["type"] == "Patient"]) == 1
