"""Which of the rows that came in become bronze: those with a subject, with consent, and new or changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from veil import vault
from veil.lake import Lake, Write, names
from veil.readers.fhir import REFERENCE

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_SLIM_NAMES = (
    "drop_id drop_seq source file_no path position modality type key parent subject_ref aliases version deleted url "
    "hash candidate_uid rule reason"
)
_SLIM = _SLIM_NAMES.split()
JUDGED = (
    "unit string, modality string, drop_id string, source string, path string, position long, "
    "type string, key string, parent string, aliases array<string>, subject_uid string, version string, "
    "deleted boolean, hash string, candidate_uid string, payload_uid string, rule string, reason string, is_new boolean"
)
"""One row for each that came in, with the verdict on it."""


def enter_vault(lake: Lake, incoming: DataFrame, key_file: Path, write: Write) -> None:
    """Enter the subjects, identities, care relations and consents that the incoming rows tell of."""
    from pyspark.sql import functions as F

    rows = incoming.where("rule IS NULL AND NOT deleted")
    own = F.array_distinct(F.concat(F.array("key", "subject_ref"), F.col("aliases")))
    defining = (F.col("key") == F.col("subject_ref")) | F.array_contains("aliases", F.col("subject_ref"))
    kind = F.when(F.col("subject_ref").rlike("^(Patient/|identifier:)"), "patient").otherwise("entity")
    found = rows.where(defining).select(
        "source", F.col("key").alias("definer"), "candidate_uid", kind.alias("kind"), F.explode(own).alias("ref")
    )
    vault.add_subjects(lake, found, key_file, write)
    about = with_subject(lake, rows).where("subject_uid IS NOT NULL")
    known = about.select("subject_uid", F.explode("known").alias("known")).select("subject_uid", "known.*")
    vault.add_facts(lake, vault.IDENTITIES, known, write)
    entities = vault.table(lake, vault.SUBJECTS).where("kind = 'entity'")
    pointed = about.where("kind = 'patient'").select("source", "subject_uid", F.explode("references").alias("ref"))
    named = pointed.withColumn("ref", normalised(F.col("ref"))).distinct()
    care = named.join(entities.select("source", "ref", F.col("subject_uid").alias("entity_uid")), ["source", "ref"])
    vault.add_facts(lake, vault.CARE, care, write)
    # of everybody, known or not: a denial may come before its patient
    consents = rows.where("type = 'Consent' AND subject_ref IS NOT NULL").select(
        "source",
        "key",
        "hash",
        F.col("subject_ref").alias("ref"),
        F.col("consent").alias("decision"),
        F.col("consent_when").alias("decided"),
    )
    vault.add_facts(lake, vault.CONSENTS, consents.where("decision IS NOT NULL"), write)


def normalised(reference: Column) -> Column:
    """Give a reference as ``<Type>/<id>`` where it is one, else as it is written (``urn:uuid:…``, conditional)."""
    from pyspark.sql import functions as F

    return F.regexp_replace(reference, REFERENCE, "$1")


def with_subject(lake: Lake, rows: DataFrame) -> DataFrame:
    """Add `subject_uid` and `kind`, null where the vault knows no such subject."""
    from pyspark.sql import functions as F

    subjects = vault.table(lake, vault.SUBJECTS).select(
        "source", F.col("ref").alias("subject_ref"), "subject_uid", "kind"
    )
    return rows.join(subjects, ["source", "subject_ref"], "left")


def judge(lake: Lake, incoming: DataFrame, units: list[tuple[str, str]]) -> DataFrame:
    """Judge every row: `rule` and `reason` where it is unfit, else whether it `is_new`; and give it its `unit`.

    The columns are those of `JUDGED`: what a row holds stays behind, to be fetched by `candidate_uid` and
    `payload_uid`, so that no content is shuffled.
    """
    from pyspark.sql import functions as F

    slim = incoming.withColumn("payload_uid", F.col("candidate_uid")).select(*_SLIM, "payload_uid")
    # most drops delete nothing; the plan is half as large without
    placed = _attach_files(_tombstones(lake, slim) if slim.where("deleted").limit(1).count() else slim)
    unit_of = F.create_map(*(F.lit(part) for pair in units for part in pair))
    rows = with_subject(lake, placed).withColumn("unit", unit_of[F.col("modality")])
    rows = rows.join(vault.denied(lake, slim).withColumn("is_denied", F.lit(True)), "subject_uid", "left")
    reasons = [
        ("no-modality", F.col("unit").isNull(), "what this file is cannot be told: name its format, or leave it out"),
        (
            "no-subject",
            F.col("subject_uid").isNull(),
            "it is about nobody that the source has sent: send its patient, or name it in files.csv",
        ),
        ("consent-denied", F.col("is_denied"), "the subject's newest consent statement denies use"),
    ]
    for rule, unfit, reason in reasons:
        hit = F.col("rule").isNull() & F.coalesce(unfit, F.lit(False)) & ~_is_exempt(rule)
        rows = rows.withColumns(
            {
                "rule": F.when(hit, rule).otherwise(F.col("rule")),
                "reason": F.when(hit, reason).otherwise(F.col("reason")),
            }
        )
    return _new_or_changed(lake, _without_twins(rows)).select(*names(JUDGED))


def _is_exempt(rule: str) -> Column:
    """A deletion needs neither a subject, where the record never came, nor a consent; a consent statement needs none.

    Nothing of them is used: a statement that came to nothing could not withdraw what an earlier one says.
    """
    from pyspark.sql import functions as F

    if rule == "no-subject":
        return F.col("deleted")
    return (F.col("deleted") | F.col("key").startswith("Consent/")) if rule == "consent-denied" else F.lit(False)


def _tombstones(lake: Lake, incoming: DataFrame) -> DataFrame:
    """Replace each deletion by one tombstone for the record and one for each payload that came with it.

    Records that came in the same intake are deleted like those that the vault holds.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    deletions = incoming.where("deleted AND rule IS NULL")
    current = vault.table(lake, vault.RECORDS).select(
        "source",
        "parent",
        F.col("key").alias("current_key"),
        F.col("modality").alias("current_modality"),
        "subject_uid",
    )
    fresh = incoming.where("NOT coalesce(deleted, false) AND rule IS NULL").select(
        "source",
        "parent",
        F.col("key").alias("current_key"),
        F.col("modality").alias("current_modality"),
        F.col("subject_ref").alias("fresh_ref"),
    )
    current = current.unionByName(fresh, allowMissingColumns=True)
    refs = vault.table(lake, vault.SUBJECTS).groupBy("subject_uid").agg(F.min("ref").alias("known_ref"))
    dead = (
        deletions.join(current, ["source", "parent"])
        .join(refs, "subject_uid", "left")
        .withColumns(
            {
                "key": F.col("current_key"),
                "modality": F.col("current_modality"),
                "subject_ref": F.coalesce("known_ref", "fresh_ref"),
                "payload_uid": F.lit(None).cast("string"),
            }
        )
        .select(*incoming.columns)
        .dropDuplicates(["source", "key", "drop_seq", "version"])
    )
    rows = incoming.where("NOT coalesce(deleted, false) OR rule IS NOT NULL").unionByName(dead)
    # a deletion without a version of its own is of whatever had come until its drop
    until = Window.partitionBy("source", "key").orderBy("drop_seq").rangeBetween(Window.unboundedPreceding, 0)
    undated = F.coalesce("deleted", F.lit(False)) & (F.col("version") == "")
    return rows.withColumn("version", F.when(undated, F.max("version").over(until)).otherwise(F.col("version")))


