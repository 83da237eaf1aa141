"""The rows of a staging table."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

STAGED_DDL = (
    "row_uid string, subject_uid string, row_id string, subject string, type string, record_id string, "
    "content string, object_id string, sha256 string, retired boolean, rule string, reason string, "
    "findings array<struct<path: string, start: int, end: int, kind: string, detector: string, rule: string, "
    "score: double, value_hmac: string>>, dropped string"
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
        ("dropped", pa.string()),
    ]
)


def to_batch(staged: list[dict[str, Any]]) -> pa.RecordBatch:
    """Give rows as a batch; a column that a row lacks is null."""
    columns = [pa.array([row.get(field.name) for row in staged], field.type) for field in _STAGED]
    return pa.RecordBatch.from_arrays(columns, schema=_STAGED)
