"""What is inside of a file: decoded values of every container that a run writes."""

from __future__ import annotations

import base64
import gzip
import io
import re
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

MAX_DEPTH = 5
MAX_BYTES = 1 << 30
"""Decompressed bytes of one member: more is a bomb."""
_MAX_ENCODINGS = 2
_NEAR = 256
"""Bytes of an identifier around an escape within it."""
_ROWS = 8192
_BASE64 = re.compile(rb"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{24,}")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_LINE_FOLDED = re.compile(rb"(?:\n(?<=[A-Za-z0-9+/]{60}\n)|\r\n(?<=[A-Za-z0-9+/]{60}\r\n))(?=[A-Za-z0-9+/]{4})")
_ESCAPE = re.compile(rb"\\+u([0-9a-fA-F]{4})|\\+x([0-9a-fA-F]{2})|%([0-9a-fA-F]{2})|\\+([nrt/\"])")
_HEX_ESCAPE = re.compile(rb"\\[ux][0-9a-fA-F]{2}|%[0-9a-fA-F]{2}")


class SupportsRead(Protocol):
    """An open stream of bytes."""

    def read(self, size: int, /) -> bytes:
        """Read at most `size` bytes."""


class Unreadable(Exception):
    """A container that does not decode: its content is unknown."""


def inside(data: bytes, wal: bytes = b"", *, encodings: int = 0) -> Iterator[tuple[str, bytes]]:
    """Decoded parts of one file or value.

    Parameters
    ----------
    data
        Content of the file.
    wal
        Content of its SQLite write-ahead log, where there is one.
    encodings
        How many escapes and base64 have been undone to get here: payloads of chance characters never come to an end.

    Yields
    ------
    tuple of str and bytes
        How the part was reached, and its content; values of one table column by line.

    Raises
    ------
    Unreadable
        When the content announces a container and does not decode as one.
    """
    try:
        if is_parquet(data):
            yield from _parquet(data)
        elif data.startswith(b"\x1f\x8b\x08"):
            yield "gzip", _bounded(gzip.GzipFile(fileobj=io.BytesIO(data)))
        elif data.startswith(b"\x28\xb5\x2f\xfd"):
            yield "zstd", _bounded(pa.CompressedInputStream(pa.BufferReader(data), "zstd"))
        elif data.startswith(b"PK\x03\x04"):
            yield from _zip(data)
        elif data.startswith(b"SQLite format 3\0"):
            yield from _sqlite(data, wal)
        elif encodings < _MAX_ENCODINGS:
            yield from _encoded(data)
    except Unreadable:
        raise
    except Exception as error:  # noqa: BLE001 - a hostile file can raise anything: unknown content fails closed
        raise Unreadable(type(error).__name__) from None


def is_parquet(data: bytes) -> bool:
    """Whether the content is a Parquet file, whose pages are compressed: its raw bytes say nothing."""
    return data.startswith(b"PAR1")


def _bounded(stream: SupportsRead) -> bytes:
    content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise Unreadable("too large when decompressed")
    return content


def _zip(data: bytes) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.infolist():
            yield "zip", member.filename.encode() + b"\n" + member.comment
            with archive.open(member) as stream:
                yield "zip", _bounded(stream)


def _parquet(data: bytes) -> Iterator[tuple[str, bytes]]:
    with pq.ParquetFile(io.BytesIO(data)) as file:
        yield "parquet-footer", data[-8 - int.from_bytes(data[-8:-4], "little") :]
        yield "parquet-footer", _lines(_statistics(file.metadata))
        for batch in file.iter_batches(batch_size=_ROWS):
            for column in batch.columns:
                yield from _column(column)


def _statistics(metadata: pq.FileMetaData) -> Iterator[object]:
    for key, value in (metadata.metadata or {}).items():
        yield from (key, value)
    for group in range(metadata.num_row_groups):
        for index in range(metadata.num_columns):
            column = metadata.row_group(group).column(index)
            yield column.path_in_schema
            if column.statistics is not None and column.statistics.has_min_max:
                yield from (column.statistics.min, column.statistics.max)


def _column(column: pa.Array) -> Iterator[tuple[str, bytes]]:
    kind = column.type
    if isinstance(column, pa.ExtensionArray):
        yield from _column(column.storage)
    elif pa.types.is_struct(kind):
        for child in column.flatten():
            yield from _column(child)
    elif pa.types.is_map(kind):
        yield from _column(column.keys)
        yield from _column(column.items)
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        yield from _column(column.flatten())
    elif pa.types.is_dictionary(kind):
        yield from _column(column.dictionary_decode())
    else:
        if pa.types.is_timestamp(kind):  # nanoseconds have no Python type
            column = column.cast(pa.timestamp("us", kind.tz), safe=False)
        values = [value for value in column.to_pylist() if value is not None]
        yield "parquet", _lines(values)
        yield from (("parquet", value) for value in values if isinstance(value, bytes) and _is_container(value))


def _sqlite(data: bytes, wal: bytes) -> Iterator[tuple[str, bytes]]:
    # a copy, because reading a database with a write-ahead log writes beside it
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "copy.db"
        path.write_bytes(data)
        if wal:
            Path(f"{path}-wal").write_bytes(wal)
        with closing(sqlite3.connect(path)) as database:
            database.text_factory = bytes
            if database.execute("PRAGMA quick_check(1)").fetchone() != (b"ok",):
                raise Unreadable("damaged database")
            tables = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
            for name, definition in tables:
                yield "sqlite", definition or b""
                quoted = name.decode().replace('"', '""')
                rows = database.execute(f'SELECT * FROM "{quoted}"')
                while batch := rows.fetchmany(_ROWS):
                    values = [value for row in batch for value in row if value is not None]
                    yield "sqlite", _lines(values)
                    yield from (("sqlite", v) for v in values if isinstance(v, bytes) and _is_container(v))


def _encoded(data: bytes) -> Iterator[tuple[str, bytes]]:
    escaped = b"\n".join(_ESCAPE.sub(_unescape, data[start:end]) for start, end in _around(data))
    if escaped:
        yield "escape", escaped
    unfolded = _LINE_FOLDED.sub(b"", data)
    parts = [_unbase64(match[0]) for match in _BASE64.finditer(unfolded)]
    if parts:
        yield "base64", _lines(parts)
        yield from (("base64", part) for part in parts if _is_container(part))


def _around(data: bytes) -> Iterator[tuple[int, int]]:
    """Ranges around escapes, merged where they meet: a large file with a few escapes is not searched twice."""
    start = end = 0
    for match in _HEX_ESCAPE.finditer(data):
        if match.start() - _NEAR > end:
            if end:
                yield start, end
            start = match.start() - _NEAR
        end = match.end() + _NEAR
    if end:
        yield start, end


def _unescape(match: re.Match[bytes]) -> bytes:
    if match[1]:
        return chr(int(match[1], 16)).encode("utf-8", "ignore")
    return bytes([int(match[2] or match[3], 16)]) if match[2] or match[3] else b" "


def _unbase64(run: bytes) -> bytes:
    usable = run[:-1] if len(run) % 4 == 1 else run
    return base64.b64decode(usable.translate(_URL_SAFE) + b"==")


def _is_container(value: bytes) -> bool:
    return value.startswith((b"PAR1", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"SQLite format 3\0"))


def _lines(values: Iterable[object]) -> bytes:
    # the empty first line keeps a list from being taken for the container that its first value is
    texts = (value if isinstance(value, bytes) else str(value).encode("utf-8", "replace") for value in values)
    return b"\n".join((b"", *texts))
