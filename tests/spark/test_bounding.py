"""What one patient can change in a release, whatever their records look like: Spark against a model in Python."""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.spark.releases import BASIC, KITCHEN, LEVELS, SELECTED, declared
from veil.errors import VeilError
from veil.privacy import bounding, drawing, plan
from veil.privacy.load import Release
from veil.privacy.records import UNIT
from veil.session import open_session

SCHEMA = f"{UNIT} string, month string, ward string, visit string, dose double"
Row = tuple[Any, ...]


def rows_of(unit: str, number: int, draw: random.Random) -> list[Row]:
    return [
        (
            unit,
            draw.choice(["2025-01", "2025-02", "2025-03", "1999-01", None]),
            draw.choice(["a", "b", "c", None]),
            draw.choice([f"{unit}-{index % 5}", None]),
            draw.choice([draw.uniform(-50, 50), 30.0, None]),
        )
        for index in range(number)
    ]


def people(seed: int, number: int = 25) -> list[Row]:
    draw = random.Random(seed)
    return [row for each in range(number) for row in rows_of(f"p{each}", draw.randint(1, 30), draw)]


def exact(rows: list[Row], release: Release, schema: str = SCHEMA) -> dict[Any, Any]:
    frame = open_session("tests").createDataFrame(rows, schema)
    return {of: bounding.exact(frame, release, of) for of in plan.groupings(release)}


def modelled(rows: list[Row], release: Release, number: int) -> dict[str, dict[tuple[str, ...], float]]:
    """What a query adds up where nobody has more than its bounds: plain sums over the public cells."""
    query = release.spec.queries[number]
    by = release.spec.by(query)
    sums: dict[str, dict[tuple[str, ...], float]] = defaultdict(lambda: defaultdict(float))
    seen: dict[tuple[str, ...], set[Any]] = defaultdict(set)
    if query.tells_truncation:
        records = release.spec.queries[release.spec.number_of("records")]
        return _truncated(rows, release, records.cells, records.per_cell)
    for unit, month, ward, visit, dose in rows:
        keys = {"month": month, "ward": ward if ward in ("a", "b") else "other"}
        cell = tuple(str(keys[name]) for name in by)
        if cell not in release.cells(by):
            continue
        if query.statistic == "patients":
            seen[cell].add(unit)
        elif query.of == "visit" and visit is not None:
            seen[cell].add((unit, visit))
        elif query.of is None:
            sums["count"][cell] += 1
        elif query.of == "dose" and dose is not None and query.edges is None:
            value = math.floor((min(max(dose, query.lower), query.upper) - plan.centre(query)) / query.resolution + 0.5)
            sums["count"][cell] += 1
            sums["sum"][cell] += value
            sums["square"][cell] += value * value - plan.square_centre(query)
        elif query.of == "dose" and dose is not None:
            edges = query.edges or []
            place = sum(dose >= edge for edge in edges[1:-1])
            sums["count"][*cell, str(place)] += 1
    for cell, items in seen.items():
        sums["count"][cell] = len(items)
    return sums


def _truncated(rows: list[Row], release: Release, cells: int, per_cell: int) -> dict[str, dict[tuple[str, ...], float]]:
    """The units in any public cell of a count of records, and those who are in more cells, or more often in one."""
    units: dict[str, Counter[tuple[str, str]]] = {}
    for unit, month, ward, _, _ in rows:
        if month in release.values("month"):
            units.setdefault(unit, Counter())[month, ward if ward in ("a", "b") else "other"] += 1
    cut = [unit for unit, of in units.items() if len(of) > cells or max(of.values()) > per_cell]
    return {"count": {(): len(units)}, "truncated": {(): len(cut)}}


@pytest.mark.parametrize(("cells", "per_cell"), [(2, 3), (5, 3), (9, 3), (9, 4)])
def test_those_of_whom_something_is_left_out_are_counted(cells: int, per_cell: int, tmp_path: Path) -> None:
    second = (
        'statistic = "count"\ncells = 2\nper_cell = 3',
        f'statistic = "count"\ncells = {cells}\nper_cell = {per_cell}',
    )
    release = declared(tmp_path, KITCHEN, second)
    number = release.spec.number_of("cut")
    rows = [*people(6), ("outside", "1999-01", "a", None, 1.0)]
    frame = open_session("tests").createDataFrame(rows, SCHEMA)
    found = bounding.exact(frame, release, plan.grouping_of(release, number))
    expected = _truncated(rows, release, cells, per_cell)
    assert 0 < expected["truncated"][()] < expected["count"][()]
    assert found == {(): {(number, "count"): expected["count"][()], (number, "truncated"): expected["truncated"][()]}}


