"""The vault: who is who, their secrets, what is known about them, and which version of each record is current.

It is written under the registry's vault lock: by MERGE where a key may stand once only, by appending to sets. Tables:

- ``subjects``: (source, ref) to the random ``subject_uid``; every reference or alias of a subject is a row.
- ``secrets``: the wrapped 32-byte secret of each subject. Deleting a row shreds every link to that subject.
- ``identities``: what is known to identify a subject.
- ``care``: which practitioners and organizations a patient's records name.
- ``consents``: consent statements, by the reference to their subject, who may come later.
- ``records``: for each source record its random ``row_uid``, its current version and the unit that holds it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from veil.keys import SECRET_BYTES, FileKey
from veil.lake import RESTRICTED, Lake, Write, names

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

SUBJECTS = "vault/subjects"
SECRETS = "vault/secrets"
IDENTITIES = "vault/identities"
CARE = "vault/care"
CONSENTS = "vault/consents"
RECORDS = "vault/records"

_TABLES = {
    SUBJECTS: "source string, ref string, subject_uid string, kind string",
    SECRETS: "subject_uid string, wrapped binary",
    IDENTITIES: "subject_uid string, kind string, value string, role string",
    CARE: "subject_uid string, entity_uid string",
    CONSENTS: "source string, key string, hash string, ref string, decision string, decided string",
    RECORDS: (
        "source string, key string, parent string, aliases array<string>, modality string, row_uid string, "
        "subject_uid string, hash string, version string, deleted boolean, unit string"
    ),
}


def table(lake: Lake, name: str) -> DataFrame:
    """Open one of the vault's tables; it has no rows before the first ingest."""
    return lake.table_or_empty(RESTRICTED, name, _TABLES[name])


def known(lake: Lake) -> DataFrame:
    """Give what identifies each subject and those who care for them: (subject_uid, kind, value, role)."""
    identities = table(lake, IDENTITIES)
    carers = table(lake, CARE).join(identities.withColumnRenamed("subject_uid", "entity_uid"), "entity_uid")
    return identities.unionByName(carers.drop("entity_uid"))


def add_subjects(lake: Lake, found: DataFrame, key_file: Path, write: Write) -> None:
    """Enter new subjects, the references to them and their secrets.

    `found` has (source, definer, ref, candidate_uid, kind): every reference and alias of each record that defines a
    subject. Records that share a reference are one subject; a subject that is already known keeps its uid.
    """
    from pyspark.sql import functions as F

    entered = table(lake, SUBJECTS).select("source", "ref", "subject_uid")
    shared = found.groupBy("source", "ref").agg(F.min("candidate_uid").alias("shared_uid"))
    named = found.join(shared, ["source", "ref"]).join(entered, ["source", "ref"], "left")
    chosen = named.groupBy("source", "definer").agg(
        F.coalesce(F.min("subject_uid"), F.min("shared_uid")).alias("subject_uid")
    )
    rows = (
        found.join(chosen, ["source", "definer"])
        .groupBy("source", "ref")
        .agg(F.min("subject_uid").alias("subject_uid"), F.min("kind").alias("kind"))
    )
    lake.merge(
        RESTRICTED,
        SUBJECTS,
        rows,
        "t.source = s.source AND t.ref = s.ref",
        "WHEN NOT MATCHED THEN INSERT (source, ref, subject_uid, kind) VALUES (s.source, s.ref, s.subject_uid, s.kind)",
        write,
        first=rows,
    )
    bare = table(lake, SUBJECTS).select("subject_uid").distinct().join(table(lake, SECRETS), "subject_uid", "left_anti")
    wrapped = bare.mapInArrow(_Wrapper(key_file), _TABLES[SECRETS])
    lake.merge(
        RESTRICTED,
        SECRETS,
        wrapped,
        "t.subject_uid = s.subject_uid",
        "WHEN NOT MATCHED THEN INSERT (subject_uid, wrapped) VALUES (s.subject_uid, s.wrapped)",
        write,
        first=wrapped,
    )


