"""Receipts: one stage's proof of what it read, by which policy and code, and what came of it; hash-chained."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, RowMapping, Table, insert, select

from veil.control import attempts, hashing
from veil.control import schema as s
from veil.control.attempts import Attempt
from veil.control.store import Store
from veil.errors import VeilError

_CHAINED = ("seq", "receipt_id", "stage", "unit_id", "product", "run_key", "body", "previous")


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt as it stands in the chain."""

    seq: int
    receipt_id: str
    stage: str
    unit_id: str
    product: str
    run_key: str
    body: Mapping[str, Any]


def new_id() -> str:
    """Draw the id of a receipt before it is written, so that the commit it proves can name it."""
    return secrets.token_hex(16)


def close(store: Store, attempt: Attempt, body: Mapping[str, Any], receipt_id: str) -> None:
    """End an attempt as done and append its receipt, in one transaction.

    `body` holds digests, versions and counts, never a value.

    Raises
    ------
    VeilError
        When the attempt has been fenced off by a later one: what it did does not count.
    """
    text = json.dumps({**body, "attempt": attempt.number}, sort_keys=True, separators=(",", ":"))
    with store.transaction() as connection:
        if not attempts.mark_done(connection, attempt, text):
            raise VeilError("A later attempt has taken over from this one", "Nothing to do: the later one counts")
        seq, previous = hashing.head(connection, s.receipt)
        values: dict[str, Any] = {
            "seq": seq + 1,
            "receipt_id": receipt_id,
            "stage": attempt.stage,
            "unit_id": attempt.unit_id,
            "product": attempt.product,
            "run_key": attempt.run_key,
            "body": text,
            "previous": previous,
        }
        connection.execute(insert(s.receipt).values(**values, hash=hashing.digest(values, _CHAINED)))


def latest(store: Store, stage: str, unit_id: str, product: str) -> Receipt | None:
    """Give the newest receipt of a stage on a unit."""
    query = (
        select(s.receipt)
        .where((s.receipt.c.stage == stage) & (s.receipt.c.unit_id == unit_id) & (s.receipt.c.product == product))
        .order_by(s.receipt.c.seq.desc())
        .limit(1)
    )
    with store.transaction() as connection:
        row = connection.execute(query).mappings().first()
    return None if row is None else _receipt(row)


def has_newer(store: Store, stage: str, than: Receipt) -> bool:
    """Tell whether a stage has ended for anything since a receipt was written."""
    query = select(s.receipt.c.seq).where((s.receipt.c.stage == stage) & (s.receipt.c.seq > than.seq)).limit(1)
    with store.transaction() as connection:
        return connection.execute(query).first() is not None


def newest_of_product(store: Store, stage: str, product: str, modality: str) -> Receipt | None:
    """Give the newest receipt of a stage for any unit of a modality of a product."""
    query = (
        select(s.receipt)
        .join(s.unit, s.unit.c.unit_id == s.receipt.c.unit_id)
        .where((s.receipt.c.stage == stage) & (s.receipt.c.product == product) & (s.unit.c.modality == modality))
        .order_by(s.receipt.c.seq.desc())
        .limit(1)
    )
    with store.transaction() as connection:
        row = connection.execute(query).mappings().first()
    return None if row is None else _receipt(row)


def of_run(store: Store, run_key: str) -> list[Receipt]:
    """List the receipts of a run in the order of the chain."""
    query = select(s.receipt).where(s.receipt.c.run_key == run_key).order_by(s.receipt.c.seq)
    with store.transaction() as connection:
        return [_receipt(row) for row in connection.execute(query).mappings()]


def verify(store: Store) -> int | None:
    """Recompute the chain; return the number of the first receipt that does not fit, or None.

    Each finished attempt has to have its receipt, word for word: a chain that was cut short fits in itself.
    """
    previous, expected = hashing.GENESIS, 1
    with store.transaction() as connection:
        done = select(*_earned(s.attempt), s.attempt.c.detail).where(s.attempt.c.state == "done")
        open_attempts = {tuple(row) for row in connection.execute(done)}
        for row in connection.execute(select(s.receipt).order_by(s.receipt.c.seq)).mappings():
            earned = tuple(row[column] for column in (*_earned(s.receipt), s.receipt.c.body))
            fits = (row["seq"], row["previous"], row["hash"]) == (expected, previous, hashing.digest(row, _CHAINED))
            if not fits or earned not in open_attempts:
                return expected
            open_attempts.remove(earned)
            previous, expected = row["hash"], expected + 1
    return expected if open_attempts else None


def _earned(table: Table) -> tuple[Column[Any], ...]:
    return table.c.stage, table.c.unit_id, table.c.product, table.c.run_key


def _receipt(row: RowMapping) -> Receipt:
    return Receipt(
        row["seq"],
        row["receipt_id"],
        row["stage"],
        row["unit_id"],
        row["product"],
        row["run_key"],
        json.loads(row["body"]),
    )
