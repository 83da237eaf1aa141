"""What the two hash chains of the control store have in common: receipts, and the events of the ledger."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, Table, select

GENESIS = "0" * 64
"""What the first link names as the one before it."""


def head(connection: Connection, table: Table) -> tuple[int, str]:
    """Give number and hash of the last link of a chain; 0 and `GENESIS` where it has none."""
    row = connection.execute(_last(table)).first()
    return (0, GENESIS) if row is None else (row.seq, row.hash)


@lru_cache
def _last(table: Table) -> Select[tuple[int, str]]:
    # made once for each chain: putting it together takes as long as running it
    return select(table.c.seq, table.c.hash).order_by(table.c.seq.desc()).limit(1)


def digest(row: Mapping[str, Any] | RowMapping, columns: Sequence[str]) -> str:
    """Hash the chained columns of a link, the hash of the one before among them (SHA-256)."""
    return hashlib.sha256(json.dumps([row[name] for name in columns], separators=(",", ":")).encode()).hexdigest()
