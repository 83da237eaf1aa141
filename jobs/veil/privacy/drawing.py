"""Draws: adds noise to exact numbers, cell by cell, empty cells too, and says which cells there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from veil.privacy import plan
from veil.privacy.bounding import Exact
from veil.privacy.cells import Cell
from veil.privacy.load import Release
from veil.privacy.mechanism import Mechanism
from veil.privacy.plan import Grouping, Measure

Draw = Callable[[Mechanism, Sequence[int]], list[int]]
_NOTHING: dict[tuple[int, str], int] = {}


@dataclass(frozen=True, slots=True)
class Noisy:
    """What was drawn: for each measure its noisy values by cell (with bins: the cell and the bin's number).

    `measures` are those of the plan, in its order; `cells` are the cells of each list of columns.
    """

    measures: list[Measure]
    values: list[dict[Cell, int]] = field(repr=False)
    cells: dict[tuple[str, ...], list[Cell]] = field(repr=False)

    def of(self, query: int, part: str = "count", level: int = 0) -> tuple[dict[Cell, int], Mechanism]:
        """Give the values of one part of a query, and the mechanism that drew them."""
        for measure, values in zip(self.measures, self.values, strict=True):
            if (measure.query, measure.part, measure.level) == (query, part, level):
                return values, measure.mechanism
        raise KeyError(query, part, level)


def draw(release: Release, counted: Mapping[Grouping, Exact], add: Draw = Mechanism.draw) -> Noisy:
    """Draw everything that a release measures. The ledger must have been paid.

    Selected keys are drawn first: every key that anybody has gets noise, and those below the threshold are gone.
    """
    measures = plan.measures(release)
    drawn: dict[int, dict[Cell, int]] = {}
    cells: dict[tuple[str, ...], list[Cell]] = {}
    for number, measure in enumerate(measures):
        query = release.spec.queries[measure.query]
        columns = release.spec.by(query)
        if query.select_delta is not None:
            grouping = plan.grouping_of(release, measure.query)
            found = sorted(counted[grouping])
            noisy = _drawn(measure, found, counted[grouping], add)
            threshold = measure.mechanism.threshold(query.select_delta)
            drawn[number] = {cell: value for cell, value in noisy.items() if value >= threshold}
            cells[columns] = sorted(drawn[number])
    for number, measure in enumerate(measures):
        columns = release.spec.by(release.spec.queries[measure.query])
        if columns not in cells:
            cells[columns] = release.cells(columns)
        if number not in drawn:
            listed, numbers = _at_level(release, measure, cells[columns], counted)
            drawn[number] = _drawn(measure, listed, numbers, add)
    return Noisy(measures, [drawn[number] for number in range(len(measures))], cells)


def ascent(release: Release, columns: tuple[str, ...]) -> Callable[[Cell, int], Cell]:
    """Give what finds the cell so many parents up: the value of the column with parents becomes that of its parent."""
    at, lineage = _lineage(release, columns)

    def above(cell: Cell, level: int) -> Cell:
        return cell if level == 0 else (*cell[:at], lineage[cell[at]][level - 1], *cell[at + 1 :])

    return above


def _lineage(release: Release, columns: tuple[str, ...]) -> tuple[int, dict[str, tuple[str, ...]]]:
    for at, column in enumerate(columns):
        keys = release.spec.keys[column]
        if keys.parents and keys.table is not None:
            lineage = release.tables[keys.table].parents(column, keys.parents)
            # a key that is none of the table's lies under no parent of it
            return at, {**lineage, **({keys.other: (keys.other,) * len(keys.parents)} if keys.other else {})}
    return 0, {}


def _at_level(
    release: Release, measure: Measure, cells: list[Cell], counted: Mapping[Grouping, Exact]
) -> tuple[list[Cell], Exact]:
    query = release.spec.queries[measure.query]
    numbers = counted[plan.grouping_of(release, measure.query)]
    if query.edges is not None:
        return [(*cell, str(number)) for cell in cells for number in range(len(query.edges) - 1)], numbers
    if not measure.level:
        return cells, numbers
    above = ascent(release, release.spec.by(query))
    summed: Exact = {}
    for cell in cells:
        total = summed.setdefault(above(cell, measure.level), {(measure.query, measure.part): 0})
        total[measure.query, measure.part] += numbers.get(cell, _NOTHING).get((measure.query, measure.part), 0)
    return sorted(summed), summed


def _drawn(measure: Measure, cells: list[Cell], numbers: Exact, add: Draw) -> dict[Cell, int]:
    part = (measure.query, measure.part)
    exact = [numbers.get(cell, _NOTHING).get(part, 0) for cell in cells]
    return dict(zip(cells, add(measure.mechanism, exact), strict=True)) if exact else {}
