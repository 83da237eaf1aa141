"""The ledger: no number is drawn before its blocks have paid, and none is ever drawn twice for one key.

RESERVED (charged, in one transaction with the check) → the noise is drawn → DRAWN (the numbers themselves, first
writer wins) → PUBLISHED. A crash while RESERVED draws again without a charge: nobody saw the first noise. A crash
after DRAWN publishes what is stored. A refusal costs nothing and is kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import insert, select, update

from veil.control import Store
from veil.control import schema as s
from veil.control.store import now
from veil.errors import Refused


@dataclass(frozen=True, slots=True)
class Charge:
    """What a release costs, in nano-rho, and the blocks that pay it, each with the cap it gets when first opened."""

    key: str
    name: str
    spec: str
    privacy_unit: str
    cost: int
    caps: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Block:
    """A budget: nano-rho spent of a cap, for one privacy unit."""

    block_id: str
    unit: str
    cap: int
    spent: int


def release_key(spec: str, inputs: str, redraw: int = 0) -> str:
    """Give the key of a release: what a retry, a backfill, new code or a reorganised table changes is not in it."""
    return hashlib.sha256("\x1f".join((spec, inputs, str(redraw))).encode()).hexdigest()


def reserve(store: Store, charge: Charge) -> bytes | None:
    """Pay for a release, once for its key; give the numbers if they have been drawn already.

    Raises
    ------
    Refused
        When a block cannot pay. Nothing is charged to any block, and the refusal is recorded.
        A release that costs nothing, or that no block pays for, is refused too: it would have no guarantee.
    """
    if charge.cost <= 0 or not charge.caps:
        raise Refused(f"{charge.name} would be released for free", "Give it a cost above 0 and a budget to pay")
    with store.transaction() as connection:
        row = connection.execute(select(s.release.c.payload).where(s.release.c.key == charge.key)).first()
        if row is not None:
            return None if row.payload is None else bytes(row.payload)
        short = None
        for block_id in sorted(charge.caps):
            block = connection.execute(select(s.block).where(s.block.c.block_id == block_id)).first()
            if block is None:
                connection.execute(
                    insert(s.block).values(
                        block_id=block_id, unit=charge.privacy_unit, cap=charge.caps[block_id], spent=0
                    )
                )
            spent, cap = (0, charge.caps[block_id]) if block is None else (block.spent, block.cap)
            if spent + charge.cost > cap:
                short = short or block_id
        if short is None:
            for block_id in sorted(charge.caps):
                connection.execute(
                    update(s.block).where(s.block.c.block_id == block_id).values(spent=s.block.c.spent + charge.cost)
                )
            connection.execute(
                insert(s.release).values(
                    key=charge.key,
                    name=charge.name,
                    state="RESERVED",
                    spec=charge.spec,
                    blocks=json.dumps(sorted(charge.caps)),
                    cost_rho=charge.cost,
                    at=now(),
                )
            )
        else:
            connection.execute(
                insert(s.denial).values(
                    key=charge.key, name=charge.name, block_id=short, cost_rho=charge.cost, at=now()
                )
            )
    if short is not None:
        raise Refused(
            f"The privacy budget {short} cannot pay for {charge.name}",
            "See `veil budget show`; a cap is raised by two people, never by running again",
        )
    return None


def keep_drawn(store: Store, key: str, payload: bytes) -> bytes:
    """Store the numbers of a paid release and give those that count: the first that were stored."""
    with store.transaction() as connection:
        connection.execute(
            update(s.release)
            .where((s.release.c.key == key) & (s.release.c.state == "RESERVED"))
            .values(state="DRAWN", payload=payload, sha256=hashlib.sha256(payload).hexdigest())
        )
        stored = connection.scalar(select(s.release.c.payload).where(s.release.c.key == key))
    if stored is None:
        raise Refused("Numbers were drawn that nobody paid for; they are discarded", "This is a defect: report it")
    return bytes(stored)


def mark_published(store: Store, key: str) -> None:
    """Note that the numbers of a release are out."""
    with store.transaction() as connection:
        connection.execute(
            update(s.release).where((s.release.c.key == key) & (s.release.c.state == "DRAWN")).values(state="PUBLISHED")
        )


def is_paid(store: Store, key: str) -> bool:
    """Tell whether a release's numbers are those that a ledger entry has paid for."""
    with store.transaction() as connection:
        row = connection.execute(select(s.release.c.payload, s.release.c.sha256).where(s.release.c.key == key)).first()
    return row is not None and row.payload is not None and hashlib.sha256(row.payload).hexdigest() == row.sha256


def blocks(store: Store) -> list[Block]:
    """List every budget."""
    with store.transaction() as connection:
        return [Block(*row) for row in connection.execute(select(s.block).order_by(s.block.c.block_id))]
