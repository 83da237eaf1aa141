"""What a worker does with a piece of a drop: read it, and make one row of each record, note or payload."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from veil import modalities
from veil.contracts import Attachment, Described, Malformed, Record
from veil.ingest.work import Piece, pieces, problem_row, row_of, to_batch
from veil.modalities import recognisers
from veil.objects import ObjectStore
from veil.policy.tables import TableRoles
from veil.readers import fhir, ndjson, table
from veil.readers.archive import members
from veil.readers.formats import HEAD
from veil.readers.problem import Problem
from veil.readers.sniff import matches, sniff
from veil.readers.whole import read_whole

_BATCH_ROWS = 500
_BATCH_BYTES = 8 << 20
_TEXT_TYPES = ("text/plain", "text/markdown")

Row = dict[str, Any]


class Parser:
    """Reads pieces of drops on a worker.

    `tables` gives the roles of a CSV table's columns by (drop id, file name); `systems`, by source, the system of the
    patient IDs that its images carry.
    """

    def __init__(
        self,
        bronze_objects: str,
        tables: Mapping[tuple[str, str], TableRoles],
        systems: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._objects = bronze_objects
        self._tables = tables
        self._systems = dict(systems)

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Give the rows of every piece, in batches of bounded size."""
        for batch in batches:
            for piece in pieces(batch):
                yield from _batched(self._read(piece))

    def _read(self, piece: Piece) -> Iterator[Row]:
        readers: Mapping[str, Callable[[Piece], Iterator[Row]]] = {
            "fhir-ndjson": self._ndjson,
            "fhir-deleted": self._deletions,
            "fhir-bundle": self._bundle,
            "csv": self._csv,
            "dicom-zip": self._archive,
        }
        try:
            yield from readers.get(piece.format, self._payload)(piece)
        except Malformed as error:
            yield problem_row(piece, piece.start, "unreadable-file", str(error))
        except OSError as error:
            yield problem_row(piece, piece.start, "unreadable-file", f"the file cannot be read: {error.strerror}")

    def _lines(self, piece: Piece) -> Iterator[ndjson.Line]:
        with _path(piece).open("rb") as stream:
            yield from ndjson.lines(stream, piece.start, piece.end)

    def _ndjson(self, piece: Piece) -> Iterator[Row]:
        for line in self._lines(piece):
            if line.data is None:
                yield problem_row(piece, line.offset, "unreadable-line", line.problem or "the line cannot be read")
            elif line.data.strip():
                try:
                    record = fhir.parse(line.data)
                except Malformed as error:
                    yield problem_row(piece, line.offset, "malformed-record", str(error), line.data)
                else:
                    yield from self._rows(piece, line.offset, record)

    def _deletions(self, piece: Piece) -> Iterator[Row]:
        for line in self._lines(piece):
            if line.data is None:
                yield problem_row(piece, line.offset, "unreadable-line", line.problem or "the line cannot be read")
            elif line.data.strip():
                try:
                    for record in fhir.parse_deletions(line.data):
                        yield row_of(piece, line.offset, record, hash=_digest(b"deleted"))
                except Malformed as error:
                    yield problem_row(piece, line.offset, "malformed-record", str(error), line.data)

    def _bundle(self, piece: Piece) -> Iterator[Row]:
        for position, found in enumerate(fhir.parse_bundle(read_whole(_path(piece)))):
            if isinstance(found, Problem):
                yield problem_row(piece, found.position, "malformed-record", found.reason)
            else:
                yield from self._rows(piece, position, found)

    def _csv(self, piece: Piece) -> Iterator[Row]:
        roles = self._tables.get((piece.drop_id, piece.path))
        if roles is None:
            reason = "no role file declares the columns of this table: add <name>.columns.toml beside it"
            yield problem_row(piece, 0, "unknown-table", reason)
            return
        columns = json.dumps(dict(roles.columns), sort_keys=True)
        with _path(piece).open("rb") as stream:
            for position, found in enumerate(table.rows(stream, roles)):
                if isinstance(found, Problem):
                    yield problem_row(piece, found.position, "malformed-record", found.reason)
                else:
                    # a row whose columns mean something else now is another row
                    digest = _digest(f"{columns}{found.content}".encode())
                    yield {**row_of(piece, position, found, hash=digest), "columns": columns}

    def _rows(self, piece: Piece, position: int, record: Record) -> Iterator[Row]:
        yield row_of(piece, position, record, hash=_digest(record.content.encode()))
        for attachment in record.attachments:
            yield self._attachment(piece, position, record, attachment)

    def _attachment(self, piece: Piece, position: int, record: Record, attachment: Attachment) -> Row:
        row = row_of(
            piece,
            position,
            record,
            key=f"{record.key}#{attachment.path}",
            references=[record.key, *record.references],
            aliases=[],
            known=[],
            consent=None,
            consent_when=None,
            content=None,
        )
        if attachment.data is None:
            return {**row, "modality": None, "url": attachment.url}
        return {**row, **self._stored(attachment.content_type, attachment.data)}

    def _payload(self, piece: Piece) -> Iterator[Row]:
        yield self._file(piece, 0, piece.path, read_whole(_path(piece)))

    def _archive(self, piece: Piece) -> Iterator[Row]:
        recognise = modalities.get(piece.modality).recognise
        for found in members(_path(piece)):
            if isinstance(found, Problem):
                yield problem_row(piece, found.position, "unreadable-file", found.reason)
            elif recognise(found.name, found.payload[:HEAD]) in (None, piece.format):
                reason = f"a file in the archive is not {piece.modality}: unpack it, and send what is needed of it"
                yield problem_row(piece, found.position, "no-modality", reason)
            else:
                yield self._file(piece, found.position, f"{piece.path}!/{found.name}", found.payload)

    def _file(self, piece: Piece, position: int, path: str, data: bytes) -> Row:
        """Make the row of a payload: what its drop says of it goes before what it says of itself."""
        describe = modalities.get(piece.modality).describe if piece.modality in modalities.registered() else None
        said = describe(data) if describe else Described()
        system = self._systems.get(piece.source)
        own = f"identifier:{system}|{said.subject}" if system and said.subject else None
        record = Record(
            type=piece.modality,
            id=path,
            subject=piece.subject or own,
            content="",
            start=piece.date or said.start,
            code_system=said.code_system,
            code=said.code,
            references=(*([piece.encounter] if piece.encounter else []), *said.references),
        )
        stored = self._stored("text/plain" if piece.format == "plain" else "", data)
        return {**row_of(piece, position, record), **stored, "modality": piece.modality, "url": path}

    def _stored(self, content_type: str, data: bytes) -> Row:
        digest = _digest(data)
        if content_type.split(";")[0].strip() in _TEXT_TYPES:
            try:
                return {"modality": "text", "content": data.decode("utf-8-sig"), "hash": digest}
            except UnicodeDecodeError:
                return {"modality": "text", "rule": "malformed-record", "reason": "the note is not valid UTF-8"}
        modality, _format = sniff("", data[:HEAD], recognisers())
        ObjectStore(self._objects).put(digest, data)
        return {"modality": modality, "object_id": digest, "hash": digest, "content": None}


