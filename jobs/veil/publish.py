"""The publish stage: one atomic commit per product, modality and unit, of exactly the version that was audited."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from veil.anonymize.stage import require_policy, staged_objects, staging
from veil.control import Store, attempts, receipts, registry
from veil.errors import Refused
from veil.lake import PUBLISHED, RESTRICTED, Lake
from veil.objects import ObjectStore
from veil.policy import Policy
from veil.settings import Settings
from veil.stages import Job, job

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_TAKE_BACK = "WHEN MATCHED AND s.retired THEN DELETE"
_NAMES = ["unit", "row_id", "subject", "type", "record_id", "content", "object_id", "sha256"]


def published(policy: Policy, modality: str) -> str:
    """Name the published table of a modality: pseudonyms of two epochs never meet in one table."""
    return f"{policy.product}/epoch-{policy.epoch}/{modality}"


def published_objects(policy: Policy, modality: str) -> str:
    """Name the folder of a modality's published payload objects, which its table names by id."""
    return f"{policy.product}/epoch-{policy.epoch}/objects/{modality}"


def publish(settings: Settings, store: Store, run_key: str, policy: Policy, modality: str) -> None:
    """Publish every unit that a run takes of a modality and that passed its audit in this run.

    Of a unit that the gate blocked, only what it takes back is carried out: denials, deletions and withheld rows do
    not wait until the rest of the unit is mended.

    Raises
    ------
    Refused
        When the gate blocked a unit, or the newest staged candidate of one is of another run, has not been audited or
        may hold what was denied, deleted or corrected since.
    VeilError
        When a candidate was made under another policy.
    """
    blocked = False
    for unit in registry.units_of_run(store, run_key, modality):
        staged = receipts.latest(store, "anonymize", unit.unit_id, policy.product)
        if staged is None or staged.run_key != run_key:
            raise Refused(f"{modality} was not anonymized in this run", "Mend and clear the first task that is red")
        if "staging_version" not in staged.body:
            continue
        if receipts.has_newer(store, "ingest", staged):
            raise Refused(f"Newer data came after {modality} was anonymized", "Clear the anonymize task of this run")
        audit = receipts.latest(store, "audit", unit.unit_id, policy.product)
        if audit is None or audit.body["candidate"] != staged.receipt_id:
            raise Refused(f"{modality} was staged anew since its audit", "Clear the audit task of this run")
        require_policy(staged, policy)
        passed = audit.body["verdict"] == "passed"
        blocked |= not passed
        if not passed and not staged.body["retired"]:
            continue
        with (
            attempts.locked(store, f"publish/{published(policy, modality)}", f"{run_key}/{unit.unit_id}"),
            job(settings, store, "publish", unit.unit_id, run_key, policy.product) as work,
        ):
            _publish(work, policy, modality, staged, passed=passed)
    if blocked:
        raise Refused(f"{modality} of this run has not passed its gate", "See `veil report` for the reason")


def _publish(work: Job, policy: Policy, modality: str, staged: receipts.Receipt, *, passed: bool) -> None:
    from pyspark.sql import functions as F

    lake, unit_id, version = work.lake, work.attempt.unit_id, int(staged.body["staging_version"])
    candidate = lake.table(RESTRICTED, staging(policy.product, modality), version).where(F.col("unit") == unit_id)
    rows = candidate.where("rule IS NULL" if passed else "retired")
    name = published(policy, modality)
    objects = ObjectStore(lake.path(PUBLISHED, published_objects(policy, modality)))
    _copy_objects(lake, rows, policy.product, modality, int(staged.body["attempt"]), objects)
    lake.merge(
        PUBLISHED,
        name,
        rows.select(*_NAMES, "retired"),
        "t.row_id = s.row_id",
        _clauses(unit_id) if passed else _TAKE_BACK,
        work.write,
        first=rows.where("NOT retired").select(*_NAMES),
        partition=("unit",),
    )
    named = lake.table(PUBLISHED, name).where("object_id IS NOT NULL").select("object_id")
    # whichever attempt left the others: the table's lock is held
    objects.keep_only({row.object_id for row in named.toLocalIterator()})
    work.figures.update(
        candidate=staged.receipt_id,
        policy=policy.hash,
        modality=modality,
        table=name,
        objects=published_objects(policy, modality),
        table_version=lake.version(PUBLISHED, name),
        published=int(staged.body["staged"]) if passed else 0,
    )


def _clauses(unit_id: str) -> str:
    """Reconcile the table with the candidate: what it retires or no longer holds leaves in the one commit."""
    updates = ", ".join(f"{name} = s.{name}" for name in _NAMES)
    values = ", ".join(f"s.{name}" for name in _NAMES)
    return (
        f"{_TAKE_BACK} "
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
