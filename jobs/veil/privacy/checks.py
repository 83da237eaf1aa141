"""What the parts of a declaration mean to each other, checked; each refusal names the line and what to do."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from typing import NoReturn

from veil.errors import VeilError
from veil.policy.files import Origin
from veil.privacy import calendars, schedules
from veil.privacy.spec import ENVELOPE, NAME, Keys, Query, Read, ReleaseSpec

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
MOST_PER_UNIT = 1 << 36
"""What one unit may add to one cell, in steps of the resolution: a hundred million units then fit into 64 bits."""


def check(spec: ReleaseSpec, origin: Origin, joined: Sequence[str]) -> None:
    """Check a declaration that fits its schema; `joined` are the columns that its public tables bring.

    Raises
    ------
    VeilError
        Naming file, key and line.
    """
    if spec.name == FILES:
        _refuse(origin, ("name",), f"{FILES} is the folder of all releases' files", "Name the release otherwise")
    _check_period(spec, origin)
    _check_records(spec, origin)
    _check_costs(spec, origin)
    for name, read in spec.columns.items():
        _check_column(name, read, origin)
    _check_joins(spec, origin, joined)
    known = {*spec.columns, *joined}
    for name, keys in spec.keys.items():
        if name not in known:
            _refuse(origin, ("keys", name), f"there is no column {name}", f"Declare it: {_listed(known)} are declared")
        _check_keys(name, keys, spec, origin)
    seen: set[str] = set()
    for number, query in enumerate(spec.queries):
        if query.name in seen:
            _refuse(origin, ("queries", number, "name"), "two queries have this name", "Rename one")
        seen.add(query.name)
        _Checker(spec, origin, number, query, known).check()
    if spec.minimum_size is not None:
        _check_minimum_size(spec, origin)


def _check_minimum_size(spec: ReleaseSpec, origin: Origin) -> None:
    counted = [spec.by(query) for query in spec.queries if query.counts_units]
    for number, query in enumerate(spec.queries):
        if spec.by(query) not in counted:
            _refuse(
                origin,
                ("queries", number, "name"),
                f"{query.name}: no query counts patients in its cells, so that none is known to be too small",
                "Add one by the same columns, or remove minimum_size",
            )


def _check_period(spec: ReleaseSpec, origin: Origin) -> None:
    if (spec.period is None) == (spec.window is None):
        _refuse(origin, ("window" if spec.window else "name",), "give either period or window", "See docs/releases.md")
    if spec.period is not None:
        try:
            calendars.first_day(calendars.form_of(spec.period), spec.period)
        except ValueError as error:
            _refuse(origin, ("period",), str(error), "Correct it")
    if spec.schedule is not None and (problem := schedules.problem(spec.schedule, spec.window)):
        _refuse(origin, ("schedule",), problem, "Correct it, or leave it out")
    if spec.window is not None and spec.after_ingest:
        _refuse(
            origin,
            ("after_ingest",),
            "a release by windows runs for a window that is over, not after each ingest",
            "Give it a schedule, or a period in the place of window",
        )


def _check_records(spec: ReleaseSpec, origin: Origin) -> None:
    modality, types = spec.records.modality, spec.records.types
    if modality != "tabular" and types != [modality]:
        _refuse(
            origin,
            ("records", "types"),
            f"what is no table has one type, which is called {modality}",
            f'Write types = ["{modality}"]',
        )


def _check_column(name: str, read: Read, origin: Origin) -> None:
    if not _is_name(name):
        _refuse(origin, ("columns", name), f"{name} cannot be the name of a column", "Use small letters, digits and _")
    if read.to is not None and read.read != "reference":
        _refuse(origin, ("columns", name), "to belongs to a reference", 'Write read = "reference", or remove to')
    if read.read == "reference":
        if read.to is None:
            _refuse(origin, ("columns", name), "a reference needs the type that it points to", 'Add to = "Encounter"')
    elif read.read not in ENVELOPE and not re.fullmatch(r"\$(\.[\w-]+|\['[^'\\]+'\]|\[\d+\])+", read.read):
        _refuse(
            origin,
            ("columns", name),
            f"{read.read} is no column of bronze and no JSON path",
            f"Use one of {_listed(ENVELOPE)}, reference, or a path such as $.valueQuantity.value",
        )


def _check_costs(spec: ReleaseSpec, origin: Origin) -> None:
    if spec.cost.epsilon is None:
        for number, query in enumerate(spec.queries):
            if query.weight != 1:
                _refuse(
                    origin,
                    ("queries", number, "weight"),
                    "a weight shares out epsilon, and [cost] has none",
                    "Remove weight, or give epsilon in the place of rho",
                )
    aside = sum(query.select_delta or 0 for query in spec.queries)
    if aside >= spec.cost.delta:
        _refuse(origin, ("cost", "delta"), "selected keys cost as much or more", "Give a smaller select_delta")


def _check_joins(spec: ReleaseSpec, origin: Origin, joined: Sequence[str]) -> None:
    for number, table in enumerate(spec.tables):
        for column in table.on.values():
            if column not in spec.columns:
                _refuse(origin, ("tables", number, "on"), f"there is no column {column}", "Declare it in [columns]")
    for name in joined:
        if name in spec.keys and (name in spec.columns or joined.count(name) > 1):
            _refuse(origin, ("keys", name), f"{name} comes from two places", "Rename a column of the public table")


def _check_keys(name: str, keys: Keys, spec: ReleaseSpec, origin: Origin) -> None:
    for written in (name, *keys.parents):
        if not _is_name(written):
            _refuse(origin, ("keys", name), f"{written} cannot be the name of a column", "Use another name")
    if name in spec.columns and spec.columns[name].form == "number":
        _refuse(origin, ("keys", name), "numbers are no keys", 'Read the column as text, or count them by "histogram"')
    given = [keys.values is not None, keys.table is not None, keys.first is not None, keys.selected]
    if sum(given) != 1:
        _refuse(
            origin, ("keys", name), "give one of values, table, first with count, selected = true", "Keep one of them"
        )
    if keys.selected and keys.other is not None:
        _refuse(origin, ("keys", name, "other"), "selected keys have no other bucket", "Remove it")
    if keys.parents and keys.table is None:
        _refuse(origin, ("keys", name, "parents"), "parents are columns of a public table", "Give table")
    if keys.values is not None and len({*keys.values, keys.other}) != len(keys.values) + 1:
        _refuse(origin, ("keys", name, "values"), "a key stands twice, or is the other bucket too", "Keep one")
    if keys.first is not None:
        _check_calendar(name, keys, spec, origin)
    elif keys.count is not None:
        _refuse(origin, ("keys", name, "count"), "count belongs to a calendar", "Give first too")


def _check_calendar(name: str, keys: Keys, spec: ReleaseSpec, origin: Origin) -> None:
    form = spec.columns[name].form if name in spec.columns else ""
    if keys.count is None or form not in calendars.FORMS:
        _refuse(
            origin,
            ("keys", name),
            "a calendar needs count, and a column that is read as day, week, month, quarter or year",
            f'Write count, and {name} = {{ read = "start", as = "month" }} in [columns]',
        )
    try:
        calendars.periods(form, keys.first or "", keys.count)
    except ValueError as error:
        _refuse(origin, ("keys", name, "first"), str(error), "Correct it")
    except OverflowError:
        _refuse(origin, ("keys", name, "count"), "the calendar ends after the year 9999", "Give fewer periods")


class _Checker:
    """Checks one query."""

    def __init__(self, spec: ReleaseSpec, origin: Origin, number: int, query: Query, known: set[str]) -> None:
        self._spec, self._origin, self._number, self._query, self._known = spec, origin, number, query, known

    def check(self) -> None:
        self._check_by()
        self._check_of()
        self._check_cost()
        if self._query.adds_up:
            self._check_limits()
        else:
            self._check_no_limits()
        if self._query.has_bins:
            self._check_edges()
        elif self._query.edges is not None or self._query.quantiles is not None:
            self._refuse(
                "edges" if self._query.edges is not None else "quantiles",
                "bins belong to a histogram and to quantiles",
                "Remove edges and quantiles",
            )
        if self._query.levels:
            self._check_levels()

    def _check_by(self) -> None:
        by = self._spec.by(self._query)
        for column in by:
            if column not in self._spec.keys:
                self._refuse("by", f"there are no keys of {column}", f"Declare [keys.{column}]")
        if len(set(by)) < len(by):
            self._refuse("by", "a column stands twice", "Keep one")
        selected = any(self._spec.keys[column].selected for column in by)
        paying = [
            other for other in self._spec.queries if other.select_delta is not None and self._spec.by(other) == by
        ]
        if selected and len(paying) != 1:
            self._refuse(
                "by",
                "keys are selected from the data, and not exactly one query of these columns pays for it",
                "Give one query of patients select_delta",
            )
        if self._query.select_delta is not None and (
            self._query.statistic != self._unit_statistic or not selected or self._query.levels
        ):
            self._refuse("select_delta", "it pays for selected keys, in a query of patients", "Remove it")

    @property
    def _unit_statistic(self) -> str:
        return "patients" if self._spec.privacy_unit == "patient" else "patient-days"

    def _check_of(self) -> None:
        query = self._query
        if query.counts_units and query.statistic != self._unit_statistic:
            self._refuse(
                "statistic",
                f"the privacy unit is {self._spec.privacy_unit}: {query.statistic} cannot be counted",
                f'Use statistic = "{self._unit_statistic}"',
            )
        if query.counts_units and (query.of is not None or query.per_cell != 1):
            self._refuse("statistic", f"{query.statistic} count once in a cell", "Remove of and per_cell")
        if (query.adds_up or query.has_bins) and (
            query.of not in self._spec.columns or self._spec.columns[query.of].form != "number"
        ):
            self._refuse("of", "it names no column of numbers", 'Declare the column with as = "number"')
        if query.of is not None and query.of not in self._spec.columns:
            self._refuse("of", f"there is no column {query.of}", f"Declare it: {_listed(self._known)} are declared")

    def _check_cost(self) -> None:
        if self._spec.cost.epsilon is None and self._query.rho is None:
            self._refuse("rho", "the query has no cost", "Give it rho, or all of them an epsilon in [cost]")
        if self._spec.cost.epsilon is not None and self._query.rho is not None:
            self._refuse("rho", "the cost is given by epsilon", "Remove rho; weight shares epsilon out")

    def _check_limits(self) -> None:
        query = self._query
        if query.lower is None or query.upper is None:
            self._refuse("statistic", f"a {query.statistic} without bounds has no guarantee", "Give lower and upper")
        if query.lower >= query.upper:
            self._refuse("lower", "the bounds cross", "Give a lower below upper")
        if query.resolution > query.upper - query.lower:
            self._refuse("resolution", "it is coarser than the bounds are apart", "Give a finer resolution")
        widest = max(abs(query.lower), abs(query.upper), query.upper - query.lower) / query.resolution
        steps = (widest**2 if query.statistic == "variance" else widest) * query.per_cell
        if steps > MOST_PER_UNIT:
            self._refuse(
                "resolution" if query.resolution != 1 else "upper",
                "the bounds are too many steps of the resolution",
                "Give a coarser resolution",
            )

    def _check_no_limits(self) -> None:
        query = self._query
        for key, idle in (("lower", query.lower), ("upper", query.upper), ("resolution", query.resolution != 1)):
            if idle not in (None, False):
                self._refuse(
                    key, f"{query.statistic} has no use for {key}", f"Remove it: {key} is for sum, mean and variance"
                )

    def _check_edges(self) -> None:
        query = self._query
        edges = query.edges
        if edges is None:
            self._refuse("statistic", f"a {query.statistic} needs edges of its bins", "Give edges")
        if any(low >= high for low, high in itertools.pairwise(edges)):
            self._refuse("edges", "the bounds cross", "Give edges that grow")
        if query.quantiles is not None and len(set(query.quantiles)) < len(query.quantiles):
            self._refuse("quantiles", "one stands twice", "Keep one")
        if (query.statistic == "quantiles") != (query.quantiles is not None):
            self._refuse("statistic", "quantiles go with statistic = quantiles", "Give which, such as [0.25, 0.5]")

    def _check_levels(self) -> None:
        by = self._spec.by(self._query)
        layered = [column for column in by if self._spec.keys[column].parents]
        if len(layered) != 1 or not (self._query.counts_units or self._query.statistic == "count"):
            self._refuse("levels", "levels are of a count by one column of keys with parents", "See docs/releases.md")
        if any(self._spec.keys[column].selected for column in by) or set(
            self._spec.keys[layered[0]].parents
        ).intersection(by):
            self._refuse("by", "with levels all keys are public, and no parent is a key too", "Remove it from by")
        if self._query.counts_units and self._query.cells != 1:
            self._refuse("cells", "one who is in two cells would count twice above them", "Give cells = 1, or a count")
        if self._spec.minimum_size is not None and self._query.statistic == "count":
            self._refuse("levels", "its cells above are not counted in patients", "Use patients, or no minimum_size")

    def _refuse(self, key: str, problem: str, fix: str) -> NoReturn:
        _refuse(self._origin, ("queries", self._number, key), f"{self._query.name}: {problem}", fix)


def _is_name(name: str) -> bool:
    return bool(re.fullmatch(NAME, name)) and name not in RESERVED and not _OWN.fullmatch(name)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _refuse(origin: Origin, keys: tuple[str | int, ...], problem: str, fix: str) -> NoReturn:
    raise VeilError(f"{origin.at(*keys)}: {problem}", fix)
