"""A known value is found wherever a run can have left it, and an unreadable file is never taken for clean."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from veil.detect.scan import Hit, scan
from veil.errors import VeilError

NAME = "Quillon Vasterby"
NEEDLES: dict[str | bytes, str] = {
    NAME: "name",
    "40817263": "mrn",
    "Zoë Ångström": "accent",
    b"\x01\x02\xfe\xff": "bytes",
}


def parquet(table: pa.Table, **options: object) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def zipped(content: bytes) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.txt", content)
    return sink.getvalue()


def zstd(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return bytes(sink.getvalue())


def database(*rows: tuple[object, ...]) -> bytes:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute('CREATE TABLE "odd ""name" (a, b)')
        connection.executemany('INSERT INTO "odd ""name" VALUES (?, ?)', rows)
        connection.commit()
        return connection.serialize()


NOTE = f"seen by {NAME} today".encode()
CONTAINERS: dict[str, bytes] = {
    "plain": NOTE,
    "upper": NOTE.upper(),
    "end of line": b"x\\n" + NOTE[8:],
    "utf-16": NOTE.decode().encode("utf-16"),
    "utf-16-be": NOTE.decode().encode("utf-16-be"),
    "base64": base64.b64encode(b"??" + NOTE),
    "folded base64": base64.encodebytes(b"filler " * 20 + NOTE),
    "base64 in a longer run": b"path/" + base64.b64encode(NOTE),
    "urlsafe": base64.urlsafe_b64encode(b"\xfb\xff\xfe" + NOTE),
    "json escapes": "".join(f"\\u{ord(c):04x}" for c in NAME).encode(),
    "nested escapes": json.dumps(json.dumps({"x": "é" + NAME})).encode(),
    "url": b"/x?name=Quillon%20Vasterby&y=1",
    "gzip": gzip.compress(NOTE),
    "zstd": zstd(NOTE),
    "zip": zipped(NOTE),
    "gzip in zip": zipped(gzip.compress(NOTE)),
    "base64 gzip": base64.b64encode(gzip.compress(NOTE)),
    "sqlite text": database(("clean", NOTE.decode())),
    "sqlite blob": database((gzip.compress(NOTE), 1)),
    "parquet": parquet(pa.table({"a": ["clean", NOTE.decode()]})),
    "parquet nested": parquet(pa.table({"a": [[{"b": {"c": [NOTE.decode()]}}]]})),
    "parquet dictionary": parquet(pa.table({"a": pa.array([NOTE.decode()] * 9).dictionary_encode()})),
    "parquet map": parquet(pa.table({"a": pa.array([[("k", NOTE.decode())]], pa.map_(pa.string(), pa.string()))})),
    "parquet blob": parquet(pa.table({"a": [gzip.compress(NOTE)]})),
    "parquet json": parquet(pa.table({"a": [json.dumps({"data": base64.b64encode(NOTE).decode()})]})),
    "parquet metadata": parquet(pa.table({"a": [1]}).replace_schema_metadata({"k": NOTE.decode()})),
    "parquet column": parquet(pa.table({NAME: [1]})),
    "delta checkpoint": parquet(pa.table({"add": [{"path": "x", "stats": json.dumps({"minValues": {"n": NAME}})}]})),
}


@pytest.mark.parametrize("content", CONTAINERS.values(), ids=CONTAINERS.keys())
def test_a_name_is_found_in_every_container(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    hits = scan(tmp_path, NEEDLES)
    assert {hit.label for hit in hits} == {"name"}
    assert {hit.path for hit in hits} == {"file"}


@pytest.mark.parametrize("kind", [pa.int64(), pa.string(), pa.decimal128(20, 0)])
def test_a_number_is_found_in_a_column_of_any_type(tmp_path: Path, kind: pa.DataType) -> None:
    column = pa.array([1, 40817263]).cast(kind)
    (tmp_path / "part.parquet").write_bytes(parquet(pa.table({"a": column}), write_statistics=False))
    assert {hit.label for hit in scan(tmp_path, NEEDLES)} == {"mrn"}


@pytest.mark.parametrize(
    "text", ["ZOË ÅNGSTRÖM", "Zoe Angstrom", json.dumps("Zoë Ångström"), "Zoe\u0308 A\u030angstro\u0308m"]
)
def test_a_name_with_accents_is_found_in_every_spelling(tmp_path: Path, text: str) -> None:
    (tmp_path / "log").write_text(text, encoding="utf-8")
    assert {hit.label for hit in scan(tmp_path, NEEDLES)} == {"accent"}


def test_rows_that_still_wait_in_the_write_ahead_log_are_found(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "control.db")) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE t (a)")
        connection.execute("INSERT INTO t VALUES (?)", (NAME,))
        connection.commit()
        assert Hit("control.db", "name", "sqlite > raw") in scan(tmp_path, NEEDLES)


def test_names_of_files_and_folders_are_searched_and_not_repeated(tmp_path: Path) -> None:
    folder = tmp_path / "quillon_vasterby"
    folder.mkdir()
    (folder / "photo-40817263.jpg").write_bytes(b"x")
    hits = scan(tmp_path, NEEDLES)
    assert {(hit.label, hit.how) for hit in hits} == {("name", "name"), ("mrn", "name")}
    assert not any("asterby" in hit.path or "40817263" in hit.path for hit in hits)


@pytest.mark.parametrize(
    "text",
    ["Quillon Vasterbyson", "McQuillon Vasterby", "1408172634", "0.40817263", "9f86d0818840817263fa5d659a2feaa0c55ad0"],
)
def test_a_part_of_a_longer_word_number_or_digest_is_no_hit(tmp_path: Path, text: str) -> None:
    (tmp_path / "log").write_text(f"before {text} after")
    assert scan(tmp_path, NEEDLES) == []


def test_bytes_are_found_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(b"aa\x01\x02\xfe\xffbb")
    assert scan(tmp_path, NEEDLES) == [Hit("blob", "bytes", "raw")]


@pytest.mark.parametrize(
    "damage",
    [
        lambda: parquet(pa.table({"a": ["x"] * 99}))[:-30],
        lambda: gzip.compress(b"x" * 999)[:-12],
        lambda: zstd(os.urandom(999))[:-500],
        lambda: zipped(b"x")[:-9],
        lambda: database(("a", "b"))[:5000],
    ],
)
def test_a_damaged_container_is_a_hit(tmp_path: Path, damage: Callable[[], bytes]) -> None:
    (tmp_path / "file").write_bytes(damage())
    assert Hit("file", "", "unreadable") in scan(tmp_path, NEEDLES)


def test_a_missing_folder_is_not_clean(tmp_path: Path) -> None:
    assert scan(tmp_path / "absent", NEEDLES) == [Hit(".", "", "unreadable")]


def test_what_is_excluded_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "restricted").mkdir()
    (tmp_path / "restricted" / "vault").write_bytes(NOTE)
    (tmp_path / "control.db").write_bytes(NOTE)
    assert scan(tmp_path, NEEDLES, exclude=[tmp_path / "restricted", tmp_path / "control.db"]) == []


def test_random_payloads_are_clean_and_readable(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(os.urandom(3_000_000))
    (tmp_path / "ids").write_text("\n".join(os.urandom(16).hex() for _ in range(20_000)))
    assert scan(tmp_path, NEEDLES) == []


def test_a_needle_that_would_be_everywhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VeilError, match="fewer than four"):
        scan(tmp_path, {"Li": "name"})
