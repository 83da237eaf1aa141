"""What the anonymizer of a unit is given: current records, whom they are about, and what they refer to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from veil import vault
from veil.ingest.accept import normalised
from veil.ingest.stage import bronze
from veil.lake import Lake

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_ROW = ["row_uid", "subject_uid", "type", "key", "parent", "columns", "content", "object_id", "deleted", "retired"]


def rows(lake: Lake, modality: str, unit_id: str, group: list[str], whole: str | None = None) -> DataFrame:
    """Give the rows of a unit by subject, each subject's behind a head of their own.

    A head has no `row_uid`; it carries what the rows of its subject need, once: the `wrapped` secret, what is `known`
    to identify the subject, the `links` that references resolve to, the ids of the rows that are `current` in this
    unit, and whether consent is `denied`. A subject without a secret has no head, and nothing of theirs is processed.

    `part_of` is the first reference of a row to the type `whole`.

    A record is published by the unit that holds its current version, whichever unit is processed. Marked `retired` are
    by their ids alone what was published of those who deny consent in any other unit, and of a record under a subject
    whom it is no longer about; those that are deleted among the unit's own come as such.
    """
    from pyspark.sql import functions as F

    current = vault.table(lake, vault.RECORDS).where(F.col("modality") == modality)
    mine = current.where(F.col("unit") == unit_id)
    raw = bronze(lake, modality)
    # a consent statement is for the vault, which has it; there is nothing in it to publish
    stored = raw.where(F.col("unit") == unit_id).where("type <> 'Consent'")
    # few, and each use of it would be planned anew: seconds, where most have denied nothing
    uids = [(row.subject_uid,) for row in vault.denied(lake).collect()]
    denied = lake.spark.createDataFrame(uids, "subject_uid string").withColumn("denied", F.lit(True))
    elsewhere = current.where(F.col("unit") != unit_id).join(denied, "subject_uid").select("row_uid", "subject_uid")
    now = mine.select("row_uid", F.col("subject_uid").alias("subject_now"))
    moved = raw.select("row_uid", "subject_uid").join(now, "row_uid").where("subject_uid <> subject_now")
    gone = elsewhere.unionByName(moved.select("row_uid", "subject_uid").distinct()).withColumn("retired", F.lit(True))
    part = F.filter("references", lambda each: each.startswith(f"{whole}/"))[0] if whole else F.lit(None)
    own = stored.withColumns({"retired": F.lit(False), "part_of": part.cast("string")}).select(*_ROW, "part_of")
    every = own.unionByName(gone, allowMissingColumns=True)
    heads = _heads(lake, mine, gone, stored, group).join(denied, "subject_uid", "left")
    return heads.unionByName(every, allowMissingColumns=True)


def by_subject(lake: Lake, frame: DataFrame) -> DataFrame:
    """Bring all rows of a subject to one place, the head first: what a subject needs is held once, not by each row."""
    return lake.spread(frame, "subject_uid").sortWithinPartitions("subject_uid", "row_uid")


def _heads(lake: Lake, mine: DataFrame, gone: DataFrame, stored: DataFrame, group: list[str]) -> DataFrame:
    from pyspark.sql import functions as F

    own = mine.groupBy("subject_uid").agg(F.collect_list("row_uid").alias("current"))
    subjects = own.unionByName(gone.select("subject_uid").distinct(), allowMissingColumns=True)
    each = subjects.groupBy("subject_uid").agg(F.flatten(F.collect_list("current")).alias("current"))
    return (
        each.join(vault.table(lake, vault.SECRETS), "subject_uid")
        .join(_known(lake), "subject_uid", "left")
        .join(_links(lake, stored, group), "subject_uid", "left")
    )


def _known(lake: Lake) -> DataFrame:
    """Give what is known to identify each subject and those who care for them: (subject_uid, known)."""
    from pyspark.sql import functions as F

    facts = vault.known(lake).select("subject_uid", F.struct("kind", "value", "role").alias("known"))
    return facts.groupBy("subject_uid").agg(F.array_sort(F.collect_set("known")).alias("known"))


def _links(lake: Lake, stored: DataFrame, group: list[str]) -> DataFrame:
    """Resolve references to records of the same source and linkage group: (subject_uid, links); others have no target.

    Each reference of a subject is resolved once, however many of the subject's records repeat it.
    """
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
    )
    wrapped = vault.table(lake, vault.SECRETS).select(F.col("subject_uid").alias("target_subject"), "wrapped")
    links = stored.where("NOT deleted").select("source", "subject_uid", F.explode("references").alias("ref")).distinct()
    return (
        links.withColumn("target", normalised(F.col("ref")))
        .join(targets, ["source", "target"])
        .join(wrapped, "target_subject")
        .groupBy("subject_uid")
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
