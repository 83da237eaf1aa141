"""From noisy integers to what is published: statistics with 95 % intervals. All of it is post-processing, and free.

An interval covers the noise. It does not cover what bounding took off, nor what is wrong in the records.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from scipy.special import ndtri

from veil.privacy import plan
from veil.privacy.cells import Cell
from veil.privacy.consistency import Node, consistent
from veil.privacy.drawing import Noisy, ascent
from veil.privacy.load import Release
from veil.privacy.mechanism import Mechanism
from veil.privacy.spec import Query, quantile

_ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Row:
    """One published number. `keys` are values by column; `bin` is an interval in words, for a histogram."""

    keys: dict[str, str]
    query: str
    statistic: str
    value: float | None
    low: float | None
    high: float | None
    bin: str | None = None
    suppressed: bool = False


def rows(release: Release, noisy: Noisy) -> list[Row]:
    """List everything that a release publishes, query by query, in the order of the keys."""
    small = _small(release, noisy)
    made = [row for number in range(len(release.spec.queries)) for row in _of_query(release, noisy, number)]
    return [_suppressed(row) if _where(row) in small else row for row in made]


def expected_rows(release: Release) -> int | None:
    """Give how many rows a declaration has to have; None where cells are selected from the data."""
    total = 0
    for query in release.spec.queries:
        columns = release.spec.by(query)
        if release.is_selected(columns):
            return None
        cells = release.cells(columns)
        each = {"mean": 3, "variance": 4, "truncated": 3}.get(query.statistic, 1)
        if query.edges is not None:
            each = len(query.quantiles) if query.quantiles else len(query.edges) - 1
        if query.levels:
            parents, above = max(len(release.spec.keys[column].parents) for column in columns), ascent(release, columns)
            nodes = sum(len({above(cell, level) for cell in cells}) for level in range(parents + 1))
            total += 2 * nodes
        else:
            total += each * len(cells)
    return total


def _where(row: Row) -> tuple[tuple[str, str], ...]:
    return tuple(row.keys.items())


def _suppressed(row: Row) -> Row:
    return Row(row.keys, row.query, row.statistic, None, None, None, row.bin, suppressed=True)


def _small(release: Release, noisy: Noisy) -> set[tuple[tuple[str, str], ...]]:
    """Give the cells whose noisy count of privacy units is below the minimum size."""
    least = release.spec.minimum_size
    if least is None:
        return set()
    return {
        tuple(zip(release.spec.by(query), cell, strict=True))
        for number, query in enumerate(release.spec.queries)
        if query.counts_units or query.tells_truncation
        for cell, value in noisy.of(number)[0].items()
        if value < least
    }


def _of_query(release: Release, noisy: Noisy, number: int) -> Iterator[Row]:
    query = release.spec.queries[number]
    if query.levels:
        yield from _levels(release, noisy, number)
        return
    columns = release.spec.by(query)
    for cell in noisy.cells[columns]:
        keys = dict(zip(columns, cell, strict=True))
        if query.edges is not None:
            yield from _binned(query, noisy, number, cell, keys)
        elif query.statistic in ("mean", "variance"):
            yield from _moments(query, noisy, number, cell, keys)
        elif query.tells_truncation:
            yield from _truncation(query, noisy, number, cell)
        else:
            part = "sum" if query.statistic == "sum" else "count"
            values, mechanism = noisy.of(number, part)
            step = query.resolution if part == "sum" else 1
            yield _row(query, keys, query.statistic, values[cell] * step, mechanism.half_width() * step)


def _row(query: Query, keys: dict[str, str], statistic: str, value: float, half: float) -> Row:
    return Row(keys, query.name, statistic, value, value - half, value + half)


def _moments(query: Query, noisy: Noisy, number: int, cell: Cell, keys: dict[str, str]) -> Iterator[Row]:
    """Give count, sum, mean and variance; each interval holds at once for what it is made of (Bonferroni)."""
    parts = plan.parts(query)
    alpha = _ALPHA / len(parts)
    value, width = {}, {}
    for part in parts:
        values, mechanism = noisy.of(number, part)
        value[part], width[part] = values[cell], mechanism.half_width(alpha)
    middle, step = plan.centre(query), query.resolution
    counts = noisy.of(number, "count")[1].half_width()
    yield _row(query, keys, "count", value["count"], counts)
    total = value["sum"] * step + middle * value["count"]
    yield _row(query, keys, "sum", total, width["sum"] * step + abs(middle) * width["count"])
    least, most = float(query.lower or 0), float(query.upper or 0)
    mean = _ratio(value["sum"], width["sum"], value["count"], width["count"])
    at, low, high = (min(max(middle + step * part, least), most) for part in mean)
    yield Row(keys, query.name, "mean", at, low, high)
    if "square" in parts:
        yield _variance(query, keys, value, width, mean)


def _truncation(query: Query, noisy: Noisy, number: int, cell: Cell) -> Iterator[Row]:
    """Give units, those of whom something was left out, and their share, whose interval is Bonferroni's over both."""
    value, width = {}, {}
    for part in plan.parts(query):
        values, mechanism = noisy.of(number, part)
        value[part], width[part] = values[cell], mechanism.half_width(_ALPHA / 2)
        yield _row(query, {}, part, value[part], mechanism.half_width())
    shares = _ratio(value["truncated"], width["truncated"], value["count"], width["count"])
    at, low, high = (min(max(share, 0.0), 1.0) for share in shares)
    yield Row({}, query.name, "share", at, low, high)


