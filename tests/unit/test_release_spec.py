"""A release is declared in a file; what is wrong with it is told by file, key and line."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from veil.errors import VeilError
from veil.privacy import plan
from veil.privacy.calendars import next_period, period_of, periods
from veil.privacy.load import Release, load_budget, load_budgets, load_release
from veil.privacy.spec import json_schema
from veil.privacy.statement import in_words, statement

CONFIG = Path(__file__).parents[2] / "dags" / "config"
SHIPPED = sorted((CONFIG / "releases").glob("*.toml"))
DECLARED = """name = "monthly"
title = "Patients by month"
source = "ehr"
privacy_unit = "patient"
recipients = ["Public"]
period = "2025"
[records]
types = ["Condition"]
[columns]
month = { read = "start", as = "month" }
system = { read = "code_system" }
code = { read = "code" }
dose = { read = "$.dose.value", as = "number" }
[[tables]]
file = "categories.csv"
on = { code_system = "system", code = "code" }
[keys.month]
first = "2024-11"
count = 3
[keys.category]
table = "categories.csv"
[[queries]]
name = "patients"
statistic = "patients"
cells = 4
rho = 0.05
[[queries]]
name = "dose"
statistic = "sum"
of = "dose"
cells = 4
lower = 0
upper = 100
rho = 0.05
by = ["month"]
[cost]
delta = 1e-7
"""
TABLE = "code_system,code,category\nsct,1,renal\nsct,2,cardiac\nsct,3,renal\n"

Declare = Callable[..., Release]


@pytest.fixture
def declare(tmp_path: Path) -> Declare:
    def write(*changes: tuple[str, str], table: str | None = TABLE) -> Release:
        text = DECLARED
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        (tmp_path / "monthly.toml").write_text(text)
        if table is not None:
            (tmp_path / "categories.csv").write_text(table)
        return load_release(tmp_path / "monthly.toml")

    return write


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_release_loads_has_a_budget_and_is_paid_by_it(path: Path) -> None:
    release = load_release(path)
    budget = load_budget(CONFIG, release)
    assert 0 < statement(release)["rho"] <= min(budget.period_rho, budget.lifetime_rho)


CUT = '[[queries]]\nname = "cut"\nstatistic = "truncated"\nof = "{of}"\ncells = 1\nrho = 0.05\n'
BAD = {
    "L0 of zero": (("cells = 4", "cells = 0"), "key queries.1.cells (line 25)"),
    "bound from the data": (("upper = 100", 'upper = "max"'), "key queries.2.upper (line 33)"),
    "unbounded sum": (("upper = 100\n", ""), "key queries.2.statistic (line 29)"),
    "bounds that cross": (("upper = 100", "upper = -1"), "key queries.2.lower (line 32)"),
    "infinite bound": (("upper = 100", "upper = inf"), "key queries.2.upper (line 33)"),
    "unknown column": (('of = "dose"', 'of = "doses"'), "key queries.2.of (line 30)"),
    "text added up": (('of = "dose"', 'of = "code"'), "key queries.2.of (line 30)"),
    "unknown key": (('by = ["month"]', 'by = ["ward"]'), "key queries.2.by (line 35)"),
    "unit of another kind": (('"patients"\ncells', '"patient-days"\ncells'), "key queries.1.statistic (line 24)"),
    "unknown unit": (('"patient"', '"encounter"'), "key privacy_unit (line 4)"),
    "two queries of one name": (('name = "dose"', 'name = "patients"'), "key queries.2.name (line 28)"),
    "no cost": (("upper = 100\nrho = 0.05", "upper = 100"), "key queries.2.rho (line 27)"),
    "cost that is NaN": (("rho = 0.05", "rho = nan"), "key queries.1.rho (line 26)"),
    "two costs": (("delta = 1e-7", "delta = 1e-7\nepsilon = 1"), "key queries.1.rho (line 26)"),
    "delta too large": (("delta = 1e-7", "delta = 0.001"), "key cost.delta (line 37)"),
    "key table of a private source": (('table = "categories.csv"', 'table = "../lake/codes"'), "beside the release"),
    "unknown column of bronze": (('read = "code" }', 'read = "patient" }'), "key columns.code (line 12)"),
    "selected for nothing": (('table = "categories.csv"', "selected = true"), "key queries.1.by"),
    "other name than its file": (('name = "monthly"', 'name = "weekly"'), "key name (line 1)"),
    "name of a path": (('name = "monthly"', 'name = "../x"'), "key name (line 1)"),
    "nobody receives it": (('["Public"]', "[]"), "key recipients (line 5)"),
    "period that does not exist": (('period = "2025"', 'period = "2025-13"'), "key period (line 6)"),
    "no period": (('period = "2025"\n', ""), "key name (line 1)"),
    "calendar of text": (('as = "month"', 'as = "text"'), "key keys.month (line 17)"),
    "no such month": (('"2024-11"', '"2024-13"'), "key keys.month.first (line 18)"),
    "unknown part": (("cells = 4", "cells = 4\nseed = 1"), "key queries.1.seed (line 26)"),
    "join by nothing": (('code = "code" }', 'kode = "code" }'), "key tables.1.on (line 16)"),
    "fine steps": (("upper = 100", "upper = 1e9\nresolution = 1e-6"), "key queries.2.resolution (line 34)"),
    "cost that is text": (("rho = 0.05", 'rho = "0.05"'), "key queries.1.rho (line 26)"),
    "truth in the place of a number": (("cells = 4", "cells = true"), "key queries.1.cells (line 25)"),
    "misspelt key": (("statistic =", "statistics ="), "key queries.1.statistics (line 24): there is no such key"),
    "steps wider than the bounds": (("upper = 100", "upper = 100\nresolution = 101"), "key queries.2.resolution"),
    "bounds of what is not added up": (("cells = 4", "cells = 4\nupper = 9"), "key queries.1.upper (line 26)"),
    "weight of nothing": (("cells = 4", "cells = 4\nweight = 2"), "key queries.1.weight (line 26)"),
    "quantiles of a sum": (("upper = 100", "upper = 100\nquantiles = [0.5]"), "key queries.2.quantiles (line 34)"),
    "reference to nothing": (('read = "code" }', 'read = "code", to = "Patient" }'), "key columns.code (line 12)"),
    "no cron": (("[records]", 'schedule = "0 6 31 2 9"\n[records]'), "key schedule (line 7)"),
    "name of a table in a folder of images": (
        ("[records]", '[records]\nmodality = "dicom"'),
        "key records.types (line 9)",
    ),
    "day that is never": (("[records]", 'schedule = "0 6 31 2 *"\n[records]'), "key schedule (line 7): it never ticks"),
    "title in the form of a price": (
        ('title = "Patients by month"', 'title = "x\\n  rho 0.00001"'),
        "key title (line 2)",
    ),
    "period in other digits": (('"2025"', '"٢٠٢٥"'), "key period (line 6)"),
    "cost of nothing": (("rho = 0.05", "rho = 1e-300"), "key queries.1.rho (line 26)"),
    "bound that cannot be squared": (
        (
            '"sum"\nof = "dose"\ncells = 4\nlower = 0\nupper = 100',
            '"variance"\nof = "dose"\ncells = 4\nlower = 0\nupper = 1e200',
        ),
        "key queries.2.upper (line 33)",
    ),
    "lower bound of what is counted": (("cells = 4", "cells = 4\nlower = 0"), "key queries.1.lower (line 26)"),
    "quantiles of one name": (
        (
            '"sum"\nof = "dose"\ncells = 4\nlower = 0\nupper = 100',
            '"quantiles"\nof = "dose"\ncells = 4\nedges = [0, 5]\nquantiles = [0.5, 0.5000000000001]',
        ),
        "key queries.2.quantiles (line 33): dose: one stands twice",
    ),
    "whole numbers that nobody meant": (("upper = 100", "upper = 1.6"), "key queries.2.upper (line 33)"),
    "unknown modality": (("[records]", '[records]\nmodality = "tabluar"'), "key records.modality (line 8)"),
    "path into an image": (
        ('types = ["Condition"]', 'modality = "dicom"\ntypes = ["dicom"]'),
        "key columns.dose (line 14): dicom has no content",
    ),
    "two columns joined by one": (('code = "code" }', 'code = "system" }'), "key tables.1.on (line 16)"),
    "two truncations of one query": (
        ("[cost]", CUT.format(of="dose") + CUT.format(of="dose").replace("cut", "again") + "[cost]"),
        "key queries.3.of (line 39)",
    ),
    "truncation of no query": (("[cost]", CUT.format(of="code") + "[cost]"), "key queries.3.of (line 39)"),
    "truncation by month": (
        ("[cost]", CUT.format(of="dose") + 'by = ["month"]\n[cost]'),
        "key queries.3.by (line 42)",
    ),
    "truncation of what keeps everything": (
        ("cells = 4\nrho = 0.05\n", "cells = 6\nrho = 0.05\n" + CUT.format(of="patients")),
        "key queries.2.of (line 30): patients leaves nothing out",
    ),
    "minimum size of nobody": (
        ("[records]", 'minimum_size = 5\n[records]\nmodality = "tabular"'),
        "key queries.2.name (line 30)",
    ),
}


@pytest.mark.parametrize("case", list(BAD))
def test_what_is_wrong_is_told_by_file_key_and_line_with_what_to_do(case: str, declare: Declare) -> None:
    change, place = BAD[case]
    with pytest.raises(VeilError) as caught:
        declare(change)
    assert caught.value.problem.startswith("monthly.toml")
    assert place in caught.value.problem
    assert caught.value.fix


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (None, "cannot be read"),
        ("system,code,group\nsct,1,renal\n", "no column code_system"),
        ("code_system,code,category\n", "has no rows"),
        ("code_system,code,category\nsct,1\n", "line 2"),
        ("code_system,code,category\nsct,1,renal\nsct,2,\n", "line 3"),
        ("code_system,code,category\nsct,1,renal\nsct,1,cardiac\n", "line 3: the key stands twice"),
    ],
)
def test_a_wrong_public_table_is_told(table: str | None, told: str, declare: Declare) -> None:
    with pytest.raises(VeilError, match=told) as caught:
        declare(table=table)
    assert "monthly.toml" in caught.value.problem
    assert "categories.csv" in caught.value.problem
    assert caught.value.fix


def test_a_source_without_a_budget_releases_nothing(declare: Declare) -> None:
    release = declare(('source = "ehr"', 'source = "lab"'))
    with pytest.raises(VeilError, match=r"no budget for the source lab and the privacy unit patient"):
        load_budget(CONFIG, release)


def test_the_public_keys_are_every_month_with_every_category_in_order(declare: Declare) -> None:
    months, categories = ("2024-11", "2024-12", "2025-01"), ("cardiac", "renal")
    listed = [(month, category) for month in months for category in categories]
    assert declare().cells(("month", "category")) == listed


def test_the_other_bucket_is_one_more_key(declare: Declare) -> None:
    release = declare(('table = "categories.csv"', 'table = "categories.csv"\nother = "other"'))
    assert release.values("category") == ["cardiac", "renal", "other"]


def test_nobody_counts_in_more_cells_than_there_are(declare: Declare) -> None:
    first, second = plan.measures(declare(("cells = 4", "cells = 400")))
    assert (first.mechanism.l0, second.mechanism.l0) == (6, 3)
    assert second.mechanism.l_infinity == 100


def test_a_join_by_another_column_makes_another_release(declare: Declare) -> None:
    turned = ('code_system = "system", code = "code"', 'code_system = "code", code = "system"')
    assert declare().hash != declare(turned).hash


@pytest.mark.parametrize(
    "change",
    [
        ("Patients by month", "Another title"),
        ('["Public"]', '["Ministry", "Public"]'),
        ('period = "2025"', 'period = "2026"'),
        ('period = "2025"', 'period = "2025"\nschedule = "0 6 * * *"'),
        ('period = "2025"', 'period = "2025"\nafter_ingest = true'),
        ("cells = 4", "cells = 4\nper_cell = 1"),
    ],
)
def test_what_is_for_people_makes_no_other_release(change: tuple[str, str], declare: Declare) -> None:
    assert declare(change).hash == declare().hash


@pytest.mark.parametrize(
    "change",
    [
        ('source = "ehr"', 'source = "lab"'),
        ("count = 3", "count = 4"),
        ("cells = 4", "cells = 5"),
        ("rho = 0.05", "rho = 0.06"),
        ("upper = 100", "upper = 101"),
        ("delta = 1e-7", "delta = 1e-8"),
        ('types = ["Condition"]', 'types = ["Encounter"]'),
    ],
)
def test_what_the_numbers_depend_on_makes_another_release(change: tuple[str, str], declare: Declare) -> None:
    assert declare(change).hash != declare().hash


def test_the_order_of_the_table_does_not_make_another_release_but_a_category_does(declare: Declare) -> None:
    head, *rows = TABLE.splitlines()
    turned = "\n".join([head, *reversed(rows)])
    assert declare(table=turned).hash == declare(table=TABLE).hash
    assert declare(table=TABLE.replace("cardiac", "heart")).hash != declare(table=TABLE).hash


def test_each_window_is_a_release_and_a_block_of_its_own(declare: Declare) -> None:
    release = declare(('period = "2025"', 'window = "quarter"'))
    spring = release.of(date(2026, 5, 31))
    assert spring.period == "2026-Q2"
    assert spring.hash == release.of(date(2026, 4, 1)).hash != release.of(date(2026, 7, 1)).hash


@pytest.mark.parametrize(
    ("window", "schedule", "told"),
    [
        ("month", "0 6 2 * *", ""),
        ("month", "0 6 * * *", "ticks twice in one month"),
        ("month", "0 6 31 * *", "leaves out a month"),
        ("month", "0 0 1 */3 *", "leaves out a month"),
        ("quarter", "0 0 1 */3 *", ""),
        ("week", "0 4 * * 1", ""),
        ("week", "0 4 * * 1,5", "ticks twice in one week"),
        ("day", "0 4 * * *", ""),
        ("day", "0 4 * * 1-5", "leaves out a day"),
        ("year", "0 0 1 1 *", ""),
        ("year", "0 0 29 2 *", "leaves out a year"),
    ],
)
def test_a_schedule_ticks_once_for_each_window(window: str, schedule: str, told: str, declare: Declare) -> None:
    change = ('period = "2025"', f'window = "{window}"\nschedule = "{schedule}"')
    if not told:
        assert declare(change).spec.schedule == schedule
        return
    with pytest.raises(VeilError, match=rf"key schedule \(line 7\): it {told}"):
        declare(change)


def test_a_misspelt_key_is_told_with_the_one_that_may_have_been_meant(declare: Declare) -> None:
    with pytest.raises(VeilError) as caught:
        declare(('period = "2025"', 'period = "2025"'), ("title =", "titel ="))
    assert caught.value.fix == "Write title, if that is meant."


@pytest.mark.parametrize("approvers", ['["admin"]', '["admin", "admin"]', '["admin", ""]', '"admin"'])
def test_a_cap_takes_two_people_who_are_named(approvers: str, tmp_path: Path) -> None:
    text = (CONFIG / "budgets.toml").read_text().replace('["admin", "officer"]', approvers)
    (tmp_path / "budgets.toml").write_text(text)
    with pytest.raises(VeilError, match=r"budgets.toml, key approvers"):
        load_budgets(tmp_path)


def test_what_is_said_of_a_release_depends_on_its_declaration_alone(declare: Declare) -> None:
    said = statement(declare())
    assert said["rho"] == pytest.approx(0.1)
    assert said["epsilon"] < said["epsilon_zcdp"] < 2.64
    by_name = {query["query"]: query for query in said["queries"]}
    assert by_name["dose"]["measures"][0]["l_infinity"] == 100
    assert by_name["patients"]["expected_relative_error"]["100"] == pytest.approx(0.798 * 6.325 / 100, abs=1e-3)
    assert "one patient" in in_words(said)


def test_epsilon_buys_the_noise_that_pld_allows(declare: Declare) -> None:
    release = declare(
        ("rho = 0.05\n[[queries]]", "[[queries]]"),
        ("upper = 100\nrho = 0.05", "upper = 100\nweight = 3"),
        ("delta = 1e-7", "delta = 1e-7\nepsilon = 1"),
    )
    said = statement(release)
    assert 0.999 < said["epsilon"] <= 1.0001
    first, second = plan.measures(release)
    assert second.mechanism.rho == pytest.approx(3 * first.mechanism.rho)


@pytest.mark.parametrize(
    ("form", "first", "expected"),
    [
        ("day", "2024-02-28", ["2024-02-28", "2024-02-29", "2024-03-01"]),
        ("week", "2020-W53", ["2020-W53", "2021-W01", "2021-W02"]),
        ("month", "2025-11", ["2025-11", "2025-12", "2026-01"]),
        ("quarter", "2025-Q4", ["2025-Q4", "2026-Q1", "2026-Q2"]),
        ("year", "2024", ["2024", "2025", "2026"]),
    ],
)
def test_a_calendar_leaves_no_period_out(form: str, first: str, expected: list[str]) -> None:
    assert periods(form, first, 3) == expected
    assert next_period(form, expected[0]) == expected[1]
    assert period_of("week", date(2021, 1, 3)) == "2020-W53"


def test_editors_get_the_schema_that_is_enforced() -> None:
    shipped = (CONFIG / "releases" / "release.schema.json").read_text()
    assert shipped == json_schema(), "print it again with `veil release schema`"
    assert set(json.loads(shipped)["required"]) >= {"name", "source", "queries", "cost"}
