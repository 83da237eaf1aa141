"""What one patient can change in the counts of a release, whatever their records look like."""

from __future__ import annotations

import random

from tests.spark.conftest import PROJECT
from veil.privacy.bounding import bounded_counts
from veil.privacy.spec import load_release
from veil.session import open_session

RELEASE = load_release(PROJECT / "dags" / "config" / "releases" / "monthly_conditions.toml")
SCHEMA = "subject_uid string, query string, month string, category string, item string"
Row = tuple[str, str, str, str, str]


def rows_of(subject: str, number: int, draw: random.Random) -> list[Row]:
    keys = [*RELEASE.public_keys, ("1999-01", "no public key")]
    return [
        (subject, query, *cell, f"{subject}-{index}" if query == "encounters" else cell[1])
        for index in range(number)
        for query in ("patients", "encounters")
        for cell in [draw.choice(keys)]
    ]


def counts(rows: list[Row]) -> dict[tuple[str, str, str], int]:
    return bounded_counts(open_session("tests").createDataFrame(rows, SCHEMA), RELEASE)


def test_adding_one_patient_changes_each_query_by_at_most_its_bounds() -> None:
    draw = random.Random(1)
    others = [row for number in range(30) for row in rows_of(f"p{number}", draw.randint(1, 12), draw)]
    without = counts(others)
    bounds = RELEASE.spec.bounds
    for number in (1, 40, 400):  # an ordinary patient and two whose records would fill every cell
        with_one = counts([*others, *rows_of("one", number, draw)])
        for query, most in (("patients", 1), ("encounters", bounds.encounters_per_cell)):
            changed = [
                with_one.get(key, 0) - without.get(key, 0)
                for key in with_one.keys() | without.keys()
                if key[0] == query and with_one.get(key, 0) != without.get(key, 0)
            ]
            assert len(changed) <= bounds.cells
            assert all(0 < change <= most for change in changed)


def test_the_same_records_in_another_order_give_the_same_counts() -> None:
    draw = random.Random(2)
    rows = [row for number in range(20) for row in rows_of(f"p{number}", 15, draw)]
    again = list(rows)
    draw.shuffle(again)
    assert counts(rows) == counts(again)


def test_cells_outside_of_the_public_keys_are_not_counted() -> None:
    rows: list[Row] = [("p", "patients", "1999-01", "no public key", "x")]
    assert counts(rows) == {}