def verify(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Compare every file with its manifest entry; a row (drop_id, file_no, reason) for each, reason null if it fits."""
    for batch in batches:
        checked = [
            {"drop_id": piece.drop_id, "file_no": piece.file_no, "reason": mismatch(piece)} for piece in pieces(batch)
        ]
        yield pa.RecordBatch.from_pylist(checked, schema=VERIFIED)


VERIFIED = pa.schema([("drop_id", pa.string()), ("file_no", pa.int32()), ("reason", pa.string())])


def mismatch(piece: Piece) -> str | None:
    """Say what is wrong with a file beside its manifest entry; None if it fits."""
    try:
        with _path(piece).open("rb") as stream:
            head = stream.read(HEAD)
            stream.seek(0)
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        return f"the file cannot be read: {error.strerror}"
    if digest != piece.sha256:
        return "the file's SHA-256 is not the manifest's: send the drop again"
    fits = sniff(piece.path, head, recognisers())[1] == piece.format or matches(piece.format, head)
    return None if fits else f"the file is not {piece.format}, which the manifest says it is"


def _batched(rows: Iterator[Row]) -> Iterator[pa.RecordBatch]:
    held: list[Mapping[str, Any]] = []
    size = 0
    for row in rows:
        held.append(row)
        size += len(row.get("content") or "")
        if len(held) >= _BATCH_ROWS or size >= _BATCH_BYTES:
            yield to_batch(held)
            held, size = [], 0
    if held:
        yield to_batch(held)


def _path(piece: Piece) -> Path:
    return Path(piece.folder) / piece.path


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
