"""The input digest: one number for a set of records, whatever order Spark hands them over in."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from veil.keys import FileKey

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_BYTES = 40


def input_digest(records: DataFrame, key_file: Path) -> str:
    """Hash a multiset of (source, key, hash) rows: the sum of keyed hashes modulo 2**320.

    MSet-Add-Hash (Clarke et al., ASIACRYPT 2003) with HMAC-SHA-512 cut to 320 bits: independent of order and of
    partitioning, and not to be guessed without the zone key.
    """
    parts = records.select("source", "key", "hash").mapInArrow(_Summer(key_file), "part binary").collect()
    total = sum(int.from_bytes(row.part, "big") for row in parts) % (1 << 8 * _BYTES)
    return total.to_bytes(_BYTES, "big").hex()


class _Summer:
    def __init__(self, key_file: Path) -> None:
        self._key_file = key_file

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        key = FileKey(self._key_file).fingerprint_key()
        total = 0
        for batch in batches:
            for row in zip(*(batch.column(name).to_pylist() for name in ("source", "key", "hash")), strict=True):
                message = "\x1f".join(part or "" for part in row).encode()
                total += int.from_bytes(hmac.digest(key, message, "sha512")[:_BYTES], "big")
        part = (total % (1 << 8 * _BYTES)).to_bytes(_BYTES, "big")
        yield pa.RecordBatch.from_pydict({"part": pa.array([part], pa.binary())})
