"""What a worker is given to read, and the row that it makes of each record."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from veil.contracts import Record

RAW_LIMIT = 64 * 1024
"""How many bytes of an unreadable piece are kept in quarantine, for a person to look at and mend."""

WORK = pa.schema(
    [
        ("drop_id", pa.string()),
        ("drop_seq", pa.int32()),
        ("source", pa.string()),
        ("folder", pa.string()),
        ("file_no", pa.int32()),
        ("path", pa.string()),
        ("modality", pa.string()),
        ("format", pa.string()),
        ("size", pa.int64()),
        ("sha256", pa.string()),
        ("subject", pa.string()),
        ("encounter", pa.string()),
        ("date", pa.string()),
        ("start", pa.int64()),
        ("end", pa.int64()),
    ]
)
WORK_DDL = (
    "drop_id string, drop_seq int, source string, folder string, file_no int, path string, modality string, "
    "format string, size long, sha256 string, subject string, encounter string, date string, start long, end long"
)

_KNOWN = pa.list_(pa.struct([("kind", pa.string()), ("value", pa.string()), ("role", pa.string())]))
INCOMING = pa.schema(
    [
        ("drop_id", pa.string()),
        ("drop_seq", pa.int32()),
        ("source", pa.string()),
        ("file_no", pa.int32()),
        ("path", pa.string()),
        ("position", pa.int64()),
        ("modality", pa.string()),
        ("type", pa.string()),
        ("key", pa.string()),
        ("parent", pa.string()),
        ("subject_ref", pa.string()),
        ("aliases", pa.list_(pa.string())),
        ("version", pa.string()),
        ("deleted", pa.bool_()),
        ("start", pa.string()),
        ("code_system", pa.string()),
        ("code", pa.string()),
        ("references", pa.list_(pa.string())),
        ("known", _KNOWN),
        ("consent", pa.string()),
        ("consent_when", pa.string()),
        ("columns", pa.string()),
        ("content", pa.string()),
        ("object_id", pa.string()),
        ("url", pa.string()),
        ("hash", pa.string()),
        ("candidate_uid", pa.string()),
        ("rule", pa.string()),
        ("reason", pa.string()),
    ]
)
INCOMING_DDL = (
    "drop_id string, drop_seq int, source string, file_no int, path string, position long, modality string, "
    "type string, key string, parent string, subject_ref string, aliases array<string>, version string, "
    "deleted boolean, start string, code_system string, code string, references array<string>, "
    "known array<struct<kind: string, value: string, role: string>>, consent string, consent_when string, "
    "columns string, content string, object_id string, url string, hash string, candidate_uid string, rule string, "
    "reason string"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A file of a drop, or a range of bytes [start, end) of one that is read line by line."""

    drop_id: str
    drop_seq: int
    source: str
    folder: str
    file_no: int
    path: str
    modality: str
    format: str
    size: int
    sha256: str
    subject: str | None
    encounter: str | None
    date: str | None
    start: int
    end: int

    def origin(self, position: int) -> dict[str, Any]:
        """Say where a row comes from; `position` is an offset in bytes, or the index of a Bundle's entry."""
        return {
            "drop_id": self.drop_id,
            "drop_seq": self.drop_seq,
            "source": self.source,
            "file_no": self.file_no,
            "path": self.path,
            "position": position,
        }


def row_of(piece: Piece, position: int, record: Record, **more: Any) -> dict[str, Any]:
    """Make the row of a record; `more` overrides or adds columns."""
    row: dict[str, Any] = {
        **piece.origin(position),
        "modality": "tabular",
        "type": record.type,
        "key": record.key,
        "parent": record.key,
        "subject_ref": record.subject,
        "aliases": list(record.aliases),
        "version": record.version,
        "deleted": record.deleted,
        "start": record.start,
        "code_system": record.code_system,
        "code": record.code,
        "references": list(record.references),
        "known": [{"kind": known.kind, "value": known.value, "role": known.role} for known in record.known],
        "consent": record.consent.decision if record.consent else None,
        "consent_when": record.consent.when if record.consent else None,
        "content": record.content,
        "candidate_uid": secrets.token_hex(16),
    }
    return {**row, **more}


def problem_row(piece: Piece, position: int, rule: str, reason: str, raw: bytes = b"") -> dict[str, Any]:
    """Make the row of a piece that cannot be read; what it holds stays with it, for quarantine."""
    return {
        **piece.origin(position),
        "candidate_uid": secrets.token_hex(16),
        "modality": piece.modality,
        "rule": rule,
        "reason": reason,
        "content": raw[:RAW_LIMIT].decode("utf-8", "backslashreplace"),
    }


def pieces(batch: pa.RecordBatch) -> Iterator[Piece]:
    """Read the work of a batch."""
    for row in batch.to_pylist():
        yield Piece(**{str(name): value for name, value in row.items()})


def to_batch(rows: list[Mapping[str, Any]]) -> pa.RecordBatch:
    """Make a batch of rows; a column that a row does not have is null."""
    return pa.RecordBatch.from_pylist([dict(row) for row in rows], schema=INCOMING)
