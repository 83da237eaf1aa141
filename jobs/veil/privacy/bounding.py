"""Bounding and aggregation in Spark: what one privacy unit can change is bounded before anything is summed.

Every choice is a function of the row (`xxhash64`), never of `rand()`: an indeterminate stage that is retried can let
a unit in twice. One exchange brings the rows of a unit together; what is exchanged after it are sums by cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from veil.errors import VeilError
from veil.privacy import plan
from veil.privacy.load import Release
from veil.privacy.plan import Grouping
from veil.privacy.records import UNIT
from veil.privacy.spec import Query

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

Cell = tuple[str, ...]
Exact = dict[Cell, dict[tuple[int, str], int]]
"""Exact numbers of one grouping: of a cell, by query and part. They never leave the process that draws."""

CELL, BIN = "veil_cell", "veil_bin"
_NOBODY = "veil: a record without a privacy unit"
_NOT_FINITE = "veil: a number that is not finite"


def exact(found: DataFrame, release: Release, grouping: Grouping) -> Exact:
    """Bound each unit's contributions and add them up, for the cells that anybody is in.

    Raises
    ------
    VeilError
        A record has no privacy unit, or a number is not finite.
    """
    from pyspark.errors import PySparkException

    listed = listed_cells(release, grouping)
    parts = plan.parts_of(release, grouping)
    try:
        rows = bounded(found, release, grouping).collect()
    except PySparkException as error:
        raise _explained(error) from None
    sums: Exact = {}
    for row in rows:
        values = row.asDict()
        sums[cell_of(values, grouping, listed)] = {
            (number, part): int(values[f"q{number}_{part}"] or 0) for number, part in parts
        }
    return sums


def bounded(found: DataFrame, release: Release, grouping: Grouping, within: Sequence[str] = ()) -> DataFrame:
    """Give the bounded sums of a grouping by cell: its cell columns and ``q<query>_<part>``.

    `within` are columns that separate data sets which do not know of each other, for the audit.
    """
    from pyspark.sql import functions as F

    keyed = _keyed(found, release, grouping, within)
    cell = [*([CELL] if not release.is_selected(grouping.columns) else grouping.columns)]
    cell += [BIN] if grouping.bins is not None else []
    numbers = plan.queries_of(release, grouping)
    salt = F.lit(int(release.hash[:15], 16))
    if all(_counts_once(release.spec.queries[number]) for number in numbers):
        chosen = _chosen_once(keyed, cell, grouping.cells, salt, within)
        totals = chosen.groupBy(*within, *cell).count()
        return totals.select(*within, *cell, *(F.col("count").alias(f"q{number}_count") for number in numbers))
    return _chosen(keyed, release, grouping, cell, salt, within)


def _chosen_once(keyed: DataFrame, cell: Sequence[str], most: int, salt: Column, within: Sequence[str]) -> DataFrame:
    """Give the cells that a unit counts in, at most `most`: sorted only where there are more."""
    from pyspark.sql import functions as F

    key = F.col(cell[0]) if len(cell) == 1 else F.struct(*cell)
    mine = keyed.groupBy(*within, UNIT).agg(F.collect_set(key).alias("cells"))
    ordered = F.transform(
        F.array_sort(F.transform("cells", lambda one: F.struct(F.xxhash64(salt, UNIT, one), one.alias("cell")))),
        lambda pair: pair["cell"],
    )
    kept = F.when(F.size("cells") <= most, F.col("cells")).otherwise(F.slice(ordered, 1, most))
    one = mine.select(*within, F.explode(kept).alias("one"))
    if len(cell) == 1:
        return one.withColumnRenamed("one", cell[0])
    return one.select(*within, *(F.col(f"one.{name}").alias(name) for name in cell))


def _chosen(
    keyed: DataFrame,
    release: Release,
    grouping: Grouping,
    cell: Sequence[str],
    salt: Column,
    within: Sequence[str],
) -> DataFrame:
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    numbers = plan.queries_of(release, grouping)
    gathered = [column for number in numbers for column in _gathered(release.spec.queries[number], number)]
    bounds = [column for number in numbers for column in _clamped(release.spec.queries[number], number)]
    mine = keyed.repartition(*within, UNIT).groupBy(*within, UNIT, *cell).agg(*gathered)
    order = F.xxhash64(salt, UNIT, *cell)
    ranked = mine.withColumn("rank", F.row_number().over(Window.partitionBy(*within, UNIT).orderBy(order, *cell)))
    kept = ranked.where(F.col("rank") <= grouping.cells).select(*within, *cell, *bounds)
    names = [f"q{number}_{part}" for number, part in plan.parts_of(release, grouping)]
    return kept.groupBy(*within, *cell).agg(*(F.sum(name).alias(name) for name in names))


def _keyed(found: DataFrame, release: Release, grouping: Grouping, within: Sequence[str]) -> DataFrame:
    """Give rows with their cell: outside of the public keys none is left, so that only these decide what is kept."""
    from pyspark.sql import functions as F

    missing = F.col(UNIT).isNull() | (F.col(UNIT) == "")
    unit = F.when(missing, F.raise_error(F.lit(_NOBODY))).otherwise(F.col(UNIT)).alias(UNIT)
    keys = [_key(release, column).alias(column) for column in grouping.columns]
    values, bins = _values(release, grouping)
    keyed = found.select(*within, unit, *keys, *values, *bins)
    for column in (*grouping.columns, *([BIN] if bins else [])):
        keyed = keyed.where(F.col(column).isNotNull())
    cells = listed_cells(release, grouping)
    if cells is None:
        for column in grouping.columns:
            if not release.spec.keys[column].selected:
                keyed = keyed.where(F.col(column).isin(release.values(column)))
        return keyed
    if not grouping.columns:
        return keyed.withColumn(CELL, F.lit(0))
    numbered = [(number, *cell) for number, cell in enumerate(cells)]
    ddl = ", ".join([f"{CELL} int", *(f"{column} string" for column in grouping.columns)])
    frame = found.sparkSession.createDataFrame(numbered, ddl)
    return keyed.join(F.broadcast(frame), list(grouping.columns)).drop(*grouping.columns)


def _key(release: Release, column: str) -> Column:
    from pyspark.sql import functions as F

    other = release.spec.keys[column].other
    if other is None:
        return F.col(column).cast("string")
    own = [value for value in release.values(column) if value != other]
    return F.when(F.col(column).isin(own), F.col(column)).otherwise(F.lit(other))


def _values(release: Release, grouping: Grouping) -> tuple[list[Column], list[Column]]:
    """Give what the queries of a grouping take of a row: counted items, whole numbers to add up, and the bin."""
    from pyspark.sql import functions as F

    values, bins = [], []
    for number in plan.queries_of(release, grouping):
        query = release.spec.queries[number]
        if query.edges is not None:
            bins.append(_bin(_finite(str(query.of)), query.edges).alias(BIN))
        elif query.adds_up:
            clamped = F.least(F.greatest(_finite(str(query.of)), F.lit(query.lower)), F.lit(query.upper))
            whole = F.round((clamped - F.lit(plan.centre(query))) / F.lit(query.resolution)).cast("bigint")
            values.append(F.when(F.col(str(query.of)).isNotNull(), whole).alias(f"v{number}"))
        elif query.of is not None:
            values.append(F.col(query.of).cast("string").alias(f"v{number}"))
    return values, bins


def _finite(column: str) -> Column:
    from pyspark.sql import functions as F

    value = F.col(column)
    is_not = F.isnan(value) | (F.abs(value) == F.lit(float("inf")))
    return F.when(is_not, F.raise_error(F.lit(_NOT_FINITE)).cast("double")).otherwise(value)


def _bin(value: Column, edges: Sequence[float]) -> Column:
    """Find the bin of a value by halving; below the first edge is the first bin, beyond the last the last."""
    from pyspark.sql import functions as F

    def search(low: int, high: int) -> Column:
        if low == high:
            return F.lit(low)
        middle = (low + high + 1) // 2
        return F.when(value < F.lit(edges[middle]), search(low, middle - 1)).otherwise(search(middle, high))

    return F.when(value.isNotNull(), search(0, len(edges) - 2))


def _gathered(query: Query, number: int) -> list[Column]:
    """Aggregate the rows of one unit in one cell."""
    from pyspark.sql import functions as F

    value = F.col(f"v{number}")
    if query.adds_up:
        gathered = [F.count(value).alias(f"n{number}"), F.sum(value).alias(f"s{number}")]
        if query.statistic == "variance":
            gathered.append(F.sum(value * value - F.lit(plan.square_centre(query))).alias(f"r{number}"))
        return gathered
    if query.of is not None and query.edges is None:
        return [F.size(F.collect_set(value)).alias(f"n{number}")]
    return [F.count(F.lit(1)).alias(f"n{number}")]


def _clamped(query: Query, number: int) -> list[Column]:
    """Bound what one unit adds to one cell. One with more values than `per_cell` counts with their average, so often.

    `div` cuts towards zero: what is bounded stays within its bounds.
    """
    from pyspark.sql import functions as F

    most = 1 if query.counts_units else query.per_cell
    clamped = {"count": F.least(F.col(f"n{number}"), F.lit(most))}
    for part, name in (("sum", "s"), ("square", "r")):
        scaled = F.expr(
            f"CASE WHEN n{number} <= {most} THEN {name}{number} ELSE {name}{number} * {most} DIV n{number} END"
        )
        clamped[part] = F.coalesce(scaled, F.lit(0))
    return [clamped[part].cast("bigint").alias(f"q{number}_{part}") for part in plan.parts(query)]


def _counts_once(query: Query) -> bool:
    is_of_rows = query.has_bins or (query.statistic == "count" and query.of is None)
    return query.counts_units or (is_of_rows and query.per_cell == 1)


def cell_of(values: Mapping[str, Any], grouping: Grouping, listed: list[Cell] | None) -> Cell:
    """Name the cell of a row of `bounded`: its keys and, where there are bins, the bin's number."""
    cell = listed[values[CELL]] if listed is not None else tuple(values[name] for name in grouping.columns)
    return (*cell, str(values[BIN])) if grouping.bins is not None else cell


def listed_cells(release: Release, grouping: Grouping) -> list[Cell] | None:
    """List the public cells of a grouping, which `bounded` numbers; None where they are selected from the data."""
    return None if release.is_selected(grouping.columns) else release.cells(grouping.columns)


def _explained(error: Exception) -> Exception:
    told = str(error)
    if _NOBODY in told:
        return VeilError("A record without a patient reached the release", "This is a defect: report it")
    if _NOT_FINITE in told:
        return VeilError(
            "A record holds NaN or an infinity where a number is added up",
            "Have the sending system corrected, and the record sent again; nothing was released",
        )
    return error
