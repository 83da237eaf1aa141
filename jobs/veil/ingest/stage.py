"""The ingest stage: verify, read, resolve whom records are about, keep what is new, quarantine what is not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from veil import quarantine, vault
from veil.control import Store, attempts, registry
from veil.control.registry import Unit
from veil.ingest import accept
from veil.ingest.digest import input_digest
from veil.ingest.drops import Delivery, read_drops, split
from veil.ingest.parse import Parser, verify
from veil.ingest.work import INCOMING_DDL, WORK_DDL, Piece
from veil.lake import RESTRICTED
from veil.settings import Settings
from veil.stages import Job, job

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

INCOMING = "incoming"
BRONZE = (
    "unit string, source string, drop_id string, type string, key string, parent string, row_uid string, "
    "subject_uid string, deleted boolean, start string, code_system string, code string, "
    "references array<string>, columns string, content string, object_id string, hash string"
)
_BRONZE_COLUMNS = [column.split(" ")[0] for column in BRONZE.split(", ")]


def ingest(settings: Settings, store: Store, run_key: str) -> None:
    """Take every intake of a run that is not in bronze yet; one that is, a backfill reads from there."""
    by_intake: dict[str, list[Unit]] = {}
    for unit in registry.units_of_run(store, run_key):
        by_intake.setdefault(unit.intake_id, []).append(unit)
    for intake_id, units in by_intake.items():
        if not attempts.is_done(store, "ingest", intake_id):
            with (
                attempts.locked(store, "vault", f"{run_key}/ingest"),
                job(settings, store, "ingest", intake_id, run_key) as work,
            ):
                _ingest(work, units)


def bronze(modality: str) -> str:
    """Name the bronze table of a modality."""
    return f"bronze/{modality}"


def _ingest(work: Job, units: list[Unit]) -> None:
    from pyspark.sql import functions as F

    lake, intake_id = work.lake, work.attempt.unit_id
    delivery = read_drops(work.store, registry.drops_of_intake(work.store, intake_id))
    work.figures["files"] = len(delivery.files)
    vault.create(lake)
    good = _verified(work, delivery)
    incoming = _read(work, delivery, good)
    accept.enter_vault(lake, incoming, work.settings.key_file, work.write)
    judged = accept.judge(lake, incoming, [(unit.modality, unit.unit_id) for unit in units])
    judged = judged.persist()
    accepted = judged.where("rule IS NULL AND is_new")
    vault.set_current(lake, accepted, "unit", work.write)
    work.figures["input"] = input_digest(accepted, work.settings.key_file)
    work.figures["counts"] = _write_bronze(work, accepted, units)
    bad_files = _bad_files(work, delivery)
    unfit = judged.where("rule IS NOT NULL").withColumn("row_uid", F.lit(None).cast("string"))
    items = unfit.unionByName(bad_files, allowMissingColumns=True)
    work.figures["quarantined"] = quarantine.replace(lake, items, "ingest", intake_id, "", work.write)
    judged.unpersist()


def _verified(work: Job, delivery: Delivery) -> list[Piece]:
    """Compare every file with its manifest entry on the workers; what does not fit joins the problems."""
    rows = [piece for piece in delivery.files if (piece.drop_id, piece.file_no) not in delivery.problems]
    if not rows:
        return []
    frame = work.lake.spark.createDataFrame([_tuple(piece) for piece in rows], WORK_DDL)
    checked = frame.mapInArrow(verify, "drop_id string, file_no int, reason string")
    for row in checked.where("reason IS NOT NULL").collect():
        delivery.problems[row.drop_id, row.file_no] = row.reason
    return [piece for piece in rows if (piece.drop_id, piece.file_no) not in delivery.problems]


def _read(work: Job, delivery: Delivery, good: list[Piece]) -> DataFrame:
    """Read the pieces once, into a table of this attempt: every later step must see the same rows and random ids."""
    lake, intake_id = work.lake, work.attempt.unit_id
    lake.create(RESTRICTED, INCOMING, f"unit string, {INCOMING_DDL}", "unit")
    pieces = split(good)
    frame = lake.spark.createDataFrame([tuple(piece.values()) for piece in pieces], WORK_DDL)
    objects = str(lake.path(RESTRICTED, "bronze/objects"))
    parsed = frame.repartition(max(1, min(len(pieces), _PARTITIONS)), "path").mapInArrow(
        Parser(objects, delivery.tables), INCOMING_DDL
    )
    rows = parsed.selectExpr(f"'{intake_id}' AS unit", "*")
    version = lake.replace_unit(rows, RESTRICTED, INCOMING, intake_id, work.write)
    return lake.table(RESTRICTED, INCOMING, version).where(f"unit = '{intake_id}'").drop("unit")


def _write_bronze(work: Job, accepted: DataFrame, units: list[Unit]) -> dict[str, int]:
    from pyspark.sql import functions as F

    lake = work.lake
    uids = lake.table(RESTRICTED, vault.RECORDS).select("source", "key", "row_uid")
    rows = accepted.join(uids, ["source", "key"]).select(*_BRONZE_COLUMNS)
    counts = {row.modality: row["count"] for row in accepted.groupBy("modality").count().collect()}
    modality_of = {unit.unit_id: unit.modality for unit in units}
    for unit_id, modality in modality_of.items():
        if counts.get(modality):
            lake.create(RESTRICTED, bronze(modality), BRONZE, "unit")
            lake.replace_unit(rows.where(F.col("unit") == unit_id), RESTRICTED, bronze(modality), unit_id, work.write)
    return counts


def _bad_files(work: Job, delivery: Delivery) -> DataFrame:
    by_place = {(piece.drop_id, piece.file_no): piece for piece in delivery.files}
    rows = []
    for (drop_id, number), reason in delivery.problems.items():
        piece = by_place.get((drop_id, number))
        known = (piece.source, piece.path, piece.modality) if piece else (None, None, None)
        rows.append((drop_id, *known, number, reason))
    frame = work.lake.spark.createDataFrame(
        rows, "drop_id string, source string, path string, modality string, position long, reason string"
    )
    return frame.selectExpr("*", "'unfit-file' AS rule")


def _tuple(piece: Piece) -> tuple[object, ...]:
    return tuple(getattr(piece, name) for name in Piece.__dataclass_fields__)


_PARTITIONS = 64
