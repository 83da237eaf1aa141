"""What a query of a declaration has to be; each refusal names the line and what to do."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from typing import NoReturn

from veil.errors import VeilError
from veil.policy.files import Origin
from veil.privacy.spec import Query, ReleaseSpec, quantile

MOST_PER_UNIT = 1 << 36
"""What one unit may add to one cell, in steps of the resolution: a hundred million units then fit into 64 bits."""
_FINE = 10
"""Bounds that are nearer to each other want a resolution that somebody has thought of."""


class QueryChecker:
    """Checks one query of a declaration; `known` are the columns that there are."""

    def __init__(self, spec: ReleaseSpec, origin: Origin, number: int, query: Query, known: set[str]) -> None:
        self._spec, self._origin, self._number, self._query, self._known = spec, origin, number, query, known

    def check(self) -> None:
        """Check it; a refusal is a `VeilError` that names file, key and line."""
        if self._query.tells_truncation:
            self._check_truncation()
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
            numbers = listed(name for name, read in self._spec.columns.items() if read.form == "number")
            self._refuse(
                "of",
                "it names no column of numbers",
                f'Declare it in [columns] with as = "number"; {numbers or "no column"} is',
            )
        if query.of is not None and query.of not in self._spec.columns and not query.tells_truncation:
            self._refuse("of", f"[columns] has no {query.of}", f"Declare it: {listed(self._spec.columns)} are declared")

    def _check_truncation(self) -> None:
        query = self._query
        others = {other.name: other for other in self._spec.queries if not other.tells_truncation}
        if query.of not in others:
            self._refuse("of", "it names no other query", f"Write one of {listed(others)}")
        if [other.of for other in self._spec.queries if other.tells_truncation].count(query.of) > 1:
            self._refuse("of", f"another query tells what {query.of} leaves out", "Keep one of them")
        for key, idle in (("by", query.by), ("cells", query.cells != 1), ("per_cell", query.per_cell != 1)):
            if idle:
                self._refuse(key, "it counts every patient once, over all cells", "Write cells = 1 and nothing else")

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
        if "resolution" not in query.model_fields_set and query.upper - query.lower < _FINE:
            self._refuse(
                "upper",
                f"values would be whole numbers, and the bounds are only {query.upper - query.lower:g} apart",
                "Give resolution, such as 0.01, or 1 if whole numbers are meant",
            )
        widest = max(abs(query.lower), abs(query.upper), query.upper - query.lower) / query.resolution
        most = MOST_PER_UNIT / query.per_cell
        if widest > (math.sqrt(most) if query.statistic == "variance" else most):
            self._refuse(
                "resolution" if query.resolution != 1 else "upper",
                "the bounds are too many steps of the resolution",
                "Give a coarser resolution",
            )

    def _check_no_limits(self) -> None:
        query = self._query
        for key, idle in (("lower", query.lower), ("upper", query.upper), ("resolution", query.resolution != 1)):
            if idle is not None and idle is not False:
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
        if query.quantiles is not None and len(set(map(quantile, query.quantiles))) < len(query.quantiles):
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
        refuse(self._origin, ("queries", self._number, key), f"{self._query.name}: {problem}", fix)


def listed(names: Iterable[str]) -> str:
    """List names for a message."""
    return ", ".join(sorted(names))


def refuse(origin: Origin, keys: tuple[str | int, ...], problem: str, fix: str) -> NoReturn:
    """Refuse a declaration at a key of its file."""
    raise VeilError(f"{origin.at(*keys)}: {problem}", fix)
