"""The closing scan: after a run, everything it wrote outside the restricted zone is searched for known identifiers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow.compute as pc
from deltalake import DeltaTable

from veil import vault
from veil.control import Store, receipts
from veil.detect.scan import scan
from veil.lake import PUBLISHED, RELEASES, RESTRICTED
from veil.settings import Settings

_SHORTEST = 7
_LOGS = ("airflow", "gx")


def closing_scan(settings: Settings, store: Store, run_key: str) -> list[str]:
    """Search published data, releases, logs, XCom and validation results; give where an identifier was found.

    A unit of this run in whose table one was found is withdrawn at once.
    """
    needles: dict[str | bytes, str] = dict(_needles(settings.lake / RESTRICTED / vault.IDENTITIES))
    if not needles:
        return []
    places = [settings.lake / PUBLISHED, settings.lake / RELEASES, *(settings.home / name for name in _LOGS)]
    found: list[str] = []
    for place in places:
        if place.exists():
            hits = scan(place, needles)
            found += sorted({f"{place.name}: {hit.label}" for hit in hits})
            if hits and place.name == PUBLISHED:
                _withdraw(settings, store, run_key, {hit.path for hit in hits})
    return found


def _needles(table: Path) -> Iterator[tuple[str, str]]:
    """Choose of the known identifiers those that mean nothing else: full names, and long ones with a digit or sign."""
    if not (table / "_delta_log").exists():
        return
    rows = DeltaTable(str(table)).to_pyarrow_table(columns=["kind", "value", "role"])
    rows = rows.filter(pc.greater_equal(pc.utf8_length(rows["value"]), _SHORTEST))
    for row in rows.to_pylist():
        if _is_distinctive(row):
            yield row["value"], row["kind"]


def _is_distinctive(row: Mapping[str, str]) -> bool:
    if row["role"] == "organization" or row["kind"] in ("DATE", "ORGANIZATION"):
        return False
    if row["kind"] == "NAME":
        return " " in row["value"]
    return sum(not character.isalpha() for character in row["value"]) > 1


def _withdraw(settings: Settings, store: Store, run_key: str, paths: set[str]) -> None:
    """Take the run's units out of every published table in which something was found."""
    for receipt in receipts.of_run(store, run_key):
        if receipt.stage != "publish":
            continue
        folders = (receipt.body["table"], receipt.body["objects"])
        if any(f"{path}/".startswith(f"{folder}/") for path in paths for folder in folders):
            table = DeltaTable(str(settings.lake / PUBLISHED / receipt.body["table"]))
            table.delete(f"unit = '{receipt.unit_id}'")