def _attach_files(rows: DataFrame) -> DataFrame:
    """Give the payloads that records point to by URL to those records; a file that nobody points to stands alone."""
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    same = Window.partitionBy("drop_id", F.coalesce("url", "candidate_uid"))
    is_pointer = F.col("url").isNotNull() & F.col("hash").isNull()
    is_file = F.col("url").isNotNull() & F.col("hash").isNotNull()
    payload = F.max(F.when(is_file, F.struct("hash", "payload_uid", "modality"))).over(same)
    marked = rows.withColumns(
        {"file": payload, "is_claimed": F.max(is_pointer).over(same), "is_pointer": is_pointer, "is_file": is_file}
    ).where("NOT (is_file AND is_claimed)")
    missing = F.col("is_pointer") & F.col("file").isNull()
    reason = "the file that this record points to is not in the drop, or is unfit"
    return marked.withColumns(
        {
            "modality": F.when(missing, "tabular")
            .when(F.col("is_pointer"), F.col("file.modality"))
            .otherwise(F.col("modality")),
            "payload_uid": F.when(F.col("is_pointer"), F.col("file.payload_uid")).otherwise(F.col("payload_uid")),
            "hash": F.when(F.col("is_pointer"), F.col("file.hash")).otherwise(F.col("hash")),
            "rule": F.when(missing, "missing-attachment").otherwise(F.col("rule")),
            "reason": F.when(missing, reason).otherwise(F.col("reason")),
        }
    ).select(*rows.columns)


def _without_twins(rows: DataFrame) -> DataFrame:
    """Keep the newest version of each record; of one version with two contents, keep none."""
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    fit = F.col("rule").isNull()
    place = [F.col("version").desc(), F.col("drop_seq").desc()]
    same = Window.partitionBy("source", "key", fit)
    ranked = rows.withColumns(
        {
            "rank": F.rank().over(same.orderBy(*place)),
            "copy": F.row_number().over(same.orderBy(*place, "file_no", "position")),
        }
    )
    variety = F.size(F.collect_set("hash").over(Window.partitionBy("source", "key", fit, "rank")))
    twin = fit & (F.col("rank") == 1) & (variety > 1)
    marked = ranked.withColumn("is_twin", twin)
    reason = "the drop holds this id twice with different content: send the right one"
    return (
        marked.where(~fit | F.col("is_twin") | (F.col("copy") == 1))
        .withColumns(
            {
                "rule": F.when(F.col("is_twin"), "duplicate-id").otherwise(F.col("rule")),
                "reason": F.when(F.col("is_twin"), reason).otherwise(F.col("reason")),
            }
        )
        .drop("rank", "copy", "is_twin")
    )


def _new_or_changed(lake: Lake, rows: DataFrame) -> DataFrame:
    """Mark what the vault does not hold yet, or what an earlier attempt of this very unit entered."""
    from pyspark.sql import functions as F

    current = vault.table(lake, vault.RECORDS).select(
        "source",
        "key",
        F.col("hash").alias("old_hash"),
        F.col("version").alias("old_version"),
        F.col("deleted").alias("old_deleted"),
        F.col("unit").alias("old_unit"),
        F.col("subject_uid").alias("old_subject"),
    )
    joined = rows.join(current, ["source", "key"], "left")
    never_seen = F.col("old_hash").isNull()
    # a payload that is about somebody else now is another record, though its bytes are the same
    changed = (
        (F.col("hash") != F.col("old_hash"))
        | (F.col("deleted") != F.col("old_deleted"))
        | (F.col("subject_uid") != F.col("old_subject"))
    )
    not_older = (F.col("version") == "") | (F.col("version") >= F.col("old_version"))
    is_new = F.when(never_seen, F.lit(True)).otherwise((F.col("old_unit") == F.col("unit")) | (changed & not_older))
    return joined.withColumn("is_new", is_new).drop("old_hash", "old_version", "old_deleted", "old_unit", "old_subject")