def test_what_nobody_exceeds_is_counted_exactly(tmp_path: Path) -> None:
    wide = [("cells = 2", "cells = 100")] * 5 + [("cells = 1\n", "cells = 100\n")]
    deep = [(f"per_cell = {most}", "per_cell = 1000") for most in (3, 2, 4, 2, 2)]
    release = declared(tmp_path, KITCHEN, *wide, *deep)
    rows = people(3)
    counted = exact(rows, release)
    for number, query in enumerate(release.spec.queries):
        found = counted[plan.grouping_of(release, number)]
        for part in plan.parts(query):
            expected = modelled(rows, release, number)[part]
            mine = {cell: values[number, part] for cell, values in found.items() if values[number, part]}
            assert mine == {
                cell: pytest.approx(value, abs=sum(row[4] is not None for row in rows) if part != "count" else 0)
                for cell, value in expected.items()
                if value or cell in mine
            }, (query.name, part)


def test_the_same_records_in_another_order_give_the_same_numbers(tmp_path: Path) -> None:
    release = declared(tmp_path, BASIC)
    rows = people(2)
    again = random.Random(9).sample(rows, len(rows))
    assert exact(rows, release) == exact(again, release)


def test_one_with_more_values_than_counted_counts_with_their_average(tmp_path: Path) -> None:
    release = declared(tmp_path, KITCHEN)
    rows: list[Row] = [("p", "2025-01", "a", None, 10.0)] * 3 + [("p", "2025-01", "a", None, 20.0)] * 3
    number = [query.name for query in release.spec.queries].index("total")
    frame = open_session("tests").createDataFrame(rows, SCHEMA)
    assert bounding.exact(frame, release, plan.grouping_of(release, number)) == {("a",): {(number, "sum"): 30}}


@pytest.mark.parametrize("unit", [None, ""])
def test_a_record_of_nobody_stops_the_release(unit: str | None, tmp_path: Path) -> None:
    rows = [*people(1, 3), (unit, "2025-01", "a", None, 1.0)]
    with pytest.raises(VeilError, match="without a patient"):
        exact(rows, declared(tmp_path, BASIC))


@pytest.mark.parametrize("dose", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_stops_the_release(dose: float, tmp_path: Path) -> None:
    rows = [*people(1, 3), ("p", "2025-01", "a", None, dose)]
    with pytest.raises(VeilError, match="NaN or an infinity"):
        exact(rows, declared(tmp_path, BASIC))


def test_a_patient_counts_in_their_cells_whatever_others_do(tmp_path: Path) -> None:
    release = declared(tmp_path, BASIC)
    draw = random.Random(4)
    mine = rows_of("me", 40, draw)
    alone = exact(mine, release)
    others = people(5)
    without, together = exact(others, release), exact([*others, *mine], release)
    for of, cells in together.items():
        for cell, values in cells.items():
            for part, value in values.items():
                expected = without[of].get(cell, {}).get(part, 0) + alone[of].get(cell, {}).get(part, 0)
                assert value == expected


def test_selected_keys_are_those_that_enough_patients_have(tmp_path: Path) -> None:
    release = declared(tmp_path, SELECTED)
    common = [(f"p{number}", "common") for number in range(200)]
    rare = [("p0", f"rare {number}") for number in range(50)]
    counted = exact([*common, *rare], release, f"{UNIT} string, code string")
    noisy = drawing.draw(release, counted)
    assert noisy.cells[("code",)] == [("common",)]
    assert abs(noisy.of(0)[0][("common",)] - 200) < 30
    assert list(noisy.of(1)[0]) == [("common",)]


def test_levels_add_up_and_each_counts_everybody(tmp_path: Path) -> None:
    from veil.privacy import estimates

    release = declared(tmp_path, LEVELS)
    rows = [(f"p{number}", "2025-01", f"site {number % 12}") for number in range(2400)]
    counted = exact(rows, release, f"{UNIT} string, month string, site string")
    made = estimates.rows(release, drawing.draw(release, counted))
    assert len(made) == estimates.expected_rows(release)
    even = {
        tuple(row.keys.get(name) for name in ("nation", "region", "site")): row
        for row in made
        if row.statistic.endswith("consistent") and row.keys["month"] == "2025-01"
    }
    nation = even[("nation", None, None)]
    regions = [even["nation", f"region {number}", None] for number in range(3)]
    sites = [row for (_, _, site), row in even.items() if site is not None]
    assert nation.value == pytest.approx(2400, abs=40)
    assert sum(row.value or 0 for row in regions) == pytest.approx(nation.value, abs=0.02)
    assert sum(row.value or 0 for row in sites) == pytest.approx(nation.value, abs=0.02)
    small = [row for row in made if row.keys["month"] == "2025-02" and row.keys.get("site")]
    assert small
    assert all(row.suppressed == (row.value is None) for row in small)
    assert any(row.suppressed for row in small)
