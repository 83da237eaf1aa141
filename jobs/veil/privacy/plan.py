"""What a release measures: its queries as vectors of integers, each with its mechanism and its share of the cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import ceil

from veil.privacy.accounting import rho_for
from veil.privacy.load import Release
from veil.privacy.mechanism import Mechanism
from veil.privacy.spec import Query

_PARTS = {
    "sum": ("sum",),
    "mean": ("count", "sum"),
    "variance": ("count", "sum", "square"),
    "truncated": ("count", "truncated"),
}


@dataclass(frozen=True, slots=True)
class Grouping:
    """What is bounded together: cells of some columns, of which one privacy unit keeps at most `cells`.

    `bins` is the index of the query whose bins are one more column, or None; `truncated` that of the query whose
    bounds are watched: its units are counted, and those of whom it leaves something out.
    """

    columns: tuple[str, ...]
    cells: int
    bins: int | None = None
    truncated: int | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """One vector of integers, with a value for each cell.

    `query` is the index of its query, `part` is ``count``, ``sum``, ``square`` or ``truncated``, `level` how many
    parents up its cells are (0: as they were bounded).
    """

    query: int
    part: str
    level: int
    mechanism: Mechanism


def grouping_of(release: Release, number: int) -> Grouping:
    """Give what the query `number` is bounded with: queries over the same cells share one pass over the data."""
    query = release.spec.queries[number]
    return Grouping(
        release.spec.by(query),
        query.cells,
        number if query.edges is not None else None,
        release.spec.number_of(str(query.of)) if query.tells_truncation else None,
    )


def groupings(release: Release) -> list[Grouping]:
    """List what has to be counted for a release, each once."""
    return list(dict.fromkeys(grouping_of(release, number) for number in range(len(release.spec.queries))))


def queries_of(release: Release, grouping: Grouping) -> list[int]:
    """List the queries that are bounded together."""
    return [number for number in range(len(release.spec.queries)) if grouping_of(release, number) == grouping]


def parts_of(release: Release, grouping: Grouping) -> list[tuple[int, str]]:
    """List what is added up in one grouping, by query and part."""
    numbers = queries_of(release, grouping)
    return [(number, part) for number in numbers for part in parts(release.spec.queries[number])]


def measures(release: Release) -> list[Measure]:
    """List the measures of a release, in the order in which they are drawn.

    With `cost.epsilon` the queries share the rho that costs it by PLD, what pays for selected keys set aside.
    """
    cost = release.spec.cost
    shares = [query.rho if query.rho is not None else query.weight for query in release.spec.queries]
    if cost.epsilon is None:
        return _measures(release, shares)
    weights = [share / sum(shares) for share in shares]
    aside = sum(query.select_delta or 0 for query in release.spec.queries)
    of_one = tuple(measure.mechanism for measure in _measures(release, weights))
    rho = rho_for(cost.epsilon, cost.delta - aside, of_one)
    return _measures(release, [rho * weight for weight in weights])


def _measures(release: Release, rhos: list[float]) -> list[Measure]:
    made = (_of_query(release, number, rho) for number, rho in enumerate(rhos))
    return [measure for measures_of_query in made for measure in measures_of_query]


def _of_query(release: Release, number: int, rho: float) -> list[Measure]:
    query = release.spec.queries[number]
    made_of = parts(query)
    l0 = most_cells(release, query)
    levels = 1 + max((len(release.spec.keys[column].parents) for column in release.spec.by(query)), default=0)
    if not query.levels:
        share = rho / len(made_of)
        return [Measure(number, part, 0, Mechanism(l0, most_in_cell(query, part), share)) for part in made_of]
    finest = Mechanism(l0, query.per_cell, rho / levels)
    # all cells of one unit may lie under the same parent: there its contribution is their sum
    coarse = Mechanism(1, l0 * query.per_cell, rho / levels)
    return [Measure(number, "count", level, coarse if level else finest) for level in range(levels)]


def parts(query: Query) -> tuple[str, ...]:
    """List the vectors that a query is made of: a mean is a noisy sum and a noisy count."""
    return _PARTS.get(query.statistic, ("count",))


def most_cells(release: Release, query: Query) -> int:
    """Give the L0 bound of a query: what it declares, or the number of its public cells where that is less."""
    columns = release.spec.by(query)
    if release.is_selected(columns):
        return query.cells
    return min(query.cells, query.bins * release.width(columns))


def centre(query: Query) -> float:
    """Give what is taken off a value before it is added up: the middle of its bounds, but for sums nothing.

    A mean and a variance need half of the noise then.
    """
    limits = _limits(query)
    return 0.0 if query.statistic == "sum" else (limits[0] + limits[1]) / 2


def steps(query: Query) -> int:
    """Give the largest absolute value, in steps of the resolution, after the centre is taken off."""
    middle = centre(query)
    return max(1, ceil(max(abs(limit - middle) for limit in _limits(query)) / query.resolution))


def square_centre(query: Query) -> int:
    """Give what is taken off a square, in steps squared: half of the largest."""
    return steps(query) ** 2 // 2


def most_in_cell(query: Query, part: str) -> int:
    """Give the L-infinity bound of a part of a query."""
    of: dict[str, Callable[[], int]] = {
        "count": lambda: 1,
        "truncated": lambda: 1,
        "sum": partial(steps, query),
        "square": lambda: steps(query) ** 2 - square_centre(query),
    }
    return query.per_cell * of[part]()


def _limits(query: Query) -> tuple[float, float]:
    if query.lower is None or query.upper is None:  # checked at load
        raise ValueError(f"{query.name} has no bounds")
    return query.lower, query.upper
