"""Bounding and aggregation in Spark: what one privacy unit can change is bounded before anything is summed.

Every choice is a function of the row (`xxhash64`), never of `rand()`: an indeterminate stage that is retried can let
a unit in twice. One exchange brings the rows of a unit together; what is exchanged after it are sums by cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from veil.errors import VeilError
from veil.privacy import plan
from veil.privacy.cells import BIN, CELL, NOBODY, NOBODYS, NOT_FINITE, Cell, cell_of, keyed, listed_cells, nobodys
from veil.privacy.load import Release
from veil.privacy.plan import Grouping
from veil.privacy.records import UNIT
from veil.privacy.spec import Query
from veil.session import natively

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

Exact = dict[Cell, dict[tuple[int, str], int]]
"""Exact numbers of one grouping: of a cell, by query and part. They never leave the process that draws."""

_NUMBER = "veil_number"
_LOW = (1 << 21) - 1
"""Numbers of cells fit below it: `load.MOST_CELLS`, and a line of bins for records of nobody."""


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
        with natively(found.sparkSession):
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

    if grouping.truncated is not None:
        return _truncated(found, release, grouping, grouping.truncated, within)
    rows = keyed(found, release, grouping, within)
    cell = _cell(release, grouping)
    numbers = plan.queries_of(release, grouping)
    salt = F.lit(int(release.hash[:15], 16))
    if all(_counts_once(release.spec.queries[number]) for number in numbers):
        if release.is_selected(grouping.columns):
            totals = _selected_once(rows, cell, grouping.cells, salt, within)
        else:
            bins = release.spec.queries[numbers[0]].bins
            totals = _listed_once(rows, bins, grouping.cells, salt, within)
        return totals.select(*within, *cell, *(F.col("count").alias(f"q{number}_count") for number in numbers))
    return _chosen(rows, release, grouping, cell, salt, within)


def _cell(release: Release, grouping: Grouping) -> list[str]:
    """Name the columns that tell the cells of a grouping apart."""
    cell = [*(grouping.columns if release.is_selected(grouping.columns) else [CELL])]
    return cell + ([BIN] if grouping.bins is not None else [])


def _truncated(
    found: DataFrame, release: Release, grouping: Grouping, watched: int, within: Sequence[str]
) -> DataFrame:
    """Count the units of another query, and those of whom its `cells` or `per_cell` leave something out.

    Both change by one at the most with any one unit.
    """
    from pyspark.sql import functions as F

    query, of = release.spec.queries[watched], plan.grouping_of(release, watched)
    number = plan.queries_of(release, grouping)[0]
    gathered = _gathered(query, watched)[0]
    mine = keyed(found, release, of, within).groupBy(*within, UNIT, *_cell(release, of)).agg(gathered)
    too_often = F.lit(False) if query.counts_units else F.max(f"n{watched}") > query.per_cell
    is_cut = (F.count("*") > of.cells) | too_often
    units = mine.groupBy(*within, UNIT).agg(is_cut.alias("cut"))
    numbers = F.count("*").alias(f"q{number}_count"), F.count_if("cut").alias(f"q{number}_truncated")
    return units.groupBy(*within, F.lit(0).alias(CELL)).agg(*numbers)


def _listed_once(rows: DataFrame, bins: int, most: int, salt: Column, within: Sequence[str]) -> DataFrame:
    """Count each unit in at most `most` of the listed cells that it is in.

    Cells are whole numbers here, in the low bits of what they are sorted by; hashes of 43 bits are above them. No
    function of Spark's own is applied to each element of an array: native code has none, and stays in use.
    """
    from pyspark.sql import functions as F

    number = ((F.col(CELL) - NOBODYS) * bins + (F.col(BIN) if bins > 1 else 0)).cast("bigint")
    mixed = F.xxhash64(salt, UNIT, number).bitwiseAND(~_LOW).bitwiseOR(number).alias(_NUMBER)
    numbered = rows.select(*within, UNIT, mixed).repartition(*within, UNIT)
    # lists, whose double entries go afterwards, are gathered in a third of the time of sets
    mine = numbered.groupBy(*within, UNIT).agg(F.collect_list(_NUMBER).alias("cells"))
    kept = F.slice(F.sort_array(F.array_distinct("cells")), 1, most)
    one = mine.select(*within, F.explode(kept).alias(_NUMBER))
    totals = one.groupBy(*within, F.col(_NUMBER).bitwiseAND(_LOW).alias(_NUMBER)).count()
    cell = F.expr(f"int({_NUMBER} DIV {bins}) + {NOBODYS}").alias(CELL)
    return totals.select(*within, cell, F.expr(f"int({_NUMBER} % {bins})").alias(BIN), "count")


def _selected_once(rows: DataFrame, cell: Sequence[str], most: int, salt: Column, within: Sequence[str]) -> DataFrame:
    """Count each unit in at most `most` of the cells that it is in, sorted only where there are more."""
    from pyspark.sql import functions as F

    mine = rows.groupBy(*within, UNIT).agg(F.collect_set(F.struct(*cell)).alias("cells"))
    ordered = F.transform(
        F.array_sort(F.transform("cells", lambda one: F.struct(F.xxhash64(salt, UNIT, one), one.alias("cell")))),
        lambda pair: pair["cell"],
    )
    kept = F.when(F.size("cells") <= most, F.col("cells")).otherwise(F.slice(ordered, 1, most))
    one = mine.select(*within, F.explode(kept).alias("one"))
    return one.groupBy(*within, *(F.col(f"one.{name}").alias(name) for name in cell)).count()


def _chosen(
    rows: DataFrame,
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
    mine = rows.repartition(*within, UNIT).groupBy(*within, UNIT, *cell).agg(*gathered)
    order = F.xxhash64(salt, UNIT, *cell)
    ranked = mine.withColumn("rank", F.row_number().over(Window.partitionBy(*within, UNIT).orderBy(order, *cell)))
    kept = ranked.where(F.col("rank") <= grouping.cells).select(*within, *cell, *bounds)
    names = [f"q{number}_{part}" for number, part in plan.parts_of(release, grouping)]
    return kept.groupBy(*within, *cell).agg(*(F.sum(name).alias(name) for name in names))


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


def _explained(error: Exception) -> Exception:
    told = str(error)
    if NOBODY in told:
        return nobodys()
    if NOT_FINITE in told:
        return VeilError(
            "A record holds NaN or an infinity where a number is added up",
            "Have the sending system corrected, and the record sent again; nothing was released",
        )
    return error
