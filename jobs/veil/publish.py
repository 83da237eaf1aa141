"""The publish stage: one atomic commit per product, modality and unit, of exactly the version that was audited."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from veil.anonymize.stage import staged_objects, staging
from veil.control import Store, attempts, receipts, registry
from veil.errors import Refused, VeilError
from veil.lake import PUBLISHED, RESTRICTED, Lake
from veil.objects import ObjectStore
from veil.policy import Policy
from veil.settings import Settings
from veil.stages import Job, job

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_NAMES = ["unit", "row_id", "subject", "type", "record_id", "content", "object_id", "sha256"]


def published(policy: Policy, modality: str) -> str:
    """Name the published table of a modality: pseudonyms of two epochs never meet in one table."""
    return f"{policy.product}/epoch-{policy.epoch}/{modality}"


def published_objects(policy: Policy, modality: str) -> str:
    """Name the folder of a modality's published payload objects, which its table names by id."""
    return f"{policy.product}/epoch-{policy.epoch}/objects/{modality}"


def publish(settings: Settings, store: Store, run_key: str, policy: Policy, modality: str) -> None:
    """Publish every unit that a run takes of a modality and that passed its audit in this run.

    Raises
    ------
    Refused
        When the gate blocked a unit.
    VeilError
        When the newest staged candidate of a unit has not been audited.
    """
    for unit in registry.units_of_run(store, run_key, modality):
        staged = receipts.latest(store, "anonymize", unit.unit_id, policy.product)
        if staged is None or "staging_version" not in staged.body:
            continue
        audit = receipts.latest(store, "audit", unit.unit_id, policy.product)
        if audit is None or audit.body["candidate"] != staged.receipt_id:
            raise VeilError(f"{modality} was staged anew since its audit", "Run the audit again, then this task")
        if audit.body["verdict"] != "passed":
            raise Refused(f"{modality} of this run has not passed its gate", "See `veil report` for the reason")
        with (
            attempts.locked(store, f"publish/{published(policy, modality)}", f"{run_key}/{unit.unit_id}"),
            job(settings, store, "publish", unit.unit_id, run_key, policy.product) as work,
        ):
            _publish(work, policy, modality, staged)


def _publish(work: Job, policy: Policy, modality: str, staged: receipts.Receipt) -> None:
    from pyspark.sql import functions as F

    lake, unit_id, version = work.lake, work.attempt.unit_id, int(staged.body["staging_version"])
    candidate = lake.table(RESTRICTED, staging(policy.product, modality), version).where(F.col("unit") == unit_id)
    rows = candidate.where("rule IS NULL")
    name = published(policy, modality)
    objects = ObjectStore(lake.path(PUBLISHED, published_objects(policy, modality)))
    _copy_objects(lake, rows, policy.product, modality, int(staged.body["attempt"]), objects)
    gone = _superseded_objects(lake, rows, name, unit_id)
    lake.merge(
        PUBLISHED,
        name,
        rows.select(*_NAMES, "retired"),
        "t.row_id = s.row_id",
        _clauses(unit_id),
        work.write,
        first=rows.where("NOT retired").select(*_NAMES),
        partition=("unit",),
    )
    for object_id in gone:
        objects.remove(object_id)
    work.figures.update(
        candidate=staged.receipt_id,
        policy=policy.hash,
        modality=modality,
        table=name,
        objects=published_objects(policy, modality),
        table_version=lake.version(PUBLISHED, name),
        published=int(staged.body["staged"]),
    )


def _clauses(unit_id: str) -> str:
    """Reconcile the table with the candidate: what it retires or no longer holds leaves in the one commit."""
    updates = ", ".join(f"{name} = s.{name}" for name in _NAMES)
    values = ", ".join(f"s.{name}" for name in _NAMES)
    return (
        "WHEN MATCHED AND s.retired THEN DELETE "
        f"WHEN MATCHED AND (t.unit <> s.unit OR t.sha256 <> s.sha256) THEN UPDATE SET {updates} "
        f"WHEN NOT MATCHED AND NOT s.retired THEN INSERT ({', '.join(_NAMES)}) VALUES ({values}) "
        f"WHEN NOT MATCHED BY SOURCE AND t.unit = '{unit_id}' THEN DELETE"
    )


def _copy_objects(lake: Lake, rows: DataFrame, product: str, modality: str, attempt: int, target: ObjectStore) -> None:
    """Copy the payloads, each checked against its digest, before the commit that names them."""
    source = ObjectStore(lake.path(RESTRICTED, staged_objects(product, modality, attempt)))
    named = rows.where("object_id IS NOT NULL AND NOT retired").select("object_id", "sha256")
    for row in named.toLocalIterator():
        payload = source.get(row.object_id)
        if hashlib.sha256(payload).hexdigest() != row.sha256:
            raise Refused(f"Object {row.object_id} is not the one that was audited", "Process its unit again")
        target.put(row.object_id, payload)


def _superseded_objects(lake: Lake, rows: DataFrame, name: str, unit_id: str) -> list[str]:
    """List published objects that the commit will leave without a row."""
    from pyspark.sql import functions as F

    if not lake.exists(PUBLISHED, name):
        return []
    before = lake.table(PUBLISHED, name).where("object_id IS NOT NULL")
    kept = rows.where("NOT retired").select("row_id")
    taken_back = before.join(rows.where("retired").select("row_id"), "row_id", "left_semi")
    vanished = before.where(F.col("unit") == unit_id).join(kept, "row_id", "left_anti")
    return [row.object_id for row in taken_back.unionByName(vanished).select("object_id").distinct().collect()]
