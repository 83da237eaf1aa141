"""The closing scan finds what a run let out, wherever it lies, and takes the unit back."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from veil.closing import closing_scan
from veil.control import Store, attempts, receipts
from veil.settings import Settings

RUN = "manual__1"
NAME = "Quillon Vasterby"
MRN = "MRN-40817263"
TABLE = "research/epoch-1/text"
OBJECTS = "research/epoch-1/objects/text"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.from_env({"VEIL_HOME": str(tmp_path / "home")})


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store(settings.control)


@pytest.fixture(autouse=True)
def vault(settings: Settings) -> None:
    """Knows two identifiers, a facility, a date, and words too common to search for."""
    facts = [
        ("NAME", NAME, "subject"),
        ("MRN", MRN, "subject"),
        ("NAME", "Grace", "subject"),
        ("DATE", "1962-03-04", "subject"),
        ("NAME", "Mercy General Hospital", "organization"),
    ]
    rows = [{"subject_uid": "s", "kind": kind, "value": value, "role": role} for kind, value, role in facts]
    write_deltalake(str(settings.lake / "restricted" / "vault" / "identities"), pa.Table.from_pylist(rows))


@pytest.fixture
def publish(settings: Settings, store: Store) -> Callable[..., None]:
    """Publish rows of a unit, with the receipt that the stage leaves."""

    def write(unit: str, *contents: str, run: str = RUN) -> None:
        rows = pa.Table.from_pylist([{"unit": unit, "content": content} for content in contents])
        path = str(settings.lake / "published" / TABLE)
        write_deltalake(path, rows, mode="append", partition_by=["unit"])
        attempt = attempts.begin(store, "publish", unit, "research", run)
        receipts.close(store, attempt, {"table": TABLE, "objects": OBJECTS, "published": 1}, receipts.new_id())

    return write


def units(settings: Settings) -> set[str]:
    table = DeltaTable(str(settings.lake / "published" / TABLE)).to_pyarrow_table()
    return set(table.column("unit").to_pylist())


def airflow(settings: Settings, name: str) -> Path:
    path = settings.home / "airflow" / name
    path.parent.mkdir(parents=True)
    return path


def test_a_clean_run_has_no_leak_and_keeps_what_it_published(
    settings: Settings, store: Store, publish: Callable[..., None]
) -> None:
    publish("u1", "Seen with a cough at Mercy General Hospital, by the grace of God, since 1962-03-04.")
    airflow(settings, "logs/dag_id=pipeline/attempt=1.log").write_text("anonymize done\n")
    assert closing_scan(settings, store, RUN) == []
    assert units(settings) == {"u1"}


def test_an_identifier_in_a_published_row_is_told_without_its_value_and_its_unit_is_withdrawn(
    settings: Settings, store: Store, publish: Callable[..., None]
) -> None:
    publish("u0", "An earlier run.", run="manual__0")
    publish("u1", f"Seen: {NAME.upper()}.")
    found = closing_scan(settings, store, RUN)
    assert found
    assert all("published" in place for place in found)
    assert "vasterby" not in " ".join(found).lower()
    assert units(settings) == {"u0"}


def test_an_identifier_in_a_file_name_is_found_and_the_unit_withdrawn(
    settings: Settings, store: Store, publish: Callable[..., None]
) -> None:
    publish("u1", "Seen with a cough.")
    planted = settings.lake / "published" / TABLE / "unit=u1" / f"{NAME.replace(' ', '_')}.txt"
    planted.write_text("nothing")
    found = closing_scan(settings, store, RUN)
    assert found
    assert "Vasterby" not in " ".join(found)
    assert units(settings) == set()


def test_a_payload_object_that_holds_an_identifier_takes_its_unit_back(
    settings: Settings, store: Store, publish: Callable[..., None]
) -> None:
    publish("u1", "Seen with a cough.")
    planted = settings.lake / "published" / OBJECTS / "ab" / "ab12"
    planted.parent.mkdir(parents=True)
    planted.write_bytes(b"\xff\xd8\xff\xe1 Artist " + NAME.encode() + b" \x00")
    assert closing_scan(settings, store, RUN)
    assert units(settings) == set()


@pytest.mark.parametrize("value", [NAME, MRN])
def test_an_identifier_in_a_log_of_airflow_is_found_and_takes_nothing_back(
    value: str, settings: Settings, store: Store, publish: Callable[..., None]
) -> None:
    publish("u1", "Seen with a cough.")
    log = airflow(settings, "logs/dag_id=pipeline/task_id=ingest/attempt=1.log")
    log.write_text(f'{{"event": "cannot parse {value}", "level": "error"}}\n')
    (found,) = closing_scan(settings, store, RUN)
    assert "airflow" in found
    assert value not in found
    assert units(settings) == {"u1"}


def test_an_identifier_in_the_database_of_airflow_is_found(settings: Settings, store: Store) -> None:
    with sqlite3.connect(airflow(settings, "airflow.db")) as database:
        database.execute("CREATE TABLE xcom (value BLOB)")
        database.execute("INSERT INTO xcom VALUES (?)", (f'{{"patient": "{NAME}"}}'.encode(),))
    database.close()
    (found,) = closing_scan(settings, store, RUN)
    assert "airflow" in found


def test_an_identifier_in_a_validation_result_or_a_release_is_found(settings: Settings, store: Store) -> None:
    for folder in (settings.home / "gx", settings.lake / "releases"):
        folder.mkdir(parents=True)
        (folder / "result.json").write_text(f'["{MRN}"]')
    found = " ".join(closing_scan(settings, store, RUN))
    assert "gx" in found
    assert "releases" in found


def test_what_is_restricted_may_hold_identifiers(settings: Settings, store: Store) -> None:
    (settings.lake / "restricted" / "logs").mkdir(parents=True)
    (settings.lake / "restricted" / "logs" / "ingest.txt").write_text(NAME)
    assert closing_scan(settings, store, RUN) == []


def test_an_installation_without_a_vault_has_nothing_to_search_for(tmp_path: Path) -> None:
    empty = Settings.from_env({"VEIL_HOME": str(tmp_path / "empty")})
    assert closing_scan(empty, Store(empty.control), RUN) == []
