"""What a worker does with one record of bronze: derive its published ids, run the transform, note the findings."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from veil import modalities
from veil.contracts import Finding, Item, KnownIdentifier, Malformed, Outcome, Unpublishable
from veil.identity import Scope
from veil.keys import FileKey
from veil.objects import ObjectStore
from veil.policy import Policy

STAGED_DDL = (
    "row_uid string, subject_uid string, row_id string, subject string, type string, record_id string, "
    "content string, object_id string, sha256 string, retired boolean, rule string, reason string, "
    "findings array<struct<path: string, start: int, end: int, kind: string, detector: string, rule: string, "
    "score: double, value_hmac: string>>, dropped map<string, int>"
)
_FINDING = pa.struct(
    [
        ("path", pa.string()),
        ("start", pa.int32()),
        ("end", pa.int32()),
        ("kind", pa.string()),
        ("detector", pa.string()),
        ("rule", pa.string()),
        ("score", pa.float64()),
        ("value_hmac", pa.string()),
    ]
)
_TEXT = ("row_uid", "subject_uid", "row_id", "subject", "type", "record_id", "content", "object_id", "sha256")
_STAGED = pa.schema(
    [
        *((name, pa.string()) for name in _TEXT),
        ("retired", pa.bool_()),
        ("rule", pa.string()),
        ("reason", pa.string()),
        ("findings", pa.list_(_FINDING)),
        ("dropped", pa.map_(pa.string(), pa.int32())),
    ]
)

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Anonymizer:
    """Makes the staged rows of one product and modality; it travels to the workers as plain data.

    Input rows have the columns of bronze and `retired`, `wrapped` (the subject's secret), `known` and `links`
    (what references resolve to). A row that is `retired` only gets its published id, so that publishing can remove it.
    """

    policy: str
    modality: str
    reference_year: int
    key_file: Path
    bronze_objects: str
    staged_objects: str

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Give a staged row for each row of bronze, batch by batch."""
        work = _Work(self)
        for batch in batches:
            yield pa.RecordBatch.from_pylist([work.row(row) for row in batch.to_pylist()], schema=_STAGED)


class _Work:
    """The state of one worker process: policy compiled, keys read, models loaded at the first need."""

    def __init__(self, job: Anonymizer) -> None:
        policy = Policy.from_canonical(job.policy)
        modality = modalities.get(job.modality)
        if modality.anonymizer is None:
            raise ValueError(f"{job.modality} has no anonymizer")
        self._transform = modality.anonymizer(policy, job.reference_year)
        self._scope = Scope(policy.product, policy.epoch, policy.group_of(job.modality))
        self._shifts = policy.profile == "expert"
        self._binary = modality.binary
        self._key = FileKey(job.key_file)
        self._fingerprint = self._key.fingerprint_key()
        self._bronze = ObjectStore(job.bronze_objects)
        self._staged = ObjectStore(job.staged_objects)

    def row(self, row: Row) -> dict[str, Any]:
        secret = self._key.unwrap(row["wrapped"], row["subject_uid"])
        staged: dict[str, Any] = {
            "row_uid": row["row_uid"],
            "subject_uid": row["subject_uid"],
            "row_id": self._scope.row(secret, row["row_uid"]),
            "subject": self._scope.subject(secret, row["subject_uid"]),
            "type": row["type"],
            "retired": row["retired"],
            "findings": [],
            "dropped": {},
        }
        if row["retired"]:
            return staged
        try:
            item = self._item(row, staged, secret)
            outcome = self._transform(item)
        except (Unpublishable, Malformed) as error:
            return {**staged, "rule": "unpublishable", "reason": str(error)}
        except Exception as error:  # noqa: BLE001 - one poisonous item must not stop the others, nor show its value
            return {**staged, "rule": "failed-anonymizer", "reason": f"the anonymizer failed: {type(error).__name__}"}
        return {**staged, **self._published(item, outcome, secret, row)}

    def _item(self, row: Row, staged: Row, secret: bytes) -> Item:
        links = {
            link["ref"]: self._scope.row(self._key.unwrap(link["wrapped"], link["subject_uid"]), link["row_uid"])
            for link in row["links"] or ()
        }
        return Item(
            type=row["type"],
            row_id=staged["row_id"],
            subject=staged["subject"],
            content=row["content"],
            payload=self._bronze.get(row["object_id"]) if row["object_id"] else None,
            known=[KnownIdentifier(known["kind"], known["value"], known["role"]) for known in row["known"] or ()],
            references=links,
            columns=json.loads(row["columns"]) if row["columns"] else None,
            offset_days=self._scope.offset_days(secret, row["subject_uid"]) if self._shifts else 0,
        )

    def _published(self, item: Item, outcome: Outcome, secret: bytes, row: Row) -> dict[str, Any]:
        published: dict[str, Any] = {
            "content": outcome.content,
            "record_id": item.references.get(row["parent"]) if row["parent"] != row["key"] else None,
            "findings": [self._finding(finding) for finding in outcome.findings],
            "dropped": dict(outcome.dropped),
        }
        if self._binary:
            if outcome.payload is None:
                return {"rule": "failed-anonymizer", "reason": "the anonymizer gave no payload"}
            object_id = self._scope.object(secret, row["row_uid"])
            published |= {"object_id": object_id, "sha256": self._staged.put(object_id, outcome.payload)}
        else:
            published["sha256"] = hashlib.sha256((outcome.content or "").encode()).hexdigest()
        return published

    def _finding(self, finding: Finding) -> dict[str, Any]:
        span = finding.span
        value = hmac.digest(self._fingerprint, finding.value.encode("utf-8", "surrogatepass"), "sha256")
        return {
            "path": finding.path,
            "start": span.start,
            "end": span.end,
            "kind": span.kind,
            "detector": span.detector,
            "rule": span.rule,
            "score": span.score,
            "value_hmac": value[:16].hex(),
        }
