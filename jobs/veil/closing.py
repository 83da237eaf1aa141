"""The closing scan: after a run, everything it wrote outside the restricted zone is searched for known identifiers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from deltalake import DeltaTable

from veil import vault
from veil.control import Store, attempts, receipts
from veil.detect.scan import scan
from veil.lake import PUBLISHED, RELEASES, RESTRICTED
from veil.rows import rows
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
            found += sorted({f"{place.name}: {hit.label or 'a file that cannot be read'}" for hit in hits})
            seen = {hit.path for hit in hits if hit.label}
            if seen and place.name == PUBLISHED:
                _withdraw(settings, store, run_key, seen)
    return found


def _needles(table: Path) -> Iterator[tuple[str, str]]:
    """Choose of the known identifiers those that mean nothing else: full names, and long ones with a digit or sign."""
    for row in rows(table, "kind, value, role"):
        if len(row["value"]) >= _SHORTEST and _is_distinctive(row):
            yield row["value"], row["kind"]


def _is_distinctive(row: Mapping[str, str]) -> bool:
    if row["role"] == "organization" or row["kind"] in ("DATE", "ORGANIZATION"):
        return False
    if row["kind"] == "NAME":
        return " " in row["value"]
    return sum(not character.isalpha() for character in row["value"]) > 1


def _withdraw(settings: Settings, store: Store, run_key: str, paths: set[str]) -> None:
    """Take the run's units out of every published table whose current files hold something, and remove those files."""
    for receipt in receipts.of_run(store, run_key):
        if receipt.stage != "publish":
            continue
        name, objects = receipt.body["table"], receipt.body["objects"]
        mine = {path for path in paths if path.startswith(f"{objects}/")}
        # under the lock of those who publish: a vacuum removes files that are written and not committed yet
        with attempts.locked(store, f"publish/{name}", f"{run_key}/closing"):
            table = DeltaTable(str(settings.lake / PUBLISHED / name))
            if mine or _is_hit(table, name, paths):
                table.delete(f"unit = '{receipt.unit_id}'")
                # at once, not after the retention: what was found must not stay in a file that no commit names
                table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
            for path in mine:
                (settings.lake / PUBLISHED / path).unlink(missing_ok=True)


def _is_hit(table: DeltaTable, name: str, paths: set[str]) -> bool:
    """Tell whether a hit is in what readers see; files that a later commit has replaced are no longer part of it."""
    current = {f"{name}/{path}" for path in table.get_add_actions(flatten=True)["path"].to_pylist()}
    mine = {path for path in paths if path.startswith(f"{name}/")}
    return any(path in current or not path.endswith(".parquet") for path in mine)