def _variance(
    query: Query,
    keys: dict[str, str],
    value: dict[str, int],
    width: dict[str, int],
    mean: tuple[float, float, float],
) -> Row:
    """Give the variance of the values, E[v**2] - E[v]**2, in steps from the centre; never above its largest."""
    square, low, high = _ratio(value["square"], width["square"], value["count"], width["count"])
    half, step = plan.square_centre(query), query.resolution
    squares = [0.0 if mean[1] <= 0 <= mean[2] else min(mean[1] ** 2, mean[2] ** 2), max(mean[1] ** 2, mean[2] ** 2)]
    most = ((query.upper or 0) - (query.lower or 0)) ** 2 / 4
    found = [square + half - mean[0] ** 2, low + half - squares[1], high + half - squares[0]]
    at, least, greatest = (min(max(part * step * step, 0.0), most) for part in found)
    return Row(keys, query.name, "variance", at, least, greatest)


def _ratio(total: int, total_width: int, count: int, count_width: int) -> tuple[float, float, float]:
    """Divide two noisy numbers: the ratio and its bounds, infinite where the count may be zero."""
    at = total / max(count, 1)
    if count - count_width <= 0:
        return at, -math.inf, math.inf
    bounds = [(total + sign * total_width) / (count + other * count_width) for sign in (-1, 1) for other in (-1, 1)]
    return at, min(bounds), max(bounds)


def _binned(query: Query, noisy: Noisy, number: int, cell: Cell, keys: dict[str, str]) -> Iterator[Row]:
    edges = query.edges or []
    values, mechanism = noisy.of(number)
    counts = [values[*cell, str(at)] for at in range(len(edges) - 1)]
    if query.quantiles is None:
        half = mechanism.half_width()
        for at, count in enumerate(counts):
            close = "]" if at == len(counts) - 1 else ")"
            words = f"[{_edge(edges[at])}, {_edge(edges[at + 1])}{close}"
            yield Row(keys, query.name, "count", count, count - half, count + half, words)
        return
    for share in query.quantiles:
        low, high = _quantile_bounds(counts, edges, share, mechanism)
        value = min(max(_quantile(counts, edges, share), low), high)
        yield Row(keys, query.name, quantile(share), value, low, high)


def _edge(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _quantile(counts: list[int], edges: list[float], share: float) -> float:
    """Interpolate in the cumulative histogram, made to grow."""
    below, wanted = 0.0, share * max(1, sum(counts))
    highest = 0.0
    for at, count in enumerate(counts):
        below += count
        if below >= wanted and below > highest:
            part = (wanted - highest) / (below - highest)
            return edges[at] + min(max(part, 0.0), 1.0) * (edges[at + 1] - edges[at])
        highest = max(highest, below)
    return edges[-1]


def _quantile_bounds(counts: list[int], edges: list[float], share: float, mechanism: Mechanism) -> tuple[float, float]:
    """Give the edges between which the quantile lies, with at least 95 %.

    At an edge with `j` bins below it, the noisy count below minus `share` of the whole has variance
    scale**2 ((1 - share)**2 j + share**2 (bins - j)); an edge is ruled out where that is too far from zero for any of
    them to be (Bonferroni).
    """
    bins, whole = len(counts), sum(counts)
    z = float(ndtri(1 - _ALPHA / (2 * bins)))
    low, high, below = edges[0], edges[-1], 0
    for at in range(1, bins):
        below += counts[at - 1]
        excess = below - share * whole
        reach = z * mechanism.scale * math.sqrt((1 - share) ** 2 * at + share**2 * (bins - at))
        if excess < -reach:
            low = max(low, edges[at])
        elif excess > reach:
            high = min(high, edges[at])
    return low, max(low, high)


def _levels(release: Release, noisy: Noisy, number: int) -> Iterator[Row]:
    """Give each level as it was drawn, and made to add up."""
    query = release.spec.queries[number]
    columns = release.spec.by(query)
    layered = next(column for column in columns if release.spec.keys[column].parents)
    names = (layered, *release.spec.keys[layered].parents)
    measured: dict[Node, int] = {}
    parents: dict[Node, Node] = {}
    variance: dict[Node, float] = {}
    widths = [noisy.of(number, "count", level)[1].half_width() for level in range(len(names))]
    for level in range(len(names)):
        values, mechanism = noisy.of(number, "count", level)
        for cell, value in values.items():
            measured[str(level), *cell] = value
            variance[str(level), *cell] = mechanism.scale**2
    lineage: dict[Node, tuple[Cell, ...]] = {}
    above = ascent(release, columns)
    for cell in noisy.cells[columns]:
        path = tuple(above(cell, level) for level in range(len(names)))
        for level in range(len(names)):
            lineage[str(level), *path[level]] = path[level:]
            if level:
                parents[str(level - 1), *path[level - 1]] = (str(level), *path[level])
    at = columns.index(layered)
    estimates = consistent(measured, parents, variance)
    for node in sorted(measured, key=lambda node: (-int(node[0]), node[1:])):
        level = int(node[0])
        keys = {column: part for column, part in zip(columns, node[1:], strict=True) if column != layered}
        keys |= {name: cell[at] for name, cell in zip(names[level:], lineage[node], strict=True)}
        estimate = estimates[node]
        of_node = (
            _row(query, keys, query.statistic, measured[node], widths[level]),
            _row(query, keys, f"{query.statistic}, consistent", estimate.value, estimate.half_width),
        )
        is_small = query.counts_units and measured[node] < (release.spec.minimum_size or -math.inf)
        yield from (_suppressed(row) if is_small else row for row in of_node)
