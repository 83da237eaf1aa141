"""What the ledger holds, for people to read: budgets and draws, without the numbers."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import RowMapping, select

from veil.control import Store
from veil.control import schema as s
from veil.errors import VeilError

_KEPT = [column for column in s.release.c if column.name != "payload"]


@dataclass(frozen=True, slots=True)
class Block:
    """A budget, for one privacy unit: what is spent of a cap, rho in 1e-9 and delta in 1e-15."""

    block_id: str
    unit: str
    cap: int
    spent: int
    cap_delta: int
    spent_delta: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A draw that was paid for. `draws` are (scale, l0, l_infinity) of its mechanisms."""

    key: str
    name: str
    state: str
    attempt: int
    redraw: int
    blocks: tuple[str, ...]
    cost_rho: int
    cost_delta: int
    draws: tuple[tuple[float, int, int], ...]
    at: str


def blocks(store: Store) -> list[Block]:
    """List every budget."""
    with store.transaction() as connection:
        return [_block(row) for row in connection.execute(select(s.block).order_by(s.block.c.block_id)).mappings()]


def block(store: Store, block_id: str) -> Block:
    """Give one budget.

    Raises
    ------
    VeilError
        There is none of this name.
    """
    with store.transaction() as connection:
        row = connection.execute(select(s.block).where(s.block.c.block_id == block_id)).mappings().first()
    if row is None:
        raise VeilError(f"There is no budget {block_id}", "`veil budget show` lists them")
    return _block(row)


def entry(store: Store, key: str) -> Entry:
    """Give the draw of a key.

    Raises
    ------
    VeilError
        Nobody has paid for it.
    """
    with store.transaction() as connection:
        row = connection.execute(select(*_KEPT).where(s.release.c.key == key)).mappings().first()
    if row is None:
        raise VeilError("The ledger has no draw of this key", "`veil budget history` lists them")
    return _entry(row)


def entries(store: Store, block_id: str | None = None) -> list[Entry]:
    """List the draws, oldest first; with `block_id` those that a block has paid for."""
    with store.transaction() as connection:
        found = [_entry(row) for row in connection.execute(select(*_KEPT).order_by(s.release.c.seq)).mappings()]
    return [entry for entry in found if block_id is None or block_id in entry.blocks]


def _block(row: RowMapping) -> Block:
    return Block(**{name: row[name] for name in Block.__dataclass_fields__})


def _entry(row: RowMapping) -> Entry:
    return Entry(
        row["key"],
        row["name"],
        row["state"],
        row["attempt"],
        row["redraw"],
        tuple(json.loads(row["blocks"])),
        row["cost_rho"],
        row["cost_delta"],
        tuple((float(scale), int(l0), int(most)) for scale, l0, most in json.loads(row["draws"])),
        row["at"],
    )
