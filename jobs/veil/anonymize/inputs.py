"""What the anonymizer of a unit is given: current records, whom they are about, and what they refer to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from veil import vault
from veil.ingest.accept import normalised
from veil.ingest.stage import bronze
from veil.lake import Lake

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_IDS = ["source", "row_uid", "subject_uid", "key", "parent"]
_ROW = [
    "source",
    "row_uid",
    "subject_uid",
    "type",
    "key",
    "parent",
    "references",
    "columns",
    "content",
    "object_id",
    "retired",
]


def rows(lake: Lake, modality: str, unit_id: str, group: list[str], withheld: DataFrame) -> DataFrame:
    """Give the rows of a unit: those to publish in full, and those to take back (`retired`) by their ids alone.

    A record is published by the unit that holds its current version, whichever unit is processed. Taken back are
    deleted records, records that a person withheld, all that belongs to subjects who deny consent, of this unit or of
    any other, and what was published of a record under a subject whom it is no longer about.
    """
    from pyspark.sql import functions as F

    current = vault.table(lake, vault.RECORDS).where(F.col("modality") == modality)
    mine = current.where(F.col("unit") == unit_id)
    raw = bronze(lake, modality)
    stored = raw.where(F.col("unit") == unit_id).join(mine.select("row_uid"), "row_uid")
    # a consent statement is for the vault, which has it; there is nothing in it to publish
    stored = stored.where("type <> 'Consent'")
    denied = vault.denied(lake).withColumn("is_denied", F.lit(True))
    kept_back = withheld.withColumn("is_withheld", F.lit(True))
    marked = stored.join(denied, "subject_uid", "left").join(kept_back, "row_uid", "left")
    retired = F.col("deleted") | F.coalesce("is_denied", F.lit(False)) | F.coalesce("is_withheld", F.lit(False))
    elsewhere = current.where(F.col("unit") != unit_id).join(denied, "subject_uid").select(*_IDS)
    now = mine.select("row_uid", F.col("subject_uid").alias("subject_now"))
    moved = raw.join(now, "row_uid").where("subject_uid <> subject_now").select(*_IDS).distinct()
    gone = elsewhere.unionByName(moved).withColumn("retired", F.lit(True))
    every = marked.withColumn("retired", retired).select(*_ROW).unionByName(gone, allowMissingColumns=True)
    secrets = vault.table(lake, vault.SECRETS)
    return (
        every.join(secrets, "subject_uid")
        .join(_known(lake), "subject_uid", "left")
        .join(_links(lake, every, group), "row_uid", "left")
        .drop("references")
    )


def _known(lake: Lake) -> DataFrame:
    """Give what is known to identify each subject and those who care for them: (subject_uid, known)."""
    from pyspark.sql import functions as F

    facts = vault.known(lake).select("subject_uid", F.struct("kind", "value", "role").alias("known"))
    return facts.groupBy("subject_uid").agg(F.array_sort(F.collect_set("known")).alias("known"))


def _links(lake: Lake, every: DataFrame, group: list[str]) -> DataFrame:
    """Resolve references to records of the same source and linkage group: (row_uid, links); others have no target."""
    from pyspark.sql import functions as F

    targets = (
        vault.table(lake, vault.RECORDS)
        .where(F.col("modality").isin(group) & ~F.col("deleted"))
        .select(
            "source",
            F.explode(F.array_distinct(F.concat(F.array("key"), F.col("aliases")))).alias("target"),
            F.col("row_uid").alias("target_uid"),
            F.col("subject_uid").alias("target_subject"),
        )
        .join(
            vault.table(lake, vault.SECRETS).select(F.col("subject_uid").alias("target_subject"), "wrapped"),
            "target_subject",
        )
    )
    links = every.where("NOT retired").select("source", "row_uid", F.explode("references").alias("ref"))
    return (
        links.withColumn("target", normalised(F.col("ref")))
        .join(targets, ["source", "target"])
        .groupBy("row_uid")
        .agg(
            F.collect_list(
                F.struct(
                    "ref",
                    F.col("target_uid").alias("row_uid"),
                    F.col("target_subject").alias("subject_uid"),
                    "wrapped",
                )
            ).alias("links")
        )
    )
