"""A release through its job: it pays once, gives the same bytes again, and refuses what nobody has paid for."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.spark.conftest import PROJECT, Installation
from veil import ledger
from veil import release as stage
from veil.control import schema
from veil.errors import Refused, VeilError
from veil.privacy.load import load_budget, load_release
from veil.settings import Settings

COST = 100_000_000
RELEASE = "monthly_conditions"
Changed = Callable[..., Installation]


@pytest.fixture
def changed(demo_run: tuple[Installation, object], tmp_path: Path) -> Changed:
    """The lake of the demo under other declarations, with a ledger in which nothing has happened."""

    def change(*release: tuple[str, str], budgets: tuple[str, str] | None = None) -> Installation:
        config, home = tmp_path / "config", tmp_path / "home"
        shutil.copytree(PROJECT / "dags" / "config", config)
        shutil.copytree(demo_run[0].settings.home, home)
        for name, old, new in [
            *((f"releases/{RELEASE}.toml", *pair) for pair in release),
            *([("budgets.toml", *budgets)] if budgets else []),
        ]:
            text = (config / name).read_text()
            assert old in text
            (config / name).write_text(text.replace(old, new, 1))
        installation = Installation(Settings.from_env({"VEIL_HOME": str(home), "VEIL_CONFIG": str(config)}))
        for used in ("releases", "restricted/ledger", "restricted/staging/releases"):
            shutil.rmtree(installation.settings.lake / used)
        with installation.store.transaction() as connection:
            for table in (schema.release, schema.block, schema.event):
                connection.execute(table.delete())
        return installation

    return change


def spent(installation: Installation) -> dict[str, int]:
    return {block.block_id: block.spent for block in ledger.blocks(installation.store)}


def released(installation: Installation) -> dict[str, str]:
    """Every file that a reader may open, by its digest."""
    folder = installation.settings.lake / "releases" / "files"
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.*")
    }


def backed_up(installation: Installation, folder: Path) -> Path:
    backup = folder / "backup.db"
    with (
        closing(sqlite3.connect(installation.settings.home / "control.db")) as store,
        closing(sqlite3.connect(backup)) as copy,
    ):
        store.backup(copy)
    return backup


def restore(installation: Installation, backup: Path) -> None:
    for leftover in installation.settings.home.glob("control.db*"):
        leftover.unlink()
    shutil.copy(backup, installation.settings.home / "control.db")


class Killed(BaseException):
    """What no handler of errors catches, like the signal."""


def test_windows_are_paid_for_once_each_whatever_is_killed_and_run_again(
    changed: Changed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    installation = changed(('period = "2025" ', 'window = "month" '), ("after_ingest = true", ""))
    january, february = "2025-01-15", "2025-02-28"
    backup = backed_up(installation, tmp_path)

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(stage.release_files, "write", die)
        with pytest.raises(Killed):
            installation.job("release", "run", release=RELEASE, date=january)
    (entry,) = ledger.entries(installation.store)
    assert entry.state == "DRAWN"
    assert not (installation.settings.lake / "releases").exists()
    for day in (january, february):
        installation.job("release", f"run {day}", release=RELEASE, date=day)
    assert installation.refused == []
    assert [(entry.state, entry.attempt) for entry in ledger.entries(installation.store)] == [("PUBLISHED", 1)] * 2
    rows, files = installation.table(f"releases/{RELEASE}"), released(installation)
    each = {"ehr/2025-01": COST, "ehr/2025-02": COST, "ehr/lifetime": 2 * COST}
    assert spent(installation) == each
    assert {(row["period"], row["unit"] == entry.key) for row in rows} == {("2025-01", True), ("2025-02", False)}
    installation.job("release", "again", release=RELEASE, date="2025-01-31")
    assert spent(installation) == each
    assert sorted(map(str, installation.table(f"releases/{RELEASE}"))) == sorted(map(str, rows))
    assert released(installation) == files
    assert ledger.verify(installation.store) == []
    restore(installation, backup)
    installation.job("release", "after the restore", release=RELEASE, date=january)
    assert "The ledger is older than its copy" in installation.refused[0]
    assert spent(installation) == {}


def test_a_window_that_is_not_over_or_not_named_is_refused(changed: Changed) -> None:
    installation = changed(('period = "2025" ', 'window = "year" '), ("after_ingest = true", ""))
    installation.job("release", "run", release=RELEASE, date="2999-01-01")
    assert "2999 is not over yet" in installation.refused[0]
    with pytest.raises(VeilError, match="Give the date of a day in it"):
        installation.job("release", "run", release=RELEASE)
    assert spent(installation) == {}


@pytest.mark.slow
def test_a_redraw_pays_again_and_shows_other_numbers(changed: Changed) -> None:
    installation = changed()
    installation.job("release", "first", release=RELEASE)
    installation.job("release", "second", release=RELEASE, redraw="1")
    assert spent(installation) == {"ehr/2025": 2 * COST, "ehr/lifetime": 2 * COST}
    by_unit: dict[str, list[float]] = {}
    for row in installation.table(f"releases/{RELEASE}"):
        by_unit.setdefault(row["unit"], []).append(row["value"])
    first, second = by_unit.values()
    assert sorted(first) != sorted(second)


def test_a_large_draw_waits_for_a_person_who_is_named_for_this_run(changed: Changed) -> None:
    from veil.pricing import enter_approval, price_of

    installation = changed(budgets=("large_rho = 0.4", "large_rho = 0.05"))
    config = installation.settings.config
    priced = price_of(config, RELEASE)
    assert priced.is_large
    assert "rho 0.1" in priced.told
    with pytest.raises(Refused, match="none of the approvers"):
        enter_approval(installation.store, config, RELEASE, "", priced.spec_hash, "stranger", "run")
    with pytest.raises(Refused, match="has changed since it was priced"):
        enter_approval(installation.store, config, RELEASE, "", "another", "admin", "run")
    enter_approval(installation.store, config, RELEASE, "", priced.spec_hash, "admin", "another run")
    release = load_release(config / "releases" / f"{RELEASE}.toml")
    cost = stage.charge(release, load_budget(config, release), "key", "inputs", run_key="run")
    with pytest.raises(Refused, match="nobody has approved"):
        ledger.reserve(installation.store, cost)
    assert spent(installation) == {"ehr/2025": 0, "ehr/lifetime": 0}
    enter_approval(installation.store, config, RELEASE, "", priced.spec_hash, "admin", "run")
    ledger.reserve(installation.store, cost)
    assert spent(installation) == {"ehr/2025": COST, "ehr/lifetime": COST}


def test_a_source_without_a_budget_releases_nothing(changed: Changed) -> None:
    installation = changed(budgets=('source = "ehr"', 'source = "lab"'))
    with pytest.raises(VeilError, match="no budget for the source ehr"):
        installation.job("release", "run", release=RELEASE)
    assert spent(installation) == {}


@pytest.mark.slow
def test_days_of_patients_have_budgets_of_their_own(changed: Changed) -> None:
    installation = changed(
        ('privacy_unit = "patient"', 'privacy_unit = "patient-day"'),
        ('statistic = "patients"', 'statistic = "patient-days"'),
        budgets=('privacy_unit = "patient"', 'privacy_unit = "patient-day"'),
    )
    installation.job("release", "run", release=RELEASE)
    assert installation.refused == []
    assert spent(installation) == {"ehr/2025/patient-day": COST, "ehr/lifetime/patient-day": COST}
    files = installation.settings.lake / "releases" / "files" / RELEASE
    (page,) = files.glob("*/index.html")
    assert "over all days the budgets add up" in page.read_text()
