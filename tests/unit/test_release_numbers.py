"""What is published of noisy numbers: intervals that hold, levels that add up, files that need nothing else."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.spark.releases import KITCHEN, LEVELS, declared
from veil import release_files
from veil.ledger import Block
from veil.privacy import drawing, estimates, plan
from veil.privacy.bounding import Exact
from veil.privacy.consistency import consistent
from veil.privacy.load import Release

DRAWS = 300
DOSES = np.array([-10.0, 0.0, 4.0, 9.0, 12.0, 19.0, 30.0])


def made_up(release: Release, patients: int) -> dict[plan.Grouping, Exact]:
    """Exact numbers of cells that all have the same patients, each with the doses above once."""
    counted: dict[plan.Grouping, Exact] = {}
    for of in plan.groupings(release):
        for cell in release.cells(of.columns):
            for number, query in enumerate(release.spec.queries):
                if plan.grouping_of(release, number) == of:
                    _fill(counted.setdefault(of, {}), cell, number, query, patients)
    return counted


def _fill(cells: Exact, cell: tuple[str, ...], number: int, query: Any, patients: int) -> None:
    if query.edges is not None:
        bins = np.digitize(np.clip(DOSES, query.edges[0], query.edges[-1] - 1e-9), query.edges) - 1
        for at in range(len(query.edges) - 1):
            cells.setdefault((*cell, str(at)), {})[number, "count"] = patients * int((bins == at).sum())
        return
    parts = cells.setdefault(cell, {})
    values = np.zeros(1)
    if query.lower is not None:
        values = np.round((np.clip(DOSES, query.lower, query.upper) - plan.centre(query)) / query.resolution)
    found = {"count": len(values), "sum": values.sum(), "square": 0, "truncated": 0.5}
    if query.statistic == "variance":
        found["square"] = (values**2 - plan.square_centre(query)).sum()
    parts.update({(number, part): int(patients * found[part]) for part in plan.parts(query)})


def true_value(row: estimates.Row, release: Release, patients: int) -> float:
    query = next(query for query in release.spec.queries if query.name == row.query)
    if query.edges is not None:
        low = float(str(row.bin)[1:].split(",")[0])
        bins = np.digitize(np.clip(DOSES, query.edges[0], query.edges[-1] - 1e-9), query.edges) - 1
        return patients * int((bins == query.edges.index(low)).sum())
    if query.lower is None:
        return {"truncated": patients / 2, "share": 0.5}.get(row.statistic, patients)
    values = np.clip(DOSES, query.lower, query.upper)
    of = {
        "count": patients * len(DOSES),
        "sum": patients * values.sum(),
        "mean": values.mean(),
        "variance": values.var(),
    }
    return float(of[row.statistic])


@pytest.mark.parametrize("patients", [0, 100, 2000])
def test_at_least_nineteen_of_twenty_intervals_hold_the_truth(patients: int, tmp_path: Path) -> None:
    release = declared(tmp_path, KITCHEN)
    counted = made_up(release, patients)
    held: dict[tuple[str, str], list[bool]] = {}
    for _ in range(DRAWS // 10):
        for row in estimates.rows(release, drawing.draw(release, counted)):
            truth = true_value(row, release, patients)
            if patients or row.statistic in ("count", "sum", row.query):
                assert row.low is not None
                assert row.high is not None
                held.setdefault((row.query, row.statistic), []).append(row.low - 1e-9 <= truth <= row.high + 1e-9)
    for name, each in held.items():
        # four standard errors below 95 %
        assert np.mean(each) >= 0.95 - 4 * np.sqrt(0.95 * 0.05 / len(each)), name


def test_intervals_of_counts_hold_the_truth_as_often_as_announced(tmp_path: Path) -> None:
    release = declared(tmp_path, KITCHEN)
    counted = made_up(release, 500)
    rows = [row for _ in range(DRAWS) for row in estimates.rows(release, drawing.draw(release, counted))]
    counts = [row for row in rows if row.query == "patients"]
    share = np.mean([(row.low or 0) <= 500 <= (row.high or 0) for row in counts])
    # whole numbers have no interval of exactly 95 %: this is the narrowest that holds more
    mechanism = plan.measures(release)[0].mechanism
    announced = 1 - 2 * mechanism.tail(mechanism.half_width() + 1)
    assert announced >= 0.95
    assert abs(share - announced) < 5 * np.sqrt(announced * (1 - announced) / len(counts))
    assert len(rows) == DRAWS * (estimates.expected_rows(release) or 0)


trees = st.lists(st.integers(1, 4), min_size=1, max_size=4)


@given(trees, st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_consistent_levels_are_the_weighted_least_squares(shape: list[int], seed: int) -> None:
    chance = np.random.default_rng(seed)
    leaves = [(f"leaf {region} {number}",) for region, size in enumerate(shape) for number in range(size)]
    parents = {leaf: (f"region {leaf[0].split()[1]}",) for leaf in leaves}
    parents |= {(f"region {number}",): ("root",) for number in range(len(shape))}
    nodes = [("root",), *((f"region {number}",) for number in range(len(shape))), *leaves]
    measured = {node: int(chance.integers(-50, 500)) for node in nodes}
    variance = {node: float(chance.uniform(0.5, 30)) for node in nodes}

    def below(leaf: tuple[str], node: tuple[str]) -> bool:
        return leaf == node or parents[leaf] == node or node == ("root",)

    design = np.array([[float(below(leaf, node)) for leaf in leaves] for node in nodes])
    weights = np.array([1 / variance[node] for node in nodes])
    covariance = np.linalg.inv(design.T @ (weights[:, None] * design))
    best = design @ covariance @ (design.T @ (weights * np.array([measured[node] for node in nodes])))
    spread = np.diag(design @ covariance @ design.T)
    found = consistent(measured, parents, variance)
    for at, node in enumerate(nodes):
        assert found[node].value == pytest.approx(best[at], abs=1e-6)
        assert found[node].half_width == pytest.approx(1.959964 * np.sqrt(spread[at]), abs=1e-6)


def published(release: Release, rows: list[estimates.Row]) -> list[dict[str, Any]]:
    return [
        {
            "unit": "k",
            "period": release.period,
            **{name: row.keys.get(name) for name in release.spec.key_columns},
            "query": row.query,
            "statistic": row.statistic,
            "bin": row.bin,
            "value": row.value,
            "low_95": row.low,
            "high_95": row.high,
            "suppressed": row.suppressed,
        }
        for row in rows
    ]


@pytest.mark.parametrize("text", [KITCHEN, LEVELS], ids=["kitchen", "levels"])
def test_the_files_hold_every_number_and_need_nothing_else(text: str, tmp_path: Path) -> None:
    release = declared(tmp_path, text.replace("Every statistic", "<script>alert(1)</script>"))
    counted: dict[plan.Grouping, Exact] = {of: {} for of in plan.groupings(release)}
    rows = published(release, estimates.rows(release, drawing.draw(release, counted)))
    folder = tmp_path / "files" / "k"
    blocks = [Block("ehr/2025", "patient", 10**9, 3 * 10**8, 0, 0)]
    release_files.write(folder, release, "k", rows, blocks)
    written = {path.name: path.read_text() for path in folder.iterdir()}
    assert sorted(written) == ["index.html", "metadata.json", "numbers.csv"]
    assert len(list(csv.DictReader(written["numbers.csv"].splitlines()))) == len(rows)
    told = json.loads(written["metadata.json"])
    assert list(told["share_truncated"]) == [query.of for query in release.spec.queries if query.tells_truncation]
    assert told["spec_hash"] == release.hash
    assert {"rho", "epsilon", "epsilon_zcdp", "delta", "privacy_unit", "queries", "declaration"} <= told.keys()
    for foreign in ("http:", "https:", "src=", "@import", "<script"):
        assert foreign not in written["index.html"]
    release_files.write(folder, release, "k", rows[:1], [])
    assert {path.name: path.read_text() for path in folder.iterdir()} == written
    assert [path.name for path in folder.parent.iterdir()] == ["k"]


def test_a_cell_that_a_spreadsheet_would_run_is_text(tmp_path: Path) -> None:
    release = declared(tmp_path, KITCHEN, ('values = ["a", "b"]', "values = [\"=1+1\", '@SUM(A1)']"))
    counted: dict[plan.Grouping, Exact] = {of: {} for of in plan.groupings(release)}
    rows = published(release, estimates.rows(release, drawing.draw(release, counted)))
    release_files.write(tmp_path / "k", release, "k", rows, [])
    wards = {row["ward"] for row in csv.DictReader((tmp_path / "k" / "numbers.csv").read_text().splitlines())}
    assert wards == {"'=1+1", "'@SUM(A1)", "other", ""}
