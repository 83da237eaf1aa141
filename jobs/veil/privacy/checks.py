"""What the parts of a declaration mean to each other, checked; each refusal names the line and what to do."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from veil import modalities
from veil.policy.files import Origin
from veil.privacy import calendars, schedules
from veil.privacy.mechanism import femto_delta
from veil.privacy.query_checks import QueryChecker, listed, refuse
from veil.privacy.spec import ENVELOPE, NAME, Keys, Read, ReleaseSpec

RESERVED = frozenset(
    {
        *("unit", "period", "query", "statistic", "bin", "value", "low_95", "high_95", "suppressed", "state"),
        *("rank", "count", "cells", "one", "trial", "side", "privacy_unit"),
    }
)
"""Names that mean something else in the published table, or while it is made."""
FILES = "files"
"""Folder of the releases' files, beside their tables."""
_OWN = re.compile(r"[vnsrq]\d+(_.*)?|veil_.*")


def check(spec: ReleaseSpec, origin: Origin, joined: Sequence[Sequence[str]]) -> None:
    """Check a declaration that fits its schema; `joined` are the columns that each of its public tables brings.

    Raises
    ------
    VeilError
        Naming file, key and line.
    """
    if spec.name == FILES:
        refuse(origin, ("name",), f"{FILES} is the folder of all releases' files", "Name the release otherwise")
    _check_period(spec, origin)
    _check_records(spec, origin)
    _check_costs(spec, origin)
    for name, read in spec.columns.items():
        _check_column(name, read, origin)
    _check_joins(spec, origin, joined)
    known = {*spec.columns, *itertools.chain.from_iterable(joined)}
    for name, keys in spec.keys.items():
        if name not in known:
            refuse(origin, ("keys", name), f"there is no column {name}", f"Declare it: {listed(known)} are declared")
        _check_keys(name, keys, spec, origin)
    seen: set[str] = set()
    for number, query in enumerate(spec.queries):
        if query.name in seen:
            refuse(origin, ("queries", number, "name"), "two queries have this name", "Rename one")
        seen.add(query.name)
        QueryChecker(spec, origin, number, query, known).check()
    if spec.minimum_size is not None:
        _check_minimum_size(spec, origin)


def _check_minimum_size(spec: ReleaseSpec, origin: Origin) -> None:
    counted = [spec.by(query) for query in spec.queries if query.counts_units]
    for number, query in enumerate(spec.queries):
        if spec.by(query) not in counted and not query.tells_truncation:
            refuse(
                origin,
                ("queries", number, "name"),
                f"{query.name}: no query counts patients in its cells, so that none is known to be too small",
                "Add one by the same columns, or remove minimum_size",
            )


def _check_period(spec: ReleaseSpec, origin: Origin) -> None:
    if (spec.period is None) == (spec.window is None):
        refuse(origin, ("window" if spec.window else "name",), "give either period or window", "See docs/releases.md")
    if spec.period is not None:
        try:
            calendars.first_day(calendars.form_of(spec.period), spec.period)
        except ValueError as error:
            refuse(origin, ("period",), str(error), "Correct it")
    if spec.schedule is not None and (problem := schedules.problem(spec.schedule, spec.window)):
        refuse(origin, ("schedule",), problem, "Correct it, or leave it out")
    if spec.window is not None and spec.after_ingest:
        refuse(
            origin,
            ("after_ingest",),
            "a release by windows runs for a window that is over, not after each ingest",
            "Give it a schedule, or a period in the place of window",
        )


def _check_records(spec: ReleaseSpec, origin: Origin) -> None:
    modality, types = spec.records.modality, spec.records.types
    known = modalities.registered()
    if modality not in known:
        refuse(origin, ("records", "modality"), f"there is no modality {modality}", f"Write one of {listed(known)}")
    if modality != "tabular" and types != [modality]:
        refuse(
            origin,
            ("records", "types"),
            f"what is no table has one type, which is called {modality}",
            f'Write types = ["{modality}"]',
        )
    for name, read in spec.columns.items():
        if modality != "tabular" and read.read.startswith("$"):
            refuse(origin, ("columns", name), f"{modality} has no content to read a path in", "Read a typed column")


