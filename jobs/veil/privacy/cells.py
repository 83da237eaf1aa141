"""Rows with their cells: which public or selected cell a record counts in, and what it brings to its queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from veil.errors import VeilError
from veil.privacy import plan
from veil.privacy.load import Release
from veil.privacy.plan import Grouping
from veil.privacy.records import UNIT

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

Cell = tuple[str, ...]
CELL, BIN = "veil_cell", "veil_bin"
NOBODYS = -1
"""The cell of records without a privacy unit. To raise an error in its place would keep Spark from native code."""
NOBODY = "veil: a record without a privacy unit"
NOT_FINITE = "veil: a number that is not finite"
"""What a job that is stopped says: a record that nobody is responsible for, a number that adds up to nothing."""


def keyed(found: DataFrame, release: Release, grouping: Grouping, within: Sequence[str]) -> DataFrame:
    """Give rows with their cell: outside of the public keys none is left, so that only these decide what is kept.

    A record without a unit, whose empty string counts as one, has the cell `NOBODYS` where cells are listed, and stops
    the job where they are selected.
    """
    from pyspark.sql import functions as F

    cells = listed_cells(release, grouping)
    unit = F.coalesce(F.col(UNIT), F.lit("")).alias(UNIT)
    keys = [_key(release, column).alias(column) for column in grouping.columns]
    values, bins = _values(release, grouping)
    rows = found.select(*within, unit, *keys, *values, *bins)
    for column in (*grouping.columns, *([BIN] if bins else [])):
        rows = rows.where(F.col(column).isNotNull())
    if cells is None:
        rows = rows.withColumn(UNIT, F.when(F.col(UNIT) == "", F.raise_error(F.lit(NOBODY))).otherwise(F.col(UNIT)))
        for column in grouping.columns:
            if not release.spec.keys[column].selected:
                rows = rows.where(F.col(column).isin(release.values(column)))
        return rows
    if not grouping.columns:
        return rows.withColumn(CELL, _of_somebody(F.lit(0)))
    named = zip(grouping.columns, (pa.array(keys, pa.string()) for keys in zip(*cells, strict=True)), strict=True)
    numbered = pa.table({CELL: pa.array(range(len(cells)), pa.int32()), **dict(named)})
    frame = F.broadcast(found.sparkSession.createDataFrame(numbered))
    joined = rows.join(frame, list(grouping.columns)).drop(*grouping.columns)
    return joined.withColumn(CELL, _of_somebody(F.col(CELL)))


def _of_somebody(cell: Column) -> Column:
    from pyspark.sql import functions as F

    return F.when(F.col(UNIT) == "", F.lit(NOBODYS)).otherwise(cell)


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
    return F.when(is_not, F.raise_error(F.lit(NOT_FINITE)).cast("double")).otherwise(value)


def _bin(value: Column, edges: Sequence[float]) -> Column:
    """Find the bin of a value by halving; below the first edge is the first bin, beyond the last the last."""
    from pyspark.sql import functions as F

    def search(low: int, high: int) -> Column:
        if low == high:
            return F.lit(low)
        middle = (low + high + 1) // 2
        return F.when(value < F.lit(edges[middle]), search(low, middle - 1)).otherwise(search(middle, high))

    return F.when(value.isNotNull(), search(0, len(edges) - 2))


def cell_of(values: Mapping[str, Any], grouping: Grouping, listed: list[Cell] | None) -> Cell:
    """Name the cell of a row of `bounded`: its keys and, where there are bins, the bin's number.

    Raises
    ------
    VeilError
        It is the cell of records without a privacy unit.
    """
    if listed is not None and values[CELL] == NOBODYS:
        raise nobodys()
    cell = listed[values[CELL]] if listed is not None else tuple(values[name] for name in grouping.columns)
    return (*cell, str(values[BIN])) if grouping.bins is not None else cell


def listed_cells(release: Release, grouping: Grouping) -> list[Cell] | None:
    """List the public cells of a grouping, which `bounded` numbers; None where they are selected from the data."""
    return None if release.is_selected(grouping.columns) else release.cells(grouping.columns)


def nobodys() -> VeilError:
    """Make the error that a record without a privacy unit is."""
    return VeilError("A record without a patient reached the release", "This is a defect: report it")
