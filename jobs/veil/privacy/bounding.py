"""Bounding and aggregation in Spark: what one patient can change is bounded before anything is summed.

Every choice is a function of the row (`xxhash64`), never of `rand()`: an indeterminate stage that is retried can let
a patient in twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from veil import vault
from veil.errors import VeilError
from veil.ingest.accept import normalised
from veil.ingest.stage import bronze
from veil.lake import Lake
from veil.privacy.spec import Release

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

CELL = ["month", "category"]


def admitted(lake: Lake, source: str) -> DataFrame:
    """Give the current records of a source whose subjects' consent allows use, from bronze."""
    from pyspark.sql import functions as F

    current = (
        vault.table(lake, vault.RECORDS)
        .where((F.col("modality") == "tabular") & (F.col("source") == source) & ~F.col("deleted"))
        .select("row_uid", "unit")
    )
    rows = bronze(lake, "tabular").join(current, ["row_uid", "unit"])
    return rows.join(vault.denied(lake), "subject_uid", "left_anti")


def contributions(records: DataFrame, release: Release) -> DataFrame:
    """Give what patients contribute: (subject_uid, query, month, category, item).

    For `patients` the item is the category itself, so that a patient counts once in a cell; for `encounters` it is the
    encounter in which a condition of the category was recorded, in the month in which it began.
    """
    from pyspark.sql import functions as F

    spark = records.sparkSession
    table = spark.createDataFrame(
        [(*key, category) for key, category in release.categories.items()],
        "code_system string, code string, category string",
    )
    conditions = records.where("type = 'Condition'").join(F.broadcast(table), ["code_system", "code"])
    month = F.substring("start", 1, 7).alias("month")
    patients = conditions.select(
        "subject_uid", F.lit("patients").alias("query"), month, "category", F.col("category").alias("item")
    )
    encounters = records.where("type = 'Encounter'").select("subject_uid", "key", month)
    pointed = conditions.select("subject_uid", "category", F.explode("references").alias("ref"))
    held = pointed.withColumn("key", normalised(F.col("ref"))).join(encounters, ["subject_uid", "key"])
    return patients.unionByName(
        held.select("subject_uid", F.lit("encounters").alias("query"), "month", "category", F.col("key").alias("item"))
    )


def bounded_counts(found: DataFrame, release: Release) -> dict[tuple[str, str, str], int]:
    """Bound each patient's contributions and count: (query, month, category) to a count.

    A patient adds at most `per_cell` to each of at most `cells` cells of a query. Cells outside of the public keys
    are left out before the cells of a patient are chosen, so that the choice depends on public keys alone.

    Raises
    ------
    VeilError
        When a contribution has no patient: it would be bounded together with others', or not at all.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    bounds = release.spec.bounds
    keys = found.sparkSession.createDataFrame(release.public_keys, "month string, category string")
    if found.where("subject_uid IS NULL OR subject_uid = ''").limit(1).count():
        raise VeilError("A record without a patient reached the release", "This is a defect: report it")
    per_cell = F.when(F.col("query") == "patients", 1).otherwise(bounds.encounters_per_cell)
    mine = (
        found.repartition("subject_uid")
        .join(F.broadcast(keys), CELL)
        .groupBy("subject_uid", "query", *CELL)
        .agg(F.count_distinct("item").alias("items"))
        .withColumn("items", F.least("items", per_cell))
    )
    order = F.xxhash64(F.lit(release.hash), "subject_uid", "query", *CELL)
    chosen = mine.withColumn(
        "rank", F.row_number().over(Window.partitionBy("subject_uid", "query").orderBy(order, *CELL))
    ).where(F.col("rank") <= bounds.cells)
    counted = chosen.groupBy("query", *CELL).agg(F.sum("items").alias("count"))
    return {(row["query"], row["month"], row["category"]): int(row["count"]) for row in counted.collect()}