def add_facts(lake: Lake, name: str, found: DataFrame, write: Write) -> None:
    """Append to IDENTITIES, CARE or CONSENTS the rows that are not there yet.

    These tables are sets: whoever reads them takes distinct rows, or the newest.
    """
    columns = names(_TABLES[name])
    fresh = found.select(*columns).distinct().join(table(lake, name), columns, "left_anti")
    lake.append(fresh, RESTRICTED, name, write)


def denied(lake: Lake, incoming: DataFrame | None = None) -> DataFrame:
    """Give the `subject_uid` of everybody whose newest consent statement denies.

    Of each statement only the current version counts: one that was withdrawn, corrected or deleted decides nothing.
    A denial whose patient has not come yet is in no record and counts. A permit counts from its date on. `incoming`
    are the rows of an intake that `set_current` has not entered yet.

    Where two may be of one time the denial counts: a denial of a day is as late as that day's end, a permit as early
    as its beginning, and a denial without a date is later than everything.
    """
    from pyspark.sql import functions as F

    moment = F.regexp_replace("decided", "Z$", "")
    latest = F.when(F.length(moment) <= len("2026-01-31"), F.concat(moment, F.lit("~"))).otherwise(moment)
    is_denial = F.col("decision") == "deny"
    order = F.struct(F.when(is_denial, latest).otherwise(moment).alias("at"), is_denial.alias("is_denial"))
    people = table(lake, SUBJECTS).select("source", "ref", "subject_uid")
    made = table(lake, CONSENTS).join(_current_consents(lake, incoming), ["source", "key"], "left")
    is_current = (F.col("hash") == F.col("now.hash")) & ~F.col("now.deleted")
    is_made = moment <= F.date_format(F.current_timestamp(), "yyyy-MM-dd'T'HH:mm:ss")
    counts = F.when(is_denial, F.col("now").isNull() | is_current).otherwise(is_current & is_made)
    statements = made.where(counts).join(people, ["source", "ref"])
    newest = statements.groupBy("subject_uid").agg(F.max(order).alias("newest"))
    return newest.where("newest.is_denial").select("subject_uid")


def _current_consents(lake: Lake, incoming: DataFrame | None) -> DataFrame:
    """Give the newest version of each consent statement: (source, key, now: (version, place, hash, deleted))."""
    from pyspark.sql import functions as F

    columns = ["source", "key", "version", "hash", "deleted"]
    versions = table(lake, RECORDS).where("key LIKE 'Consent/%'").select(*columns, F.lit(0).alias("place"))
    if incoming is not None:
        fresh = incoming.where("key LIKE 'Consent/%' AND rule IS NULL").select(*columns, F.lit(1).alias("place"))
        versions = versions.unionByName(fresh)
    now = F.max(F.struct("version", "place", "hash", "deleted")).alias("now")
    return versions.groupBy("source", "key").agg(now)


def set_current(lake: Lake, accepted: DataFrame, write: Write) -> None:
    """Make the accepted versions the current ones; a record keeps the `row_uid` that it was first given."""
    first = accepted.withColumnRenamed("candidate_uid", "row_uid").select(*names(_TABLES[RECORDS]))
    lake.merge(
        RESTRICTED,
        RECORDS,
        accepted,
        "t.source = s.source AND t.key = s.key",
        "WHEN MATCHED THEN UPDATE SET aliases = s.aliases, subject_uid = s.subject_uid, hash = s.hash, "
        "version = s.version, deleted = s.deleted, unit = s.unit "
        "WHEN NOT MATCHED THEN INSERT (source, key, parent, aliases, modality, row_uid, subject_uid, hash, version, "
        "deleted, unit) VALUES (s.source, s.key, s.parent, s.aliases, s.modality, s.candidate_uid, s.subject_uid, "
        "s.hash, s.version, s.deleted, s.unit)",
        write,
        first=first,
    )


class _Wrapper:
    """Draws and wraps a secret for each subject, on the workers; no secret is ever in a plan."""

    def __init__(self, key_file: Path) -> None:
        self._key_file = key_file

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        key = FileKey(self._key_file)
        for batch in batches:
            uids = batch.column("subject_uid").to_pylist()
            wrapped = [key.wrap(secrets.token_bytes(SECRET_BYTES), uid) for uid in uids]
            yield pa.RecordBatch.from_pydict({"subject_uid": uids, "wrapped": pa.array(wrapped, pa.binary())})
