"""A release is declared in a file; what is wrong with it is told by file, key and line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from veil.errors import VeilError
from veil.privacy.spec import Release, load_release
from veil.release import _draw, statement

SHIPPED = sorted((Path(__file__).parents[2] / "dags" / "config" / "releases").glob("*.toml"))
DECLARED = """name = "monthly"
title = "Patients by month"
source = "ehr"
privacy_unit = "patient"
recipients = ["Public"]
[keys]
first_month = "2024-11"
months = 3
categories = "categories.csv"
[bounds]
cells = 4
encounters_per_cell = 2
[cost]
patients = 0.05
encounters = 0.05
delta = 1e-7
[budget]
period = "2025"
period_rho = 0.5
lifetime_rho = 1.0
"""
TABLE = "code_system,code,category\nsct,1,renal\nsct,2,cardiac\nsct,3,renal\n"

Declare = Callable[..., Release]


@pytest.fixture
def declare(tmp_path: Path) -> Declare:
    def write(old: str = "", new: str = "", table: str | None = TABLE) -> Release:
        assert old in DECLARED
        (tmp_path / "monthly.toml").write_text(DECLARED.replace(old, new) if old else DECLARED)
        if table is not None:
            (tmp_path / "categories.csv").write_text(table)
        return load_release(tmp_path / "monthly.toml")

    return write


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_release_loads_and_is_named_like_its_file(path: Path) -> None:
    release = load_release(path)
    assert release.spec.name == path.stem
    assert release.public_keys


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("cells = 4", "cells = 0", "key bounds.cells (line 11)"),
        ("encounters_per_cell = 2", "encounters_per_cell = 2.5", "key bounds.encounters_per_cell (line 12)"),
        ("months = 3", "months = 121", "key keys.months (line 8)"),
        ('"2024-11"', '"2024-13"', "key keys.first_month (line 7)"),
        ("patients = 0.05", "patients = 0.0", "key cost.patients (line 14)"),
        ("patients = 0.05", "patients = 10.1", "key cost.patients (line 14)"),
        ("patients = 0.05", "patients = nan", "key cost.patients (line 14)"),
        ("patients = 0.05", "patient = 0.05", "key cost.patient"),
        ("delta = 1e-7", "delta = 0.001", "key cost.delta (line 16)"),
        ("delta = 1e-7", "delta = 0", "key cost.delta (line 16)"),
        ("lifetime_rho = 1.0", "lifetime_rho = -1", "key budget.lifetime_rho (line 20)"),
        ("lifetime_rho = 1.0", "lifetime_rho = inf", "key budget.lifetime_rho (line 20)"),
        ('unit = "patient"', 'unit = "encounter"', "key privacy_unit (line 4)"),
        ('["Public"]', "[]", "key recipients (line 5)"),
        ('name = "monthly"', 'name = "../other"', "key name (line 1)"),
        ("[bounds]", "[bounds]\nrandom = 1", "key bounds.random (line 11)"),
        ('source = "ehr"\n', "", "key source"),
    ],
)
def test_a_wrong_key_is_told_by_file_key_and_line(old: str, new: str, place: str, declare: Declare) -> None:
    with pytest.raises(VeilError) as caught:
        declare(old, new)
    assert caught.value.problem.startswith("monthly.toml, ")
    assert place in caught.value.problem
    assert caught.value.fix


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (None, "cannot be read"),
        ("system,code,group\nsct,1,renal\n", "cannot be read"),
        ("code_system,code,category\n", "holds no category"),
        ("code_system,code,category\nsct,1\n", "line 2"),
        ("code_system,code,category\nsct,1,renal\nsct,2,\n", "line 3"),
        ("code_system,code,category\nsct,1,renal\nsct,1,cardiac\n", "line 3"),
    ],
)
def test_a_wrong_table_of_categories_is_told(table: str | None, told: str, declare: Declare) -> None:
    with pytest.raises(VeilError, match=told) as caught:
        declare(table=table)
    assert "monthly.toml" in caught.value.problem
    assert "categories.csv" in caught.value.problem
    assert caught.value.fix


def test_the_public_keys_are_every_month_with_every_category_in_order(declare: Declare) -> None:
    months, categories = ("2024-11", "2024-12", "2025-01"), ("cardiac", "renal")
    assert declare().public_keys == [(month, category) for month in months for category in categories]


def test_every_public_key_gets_a_number_though_nobody_is_in_it(declare: Declare) -> None:
    release = declare()
    rows = json.loads(_draw(release, {("patients", "2024-12", "renal"): 1000}))["rows"]
    assert [tuple(row[:2]) for row in rows] == release.public_keys
    assert all(isinstance(number, int) for row in rows for number in row[2:])
    assert all(len(row) == 6 for row in rows)


def test_what_is_said_of_a_release_depends_on_its_declaration_alone(declare: Declare) -> None:
    said = statement(declare())
    assert said["rho"] == pytest.approx(0.1)
    assert said["cells"] == 6
    assert said["epsilon"] == pytest.approx(2.6392, abs=1e-3)
    assert said["scale"]["encounters"] == pytest.approx(2 * said["scale"]["patients"], abs=1e-3)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Patients by month", "Another title"),
        ('["Public"]', '["Ministry", "Public"]'),
        ("lifetime_rho = 1.0", "lifetime_rho = 2.0"),
        ('period = "2025"', 'period = "2026"'),
    ],
)
def test_title_recipients_and_budget_do_not_make_another_release(old: str, new: str, declare: Declare) -> None:
    assert declare(old, new).hash == declare().hash


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('name = "monthly"', 'name = "weekly"'),
        ('source = "ehr"', 'source = "lab"'),
        ("months = 3", "months = 4"),
        ("cells = 4", "cells = 5"),
        ("encounters_per_cell = 2", "encounters_per_cell = 3"),
        ("patients = 0.05", "patients = 0.06"),
        ("delta = 1e-7", "delta = 1e-8"),
    ],
)
def test_what_the_numbers_depend_on_makes_another_release(old: str, new: str, declare: Declare) -> None:
    assert declare(old, new).hash != declare().hash


def test_the_order_of_the_table_does_not_make_another_release_but_a_category_does(declare: Declare) -> None:
    head, *rows = TABLE.splitlines()
    turned = "\n".join([head, *reversed(rows)])
    assert declare(table=turned).hash == declare(table=TABLE).hash
    assert declare(table=TABLE.replace("cardiac", "heart")).hash != declare(table=TABLE).hash
