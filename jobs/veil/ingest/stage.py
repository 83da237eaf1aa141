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
from veil.lake import RESTRICTED, Lake
from veil.policy.policy import load_site
from veil.settings import Settings
from veil.stages import Job, job

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

BRONZE = "bronze"
OBJECTS = "objects"
_BRONZE = [
    *("modality", "unit", "source", "drop_id", "type", "key", "parent", "row_uid", "subject_uid", "deleted"),
    *("start", "code_system", "code", "references", "columns", "content", "object_id", "hash"),
]
_DESCRIBED = ["start", "code_system", "code", "references", "columns"]
_PER_CORE = 4


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


def bronze(lake: Lake, modality: str) -> DataFrame:
    """Give the raw records of a modality, every version that was ever accepted. One table, one partition each."""
    from pyspark.sql import functions as F

    return lake.table(RESTRICTED, BRONZE).where(F.col("modality") == modality)


def _ingest(work: Job, units: list[Unit]) -> None:
    from pyspark.sql import functions as F

    lake, intake_id = work.lake, work.attempt.unit_id
    sources = load_site(work.settings.config / "site.toml").sources
    drops = registry.drops_of_intake(work.store, intake_id)
    delivery = read_drops(work.store, drops, [source.name for source in sources])
    work.figures["files"] = len(delivery.files)
    good = _verified(work, delivery)
    systems = {source.name: source.patient_id_system for source in sources if source.patient_id_system}
    incoming = _read(work, delivery, good, systems)
    accept.enter_vault(lake, incoming, work.settings.key_file, work.write)
    verdicts = accept.judge(lake, incoming, [(unit.modality, unit.unit_id) for unit in units])
    judged = lake.settle(verdicts, "judged", work.write)
    accepted = judged.where("rule IS NULL AND is_new")
    vault.set_current(lake, accepted, work.write)
    work.figures["input"] = input_digest(accepted, work.settings.key_file)
    counts = {row.modality: row["count"] for row in accepted.groupBy("modality").count().collect()}
    work.figures["counts"] = counts
    if counts:
        _write_bronze(work, incoming, accepted, [unit.unit_id for unit in units])
    held = incoming.select(F.col("candidate_uid").alias("payload_uid"), "content", "object_id")
    unfit = judged.where("rule IS NOT NULL").join(held, "payload_uid", "left")
    items = unfit.unionByName(_bad_files(work, delivery), allowMissingColumns=True)
    quarantine.replace(lake, items, "ingest", intake_id, "", work.write)
    work.figures["quarantined"] = quarantine.counts(lake, "ingest", intake_id)


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


def _read(work: Job, delivery: Delivery, good: list[Piece], systems: dict[str, str]) -> DataFrame:
    """Read the pieces once: every later step must see the same rows and random ids."""
    lake = work.lake
    pieces = split(good)
    frame = lake.spark.createDataFrame([tuple(piece.values()) for piece in pieces], WORK_DDL)
    objects = str(lake.path(RESTRICTED, OBJECTS))
    parsed = frame.repartition(max(1, min(len(pieces), _PER_CORE * lake.cores))).mapInArrow(
        Parser(objects, delivery.tables, systems), INCOMING_DDL
    )
    return lake.settle(parsed, "incoming", work.write)


def _write_bronze(work: Job, incoming: DataFrame, accepted: DataFrame, unit_ids: list[str]) -> None:
    """Write all modalities of an intake in one commit: what a row says of itself, and the payload that it points to."""
    lake = work.lake
    described = incoming.select("candidate_uid", *_DESCRIBED)
    payload = incoming.selectExpr("candidate_uid AS payload_uid", "content", "object_id")
    uids = vault.table(lake, vault.RECORDS).select("source", "key", "row_uid")
    rows = (
        accepted.join(described, "candidate_uid", "left")
        .join(payload, "payload_uid", "left")
        .join(uids, ["source", "key"])
        .select(*_BRONZE)
    )
    lake.replace_unit(rows, RESTRICTED, BRONZE, unit_ids, work.write, partition=("modality", "unit"))


def _bad_files(work: Job, delivery: Delivery) -> DataFrame:
    by_place = {(piece.drop_id, piece.file_no): piece for piece in (*delivery.files, *delivery.role_files)}
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