def _check_column(name: str, read: Read, origin: Origin) -> None:
    if not _is_name(name):
        refuse(origin, ("columns", name), f"{name} cannot be the name of a column", "Use small letters, digits and _")
    if read.to is not None and read.read != "reference":
        refuse(origin, ("columns", name), "to belongs to a reference", 'Write read = "reference", or remove to')
    if read.read == "reference":
        if read.to is None:
            refuse(origin, ("columns", name), "a reference needs the type that it points to", 'Add to = "Encounter"')
    elif read.read not in ENVELOPE and not re.fullmatch(r"\$(\.[\w-]+|\['[^'\\]+'\]|\[\d+\])+", read.read):
        refuse(
            origin,
            ("columns", name),
            f"{read.read} is no column of bronze and no JSON path",
            f"Use one of {listed(ENVELOPE)}, reference, or a path such as $.valueQuantity.value",
        )


def _check_costs(spec: ReleaseSpec, origin: Origin) -> None:
    if spec.cost.epsilon is None:
        for number, query in enumerate(spec.queries):
            if query.weight != 1:
                refuse(
                    origin,
                    ("queries", number, "weight"),
                    "a weight shares out epsilon, and [cost] has none",
                    "Remove weight, or give epsilon in the place of rho",
                )
    aside = sum(femto_delta(query.select_delta, up=True) for query in spec.queries if query.select_delta)
    if aside >= femto_delta(spec.cost.delta, up=False):
        refuse(origin, ("cost", "delta"), "selected keys cost as much or more", "Give a smaller select_delta")


def _check_joins(spec: ReleaseSpec, origin: Origin, joined: Sequence[Sequence[str]]) -> None:
    for number, table in enumerate(spec.tables):
        for column in table.on.values():
            if column not in spec.columns:
                refuse(origin, ("tables", number, "on"), f"there is no column {column}", "Declare it in [columns]")
        if len(set(table.on.values())) < len(table.on):
            refuse(origin, ("tables", number, "on"), "two columns of the file are joined by one", "Keep one of them")
        for name in joined[number]:
            if not _is_name(name):
                refuse(
                    origin,
                    ("tables", number, "file"),
                    f"its column {name} cannot be the name of a column",
                    "Rename it in the file: small letters, digits and _",
                )
    names = list(itertools.chain.from_iterable(joined))
    for name in names:
        if name in spec.keys and (name in spec.columns or names.count(name) > 1):
            refuse(origin, ("keys", name), f"{name} comes from two places", "Rename a column of the public table")


def _check_keys(name: str, keys: Keys, spec: ReleaseSpec, origin: Origin) -> None:
    for written in (name, *keys.parents):
        if not _is_name(written):
            refuse(origin, ("keys", name), f"{written} cannot be the name of a column", "Use another name")
    if name in spec.columns and spec.columns[name].form == "number":
        refuse(origin, ("keys", name), "numbers are no keys", 'Read the column as text, or count them by "histogram"')
    given = [keys.values is not None, keys.table is not None, keys.first is not None, keys.selected]
    if sum(given) != 1:
        refuse(
            origin, ("keys", name), "give one of values, table, first with count, selected = true", "Keep one of them"
        )
    if keys.selected and keys.other is not None:
        refuse(origin, ("keys", name, "other"), "selected keys have no other bucket", "Remove it")
    if keys.parents and keys.table is None:
        refuse(origin, ("keys", name, "parents"), "parents are columns of a public table", "Give table")
    if keys.values is not None and len({*keys.values, keys.other}) != len(keys.values) + 1:
        refuse(origin, ("keys", name, "values"), "a key stands twice, or is the other bucket too", "Keep one")
    if keys.first is not None:
        _check_calendar(name, keys, spec, origin)
    elif keys.count is not None:
        refuse(origin, ("keys", name, "count"), "count belongs to a calendar", "Give first too")


def _check_calendar(name: str, keys: Keys, spec: ReleaseSpec, origin: Origin) -> None:
    form = spec.columns[name].form if name in spec.columns else ""
    if keys.count is None or form not in calendars.FORMS:
        refuse(
            origin,
            ("keys", name),
            "a calendar needs count, and a column that is read as day, week, month, quarter or year",
            f'Write count, and {name} = {{ read = "start", as = "month" }} in [columns]',
        )
    try:
        calendars.periods(form, keys.first or "", keys.count)
    except ValueError as error:
        refuse(origin, ("keys", name, "first"), str(error), "Correct it")
    except OverflowError:
        refuse(origin, ("keys", name, "count"), "the calendar ends after the year 9999", "Give fewer periods")


def _is_name(name: str) -> bool:
    return bool(re.fullmatch(NAME, name)) and name not in RESERVED and not _OWN.fullmatch(name)
